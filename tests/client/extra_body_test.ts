/** `extraBody` in every wire format: it is merged deeply, and a conflict is an error that names the field. */
import assert from "node:assert/strict";
import { connect } from "../../lib/services/connect.ts";
import { openaiChat } from "../../lib/protocols/openai_chat/openai_chat.ts";
import { anthropic } from "../../lib/protocols/anthropic/anthropic.ts";
import { gemini } from "../../lib/protocols/gemini/gemini.ts";
import type { Protocol } from "../../lib/protocols/protocol.ts";
import { openaiResponses } from "../../lib/protocols/openai_responses/openai_responses.ts";
import type { SamplingOptions } from "../../mod.ts";

const TOOL = { type: "function" as const, function: { name: "f", parameters: { type: "object" } } };
const FORMAT = {
  type: "json_schema" as const,
  json_schema: { name: "a", schema: { type: "object", properties: {} } },
};

function encode(provider: Protocol, model: string, options: SamplingOptions, stream = false) {
  const { endpoint } = connect({ baseUrl: "https://h.example/v1", apiKey: "k" });
  const request = { model, messages: [{ role: "user" as const, content: "hi" }], options, stream };
  return JSON.parse(provider.encoder(endpoint)(request).body!);
}

Deno.test("objects are merged with those of the options", () => {
  const google = encode(gemini, "gemini-2.5-flash", {
    maxTokens: 5,
    temperature: 1,
    responseFormat: FORMAT,
    extraBody: { generationConfig: { mediaResolution: "MEDIA_RESOLUTION_LOW" } },
  }).generationConfig;
  assert.deepEqual(
    [google.mediaResolution, google.maxOutputTokens, google.temperature, google.responseMimeType],
    ["MEDIA_RESOLUTION_LOW", 5, 1, "application/json"],
  );
  const openai = encode(openaiResponses, "gpt-5.5", {
    thinking: "high",
    responseFormat: FORMAT,
    extraBody: { text: { verbosity: "low" }, reasoning: { summary: "detailed" }, store: true },
  });
  assert.equal(openai.text.verbosity, "low");
  assert.equal(openai.text.format.type, "json_schema");
  assert.deepEqual(openai.reasoning, { effort: "high", summary: "detailed" });
  assert.equal(openai.store, true);
  const chat = encode(openaiChat, "m", {
    thinking: true,
    extraBody: { chat_template_kwargs: { custom: 1 }, stream_options: { include_usage: false } },
  }, true);
  assert.deepEqual(chat.chat_template_kwargs, { enable_thinking: true, thinking: true, custom: 1 });
  assert.deepEqual(chat.stream_options, { include_usage: false });
});

Deno.test("tools are appended in every format", () => {
  const added: [Protocol, string, object][] = [
    [openaiChat, "m", { type: "web_search" }],
    [openaiResponses, "gpt-5.5", { type: "web_search" }],
    [anthropic, "claude-sonnet-5", { type: "web_search_20260209", name: "web_search" }],
    [gemini, "gemini-3-flash", { googleSearch: {} }],
  ];
  for (const [provider, model, tool] of added) {
    const { tools } = encode(provider, model, { tools: [TOOL], extraBody: { tools: [tool] } });
    assert.equal(tools.length, 2, provider.name);
    assert.deepEqual(tools[1], tool);
  }
});

Deno.test("a field with two values is an error that names it", () => {
  const cases: [Protocol, string, SamplingOptions, RegExp][] = [
    [
      openaiChat,
      "m",
      { temperature: 1, extraBody: { temperature: 0 } },
      /extraBody\.temperature is 0/,
    ],
    [
      gemini,
      "gemini-2.5-flash",
      { maxTokens: 5, extraBody: { generationConfig: { maxOutputTokens: 6 } } },
      /extraBody\.generationConfig\.maxOutputTokens is 6, but the request already sets it to 5/,
    ],
    [
      openaiResponses,
      "gpt-5.5",
      { thinking: "high", extraBody: { reasoning: { effort: "low" } } },
      /extraBody\.reasoning\.effort/,
    ],
    [
      anthropic,
      "claude-sonnet-5",
      { maxTokens: 5, extraBody: { max_tokens: 6 } },
      /extraBody\.max_tokens/,
    ],
    [openaiChat, "m", { extraBody: { model: "other" } }, /extraBody\.model/],
  ];
  for (const [provider, model, options, pattern] of cases) {
    assert.throws(() => encode(provider, model, options), (error: Error & { code: string }) => {
      assert.equal(error.code, "configuration");
      assert.match(error.message, pattern);
      return true;
    });
  }
  // Equal values are not a conflict.
  assert.equal(
    encode(openaiChat, "m", { temperature: 1, extraBody: { temperature: 1 } }).temperature,
    1,
  );
});

Deno.test("the caller's objects are not modified", () => {
  const extraBody = { chat_template_kwargs: { a: 1 } };
  const options = { thinking: true, responseFormat: FORMAT, extraBody };
  const before = structuredClone(options);
  encode(openaiChat, "m", options);
  encode(openaiResponses, "gpt-5.5", {
    ...options,
    extraBody: { text: { format: { strict: true } } },
  });
  assert.deepEqual(options, before);
});
