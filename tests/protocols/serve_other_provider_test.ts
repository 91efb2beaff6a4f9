/** Answers of other providers contain nothing that only the imitated API could know. */
import assert from "node:assert/strict";
import { eventsOf } from "../../lib/chat/events.ts";
import type { FinishReason } from "../../lib/chat/result.ts";
import { asObject, asObjects, type Json } from "../../lib/json/json.ts";
import type { ServerChoice, ServerResponse } from "../../lib/protocols/serve.ts";
import type { Usage } from "../../lib/usage.ts";
import {
  CHAT,
  CLAUDE,
  endpoint,
  type Format,
  FORMATS,
  GEMINI,
  receive,
  RESPONSES,
} from "../support/serve_formats.ts";
import { decodeEvent } from "../support/decode_event.ts";

const CHOICE: ServerChoice = {
  content: "Hi",
  thinking: "Hm.",
  toolCalls: [],
  refusal: null,
  finishReason: "stop",
  citations: [{ text: "a document without a URL", raw: null }, { url: "http://a", raw: null }],
};

function responseOf(changes: Partial<ServerChoice>, usage: Usage | null): ServerResponse {
  const choices = [{ ...CHOICE, ...changes }] as const;
  return { id: "abc", model: "m", created: 1_700_000_000, choices, usage };
}

function requestOf(format: Format, stream: boolean) {
  const messages = [{ role: "user" as const, content: "Hi" }];
  const options = { maxTokens: 10_000, thinking: true } as const;
  return receive(
    format,
    format.client.encoder(endpoint())({ model: "m", messages, options, stream }),
  );
}

function plain(format: Format, changes: Partial<ServerChoice>, usage: Usage | null): Json {
  const body = format.server.encodeResponse(responseOf(changes, usage), requestOf(format, false));
  return JSON.parse(JSON.stringify(body));
}

function streamed(format: Format, changes: Partial<ServerChoice>, usage: Usage | null): Json[] {
  const response = responseOf(changes, usage);
  const encoder = format.server.streamEncoder(response, requestOf(format, true));
  const sent = [...encoder.push(eventsOf({ ...response.choices[0], usage })), ...encoder.end()];
  return sent.filter(({ data }) => data !== "[DONE]").map(({ data }) => JSON.parse(data));
}

for (const format of FORMATS) {
  const { name } = format.client;
  Deno.test(`${name}: no signature, tier or placeholder is made up`, () => {
    for (const body of [plain(format, {}, null), ...streamed(format, {}, null)]) {
      const text = JSON.stringify(body);
      for (const made of [btoa("signature abc"), btoa("reasoning abc"), btoa("placeholder")]) {
        assert.ok(!text.includes(made), text);
      }
      assert.ok(!/"(service_tier|speed)":"/.test(text), text);
      // Citations without a URL have no form in these APIs.
      assert.ok(!text.includes("document without"), text);
    }
    assert.ok(JSON.stringify(plain(format, {}, null)).includes("http://a"));
  });
}

Deno.test("unknown usage is absent, or what the format demands", () => {
  assert.equal(plain(CHAT, {}, null).usage, undefined);
  assert.ok(streamed(CHAT, {}, null).every(({ usage }) => !usage));
  assert.equal(plain(RESPONSES, {}, null).usage, null);
  assert.equal(plain(GEMINI, {}, null).usageMetadata, undefined);
  const usage = asObject(plain(CLAUDE, {}, null).usage)!;
  assert.deepEqual([usage.input_tokens, usage.output_tokens, usage.cache_read_input_tokens], [
    0,
    0,
    null,
  ]);
});

Deno.test("token details are only those that the provider reported", () => {
  const usage = { promptTokens: 10, completionTokens: 5, totalTokens: 15 };
  assert.deepEqual(plain(CHAT, {}, usage).usage, {
    prompt_tokens: 10,
    completion_tokens: 5,
    total_tokens: 15,
  });
  assert.deepEqual(plain(GEMINI, {}, usage).usageMetadata, {
    promptTokenCount: 10,
    candidatesTokenCount: 5,
    totalTokenCount: 15,
  });
  const claude = asObject(
    plain(CLAUDE, {}, { ...usage, cachedTokens: 4, cacheWriteTokens: 3 }).usage,
  )!;
  assert.deepEqual(
    [claude.input_tokens, claude.cache_read_input_tokens, claude.cache_creation_input_tokens],
    [3, 4, 3],
  );
});

const ENDS: Record<FinishReason, readonly string[]> = {
  stop: ["stop", "completed", "end_turn", "STOP"],
  length: ["length", "incomplete: max_output_tokens", "max_tokens", "MAX_TOKENS"],
  tool_calls: ["tool_calls", "completed", "tool_use", "STOP"],
  content_filter: ["content_filter", "incomplete: content_filter", "refusal", "SAFETY"],
  other: ["other", "incomplete: other", "other", "OTHER"],
};

function endOf(format: Format, body: Json): unknown {
  if (format === CHAT) return asObjects(body.choices)[0].finish_reason;
  if (format === CLAUDE) return body.stop_reason;
  if (format === GEMINI) return asObjects(body.candidates)[0].finishReason;
  const details = asObject(body.incomplete_details);
  return details === undefined ? body.status : `${body.status}: ${details.reason}`;
}

for (const [finishReason, expected] of Object.entries(ENDS)) {
  Deno.test(`the finish reason ${finishReason} in every format`, () => {
    for (const [i, format] of [CHAT, RESPONSES, CLAUDE, GEMINI].entries()) {
      const body = plain(format, { finishReason: finishReason as FinishReason }, null);
      assert.equal(endOf(format, body), expected[i]);
    }
  });
}

Deno.test("what a provider needs back comes before the finish reason, and an error ends the stream", () => {
  for (const format of FORMATS) {
    const encoder = format.server.streamEncoder(responseOf({}, null), requestOf(format, true));
    encoder.push([{ type: "text", text: "Hi" }]);
    encoder.push([{ type: "tool_call", index: 0, id: "call_1", name: "f", arguments: "{}" }]);
    const carried = encoder.carry({ envelope: "flexllm1.abc" });
    assert.ok(carried.some(({ data }) => data.includes("flexllm1.abc")));
    assert.ok(!carried.some(({ data }) => /"(finish_reason|finishReason)":"/.test(data)));
    const failed = encoder.fail({ status: 502, message: "Lost." });
    assert.equal(failed.length, 1);
    assert.ok(failed[0].data.includes("Lost."));
    const decoder = format.client.streamDecoder();
    assert.throws(() => decodeEvent(decoder, failed[0].data), /Lost/);
  }
});

Deno.test("the last block of a message without tool calls is its text, which Claude Code prints", () => {
  const carried = { envelope: "flexllm1.abc" };
  const response = responseOf({ content: "Hi", carried }, null);
  const encoder = CLAUDE.server.streamEncoder(response, requestOf(CLAUDE, true));
  encoder.push([{ type: "text", text: "Hi" }]);
  assert.deepEqual(encoder.carry(carried), []);
  const message = CLAUDE.server.encodeResponse(response, requestOf(CLAUDE, false)) as Json;
  assert.equal(asObjects(message.content).at(-1)!.type, "text");
});
