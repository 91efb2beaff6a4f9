/**
 * The mock's bodies and streams have every field that the vendors' types require.
 *
 * Sources: the types of `openai` 7.57 (`Response`, `ResponseStreamEvent`), `@anthropic-ai/sdk` 1.12
 * (`Message`, `RawMessageStreamEvent`, `ModelInfo`) and `@google/genai` 3.1.
 */
import assert from "node:assert/strict";
import type Anthropic from "@anthropic-ai/sdk";
import type OpenAI from "openai";
import { createMockApp, type MockOptions } from "../../mod.ts";

type Json = Record<string, unknown>;

const HI = [{ role: "user", content: "Hi" }];

async function send(options: MockOptions, path: string, body: unknown, headers?: HeadersInit) {
  const init = body === undefined
    ? { headers }
    : { method: "POST", body: JSON.stringify(body), headers };
  const response = await createMockApp(options).fetch(new Request(`http://mock${path}`, init));
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return text;
}

async function events<T>(options: MockOptions, path: string, body: Json): Promise<T[]> {
  const text = await send(options, path, { ...body, stream: true });
  return text.split("\n").filter((line) => line.startsWith("data: {"))
    .map((line) => JSON.parse(line.slice(6)));
}

const keys = (value: object) => Object.keys(value).sort();

// Typed, so that a field that an SDK removes or newly requires is a compile error.
const USAGE: Anthropic.Usage = {
  cache_creation: { ephemeral_1h_input_tokens: 0, ephemeral_5m_input_tokens: 0 },
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  inference_geo: null,
  input_tokens: 1,
  output_tokens: 1,
  output_tokens_details: { thinking_tokens: 0 },
  server_tool_use: null,
  service_tier: "standard",
  speed: "standard",
};
const TOOL_USE: Anthropic.ToolUseBlock = {
  type: "tool_use",
  id: "",
  name: "f",
  input: {},
  caller: { type: "direct" },
};
const MESSAGE: Anthropic.Message = {
  id: "",
  type: "message",
  role: "assistant",
  model: "m",
  content: [],
  container: null,
  diagnostics: null,
  stop_details: null,
  stop_reason: "tool_use",
  stop_sequence: null,
  usage: USAGE,
};
const ASK = {
  model: "m",
  max_tokens: 500,
  messages: HI,
  tools: [{ name: "f", input_schema: { type: "object" } }],
  tool_choice: { type: "any" },
};

Deno.test("Anthropic's messages have every field of the SDK's types, plain and streamed", async () => {
  const message = JSON.parse(await send({}, "/v1/messages", ASK));
  assert.deepEqual(keys(message), keys(MESSAGE));
  assert.deepEqual(keys(message.usage), keys(USAGE));
  assert.deepEqual(message.content, [{ ...TOOL_USE, id: message.content[0].id }]);

  const stream = await events<Anthropic.RawMessageStreamEvent>({}, "/v1/messages", ASK);
  const [start] = stream;
  assert.ok(start.type === "message_start");
  assert.deepEqual(keys(start.message), keys(MESSAGE));
  assert.deepEqual(keys(start.message.usage), keys(USAGE));
  const end = stream.find((event) => event.type === "message_delta")!;
  const delta: Anthropic.RawMessageDeltaEvent["delta"] = {
    container: null,
    stop_details: null,
    stop_reason: "tool_use",
    stop_sequence: null,
  };
  const usage: Anthropic.MessageDeltaUsage = {
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    input_tokens: message.usage.input_tokens,
    output_tokens: message.usage.output_tokens,
    output_tokens_details: { thinking_tokens: 0 },
    server_tool_use: null,
  };
  assert.deepEqual([end.delta, end.usage], [delta, usage]);
});

Deno.test("Anthropic's models have every field of the SDK's type", async () => {
  const yes = { supported: true };
  const no = { supported: false };
  const model: Anthropic.ModelInfo = {
    type: "model",
    id: "claude-opus-5",
    display_name: "claude-opus-5",
    created_at: "2026-01-01T00:00:00Z",
    lifecycle: "active",
    line: "opus",
    capabilities: {
      batch: no,
      citations: yes,
      code_execution: no,
      context_management: {
        clear_thinking_20251015: null,
        clear_tool_uses_20250919: null,
        compact_20260112: null,
        supported: false,
      },
      effort: { supported: true, low: yes, medium: yes, high: yes, xhigh: yes, max: yes },
      image_input: yes,
      pdf_input: yes,
      server_tools: { supported: false, code_execution: no, web_search: no },
      structured_outputs: yes,
      thinking: {
        supported: true,
        types: { adaptive: yes, enabled: yes, disabled: yes, between_tools: yes },
      },
    },
    max_input_tokens: 1_000_000,
    max_tokens: 128_000,
    deprecated_at: null,
    retires_at: null,
  };
  const headers = { "anthropic-version": "2026-10-21" };
  const options = { models: ["claude-opus-5"] };
  const { data } = JSON.parse(await send(options, "/v1/models", undefined, headers));
  assert.deepEqual(data, [model]);
});

Deno.test("a response repeats the fields of its request, plain and streamed", async () => {
  const request = {
    model: "gpt-6-sol",
    input: "Hi",
    background: false,
    instructions: "Be kind.",
    max_output_tokens: 900,
    max_tool_calls: 3,
    metadata: { a: "b" },
    parallel_tool_calls: false,
    previous_response_id: "resp_1",
    prompt: { id: "p" },
    prompt_cache_key: "k",
    prompt_cache_retention: "24h",
    reasoning: { effort: "low", summary: "auto" },
    safety_identifier: "s",
    service_tier: "flex",
    store: false,
    temperature: 0.2,
    text: { format: { type: "json_schema", name: "x", schema: {} }, verbosity: "low" },
    tool_choice: "auto",
    tools: [{ type: "web_search" }],
    top_logprobs: 2,
    top_p: 0.5,
    truncation: "auto",
    user: "u",
  };
  const { input: _, ...echoed } = request;
  const plain = JSON.parse(await send({}, "/v1/responses", request));
  const stream = await events<Json>({}, "/v1/responses", request);
  for (const response of [plain, stream[0].response, stream.at(-1)!.response]) {
    const sent = Object.keys(echoed).map((name) => [name, (response as Json)[name]]);
    assert.deepEqual(Object.fromEntries(sent), echoed);
  }
  const bare = JSON.parse(await send({}, "/v1/responses", { model: "m", input: "Hi" }));
  assert.deepEqual(
    [bare.temperature, bare.tools, bare.service_tier, bare.text, bare.access_programs],
    [1, [], "default", { format: { type: "text" }, verbosity: "medium" }, null],
  );
  const details: OpenAI.Responses.ResponseUsage.InputTokensDetails = {
    cached_tokens: 0,
    cache_write_tokens: 0,
  };
  assert.deepEqual(bare.usage.input_tokens_details, details);
});

Deno.test("a streamed response opens and closes each part of its reasoning and text", async () => {
  const request = { model: "m", input: "Hi", reasoning: { effort: "high" } };
  const stream = await events<{ type: string; sequence_number: number }>(
    { responses: [{ text: "Hey", thinking: "Hm" }] },
    "/v1/responses",
    request,
  );
  assert.deepEqual(stream.map(({ type }) => type.replace("response.", "")), [
    "created",
    "in_progress",
    "output_item.added",
    "reasoning_summary_part.added",
    "reasoning_summary_text.delta",
    "reasoning_summary_text.done",
    "reasoning_summary_part.done",
    "output_item.done",
    "output_item.added",
    "content_part.added",
    "output_text.delta",
    "output_text.done",
    "content_part.done",
    "output_item.done",
    "completed",
  ]);
  assert.deepEqual(stream.map((event) => event.sequence_number), stream.map((_, i) => i));
});

const CHAT = { model: "m", messages: HI };
const RESPONSE = { model: "m", input: "Hi" };
const CLAUDE = { model: "m", max_tokens: 500, messages: HI };
const GEMINI = { contents: [{ role: "user", parts: [{ text: "Hi" }] }] };
const GEMINI_PATH = "/v1beta/models/gemini-3-flash";

Deno.test("a canned refusal is sent in each protocol's form, plain and streamed", async () => {
  const options = { responses: [{ refusal: "I will not." }] };
  const parse = async (path: string, body: Json) => JSON.parse(await send(options, path, body));

  const [choice] = (await parse("/v1/chat/completions", CHAT)).choices;
  assert.deepEqual([choice.message.content, choice.message.refusal], [null, "I will not."]);
  const chunks = await events<OpenAI.ChatCompletionChunk>(options, "/v1/chat/completions", CHAT);
  assert.equal(chunks.map(({ choices }) => choices[0].delta.refusal ?? "").join(""), "I will not.");

  const { output, status } = await parse("/v1/responses", RESPONSE);
  assert.deepEqual([output[0].content, status], [
    [{ type: "refusal", refusal: "I will not." }],
    "completed",
  ]);
  const typed = await events<Json>(options, "/v1/responses", RESPONSE);
  const deltas = typed.filter(({ type }) => type === "response.refusal.delta");
  assert.equal(deltas.map(({ delta }) => delta).join(""), "I will not.");
  assert.ok(
    typed.some(({ type, refusal }) =>
      type === "response.refusal.done" && refusal === "I will not."
    ),
  );

  const details = { type: "refusal", category: null, explanation: "I will not." };
  const message = await parse("/v1/messages", CLAUDE);
  assert.deepEqual([message.content, message.stop_reason], [[], "refusal"]);
  assert.deepEqual(message.stop_details, details);
  const claude = await events<Json>(options, "/v1/messages", CLAUDE);
  const { delta } = claude.find(({ type }) => type === "message_delta") as { delta: Json };
  assert.deepEqual([delta.stop_reason, delta.stop_details], ["refusal", details]);

  const [candidate] = (await parse(`${GEMINI_PATH}:generateContent`, GEMINI)).candidates;
  assert.deepEqual(candidate, { index: 0, finishReason: "SAFETY", finishMessage: "I will not." });
});

Deno.test("canned citations are sent in each protocol's form, plain and streamed", async () => {
  const citation = { url: "https://host/a", title: "A", text: "Passage", start: 0, end: 4 };
  const options = { responses: [{ text: "Größe is one.", citations: [citation] }] };
  const parse = async (path: string, body: Json) => JSON.parse(await send(options, path, body));
  const url = { url: "https://host/a", title: "A", start_index: 0, end_index: 4 };

  const [{ message }] = (await parse("/v1/chat/completions", CHAT)).choices;
  assert.deepEqual(message.annotations, [{ type: "url_citation", url_citation: url }]);
  const chunks = await events<OpenAI.ChatCompletionChunk>(options, "/v1/chat/completions", CHAT);
  const annotated = chunks.flatMap(({ choices }) => (choices[0].delta as Json).annotations ?? []);
  assert.deepEqual(annotated, message.annotations);

  const { output } = await parse("/v1/responses", RESPONSE);
  assert.deepEqual(output[0].content[0].annotations, [{ type: "url_citation", ...url }]);
  const typed = await events<Json>(options, "/v1/responses", RESPONSE);
  const added = typed.filter(({ type }) => type === "response.output_text.annotation.added");
  assert.deepEqual(added.map(({ annotation }) => annotation), output[0].content[0].annotations);

  const { content } = await parse("/v1/messages", CLAUDE);
  assert.deepEqual(content[0].citations, [{
    type: "web_search_result_location",
    cited_text: "Passage",
    encrypted_index: content[0].citations[0].encrypted_index,
    title: "A",
    url: "https://host/a",
  }]);
  const claude = await events<{ delta?: Json }>(options, "/v1/messages", CLAUDE);
  const cited = claude.filter(({ delta }) => delta?.type === "citations_delta");
  assert.deepEqual(cited.map(({ delta }) => delta?.citation), content[0].citations);

  const path = `${GEMINI_PATH}:generateContent`;
  const [{ groundingMetadata }] = (await parse(path, GEMINI)).candidates;
  assert.deepEqual(groundingMetadata.groundingChunks, [{
    web: { uri: "https://host/a", title: "A" },
  }]);
  // In bytes: two of the four characters take two each.
  assert.deepEqual(groundingMetadata.groundingSupports, [{
    segment: { startIndex: 0, endIndex: 6, text: "Größ" },
    groundingChunkIndices: [0],
  }]);
});

Deno.test("log probabilities are sent on request, in three protocols", async () => {
  const logprobs = [{ token: "Yes", logprob: -0.1 }, { token: ".", logprob: -0.2 }];
  const options = { responses: [{ text: "Yes.", logprobs }] };
  const path = "/v1/chat/completions";
  const parse = async (path: string, body: Json) => JSON.parse(await send(options, path, body));

  assert.equal((await parse(path, CHAT)).choices[0].logprobs, null);
  const wanted = { ...CHAT, logprobs: true, top_logprobs: 2 };
  const { content } = (await parse(path, wanted)).choices[0].logprobs;
  const tokens: OpenAI.ChatCompletionTokenLogprob[] = content;
  assert.deepEqual(tokens.map(({ token, logprob }) => ({ token, logprob })), logprobs);
  assert.deepEqual(tokens[0].bytes, [89, 101, 115]);
  assert.ok(tokens.every(({ top_logprobs }) => top_logprobs.length === 2));
  const chunks = await events<OpenAI.ChatCompletionChunk>(options, path, wanted);
  const streamed = chunks.flatMap(({ choices }) => choices[0]?.logprobs?.content ?? []);
  assert.deepEqual(streamed, tokens);
  const texts = chunks.map(({ choices }) => choices[0]?.delta.content).filter(Boolean);
  assert.deepEqual(texts, ["Yes", "."]);

  const include = ["message.output_text.logprobs"];
  const { output } = await parse("/v1/responses", { ...RESPONSE, include, top_logprobs: 1 });
  assert.deepEqual(
    output[0].content[0].logprobs.map(({ token, logprob }: Json) => ({ token, logprob })),
    logprobs,
  );
  assert.equal(output[0].content[0].logprobs[0].top_logprobs.length, 1);

  const generationConfig = { responseLogprobs: true, logprobs: 3 };
  const gemini = await parse(`${GEMINI_PATH}:generateContent`, { ...GEMINI, generationConfig });
  const { chosenCandidates, topCandidates } = gemini.candidates[0].logprobsResult;
  assert.deepEqual(chosenCandidates, [
    { token: "Yes", logProbability: -0.1 },
    { token: ".", logProbability: -0.2 },
  ]);
  assert.deepEqual(topCandidates.map(({ candidates }: { candidates: [] }) => candidates.length), [
    3,
    3,
  ]);

  const made = JSON.parse(await send({ length: 50 }, path, wanted)).choices[0];
  const joined = made.logprobs.content.map(({ token }: Json) => token).join("");
  assert.equal(joined, made.message.content);
});

Deno.test("custom tools are called with free text, plain and streamed", async () => {
  const custom = { name: "c" };
  const chat = {
    ...CHAT,
    tools: [{ type: "custom", custom }],
    tool_choice: { type: "custom", custom },
  };
  const options = { responses: [{ toolCalls: [{ name: "c", arguments: "x = 1" }] }] };
  const { choices } = JSON.parse(await send(options, "/v1/chat/completions", chat));
  const [call] = choices[0].message.tool_calls;
  assert.deepEqual(call, { id: call.id, type: "custom", custom: { name: "c", input: "x = 1" } });
  const made = JSON.parse(await send({}, "/v1/chat/completions", chat));
  assert.equal(made.choices[0].message.tool_calls[0].type, "custom");
  const chunks = await events<{ choices: [{ delta: { tool_calls?: [{ custom: Json }] } }] }>(
    options,
    "/v1/chat/completions",
    chat,
  );
  const pieces = chunks.map(({ choices: [{ delta }] }) => delta.tool_calls?.[0].custom.input ?? "");
  assert.equal(pieces.join(""), "x = 1");

  const request = {
    ...RESPONSE,
    tools: [{ type: "custom", name: "c" }],
    tool_choice: {
      type: "allowed_tools",
      mode: "required",
      tools: [{ type: "custom", name: "c" }],
    },
  };
  const { output: [item] } = JSON.parse(await send({}, "/v1/responses", request));
  assert.deepEqual([item.type, item.name, item.input], ["custom_tool_call", "c", "text"]);
  const typed = await events<Json>(options, "/v1/responses", request);
  assert.ok(
    typed.some(({ type, input }) =>
      type === "response.custom_tool_call_input.done" && input === "x = 1"
    ),
  );
});
