/**
 * Lines of OpenAI Batch files. Sources: OpenAI API reference, "The request input object";
 * for bodies, "Create chat completion" and "Create a model response".
 */
import assert from "node:assert/strict";
import { RecordConverter } from "../../lib/input/formats.ts";

function convert(line: unknown, asMetadata: string[] = [], system?: string) {
  const converted = new RecordConverter({ asMetadata, system }).convert(line);
  return "problem" in converted ? converted.problem : converted.record;
}

const messages = [{ role: "user", content: "Hi" }];

Deno.test("a Chat Completions line becomes messages, options and extra fields", () => {
  const line = {
    custom_id: "request-1",
    method: "POST",
    url: "/v1/chat/completions",
    body: {
      model: "gpt-4o-mini",
      messages,
      max_completion_tokens: 12,
      temperature: 0,
      tool_choice: null,
      stream: false,
      n: 1,
      reasoning_effort: "none",
      logit_bias: { 5: 1 },
      thinking: { type: "disabled" },
    },
  };
  const extraBody = {
    reasoning_effort: "none",
    logit_bias: { 5: 1 },
    thinking: { type: "disabled" },
  };
  assert.deepEqual(convert(line), {
    messages,
    metadata: { custom_id: "request-1" },
    options: { model: "gpt-4o-mini", maxTokens: 12, temperature: 0, extraBody },
  });
  assert.deepEqual(convert(line, ["model", "temperature"]), {
    messages,
    metadata: { custom_id: "request-1", model: "gpt-4o-mini", temperature: 0 },
    options: { maxTokens: 12, extraBody },
  });
});

Deno.test("a line without method and url is a Chat Completions line", () => {
  assert.deepEqual(convert({ custom_id: "1", body: { messages } }, [], "Be brief."), {
    messages: [{ role: "system", content: "Be brief." }, ...messages],
    metadata: { custom_id: "1" },
    options: undefined,
  });
});

Deno.test("a Responses line is converted to Chat Completions", () => {
  const parameters = { type: "object" };
  const image = { type: "input_image", image_url: "https://host/a.png", detail: "low" };
  const line = {
    custom_id: "1",
    url: "/v1/responses",
    body: {
      model: "gpt-4.1",
      instructions: "Be brief.",
      input: [
        { role: "user", content: [{ type: "input_text", text: "What?" }, image] },
        { type: "message", role: "assistant", content: "That." },
      ],
      max_output_tokens: 20,
      reasoning: { effort: "low" },
      tools: [{ type: "function", name: "f", parameters }],
      tool_choice: { type: "function", name: "f" },
      text: { format: { type: "json_schema", name: "s", schema: parameters } },
      store: false,
    },
  };
  const image_url = { url: "https://host/a.png", detail: "low" };
  assert.deepEqual(convert(line), {
    messages: [
      { role: "developer", content: "Be brief." },
      {
        role: "user",
        content: [{ type: "text", text: "What?" }, { type: "image_url", image_url }],
      },
      { role: "assistant", content: "That." },
    ],
    metadata: { custom_id: "1" },
    options: {
      model: "gpt-4.1",
      maxTokens: 20,
      tools: [{ type: "function", function: { name: "f", parameters } }],
      toolChoice: { type: "function", function: { name: "f" } },
      responseFormat: { type: "json_schema", json_schema: { name: "s", schema: parameters } },
      extraBody: { reasoning_effort: "low" },
    },
  });
  const short = { custom_id: "1", url: "/v1/responses", body: { input: "Hi" } };
  assert.deepEqual(convert(short), {
    messages,
    metadata: { custom_id: "1" },
    options: undefined,
  });
});

Deno.test("files, audio and provider tools of a Responses line are preserved", () => {
  const audio = { type: "input_audio", input_audio: { data: "AAAA", format: "wav" } };
  const content = [
    { type: "input_file", file_url: "https://host/a.pdf", filename: "b.pdf" },
    { type: "input_file", file_id: "file-1", file_data: null },
    audio,
  ];
  const body = { input: [{ role: "user", content }], tools: [{ type: "web_search" }] };
  assert.deepEqual(convert({ custom_id: "1", url: "/v1/responses", body }), {
    messages: [{
      role: "user",
      content: [
        { type: "file", file: { file_data: "https://host/a.pdf", filename: "b.pdf" } },
        { type: "file", file: { file_id: "file-1" } },
        audio,
      ],
    }],
    metadata: { custom_id: "1" },
    options: { tools: [{ type: "web_search" }] },
  });
});

Deno.test("an unsupported line is refused with the field and the reason", () => {
  const chat = (body: unknown) => ({ custom_id: "1", url: "/v1/chat/completions", body });
  const responses = (body: unknown) => ({ custom_id: "1", url: "/v1/responses", body });
  const cases: [unknown, RegExp][] = [
    [{ ...chat({}), url: "/v1/embeddings" }, /url: expected .* got "\/v1\/embeddings"/],
    [{ ...chat({}), method: "GET" }, /method: expected "POST", got "GET"/],
    [chat({ model: "m" }), /body\.messages: expected an array, got undefined/],
    [chat({ messages: [{ role: "x" }] }), /body\.messages\[0\]\.role: expected one of/],
    [chat({ messages, temperature: "hot" }), /body\.temperature: expected a number, got "hot"/],
    [chat({ messages, stream: true }), /body\.stream: expected false/],
    [chat({ messages, n: 3 }), /body\.n: expected 1, .* got 3/],
    [chat({ messages, max_tokens: 1, max_completion_tokens: 2 }), /set twice/],
    [
      responses({ input: "x", previous_response_id: "r" }),
      /body\.previous_response_id: not supported/,
    ],
    [responses({ input: 5 }), /body\.input: expected a string or an array of messages, got 5/],
    [
      responses({ input: [{ type: "function_call_output", call_id: "c", output: "o" }] }),
      /body\.input\[0\]: expected a message with a role/,
    ],
    [
      responses({ input: [{ role: "user", content: [{ type: "input_video" }] }] }),
      /body\.input\[0\]\.content\[0\]: expected input_text, .* or input_image with a URL/,
    ],
    [responses({ input: "x", tools: [{}] }), /body\.tools: expected an array/],
    [chat({ messages, tool_choice: "any" }), /body\.tool_choice: expected "none", "auto"/],
    [responses({ input: "x", text: { verbosity: "low" } }), /body\.text: expected only a "format"/],
    [responses({ input: "x", reasoning: { mode: "pro" } }), /body\.reasoning: expected only/],
  ];
  for (const [line, pattern] of cases) assert.match(String(convert(line)), pattern);
});
