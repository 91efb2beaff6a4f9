/**
 * Answers of Chat Completions servers that OpenAI's reference does not describe. Sources are named at each
 * test; bodies are minimal and hand-made.
 */
import { service } from "../../../lib/services/services.ts";
import assert from "node:assert/strict";
import { StreamAccumulator } from "../../../lib/chat/events.ts";
import type { FlexLLMError } from "../../../lib/errors.ts";
import type { Json } from "../../../lib/json/json.ts";
import { openaiChat } from "../../../lib/protocols/openai_chat/openai_chat.ts";
import type { Completion, Endpoint } from "../../../lib/protocols/protocol.ts";
import { decodeEvent } from "../../support/decode_event.ts";

function decode(choice: Json, rest: Json = {}, endpoint?: Endpoint): Completion {
  return openaiChat.decode({ choices: [choice], ...rest }, endpoint);
}

/** The accumulated result of a stream of chunks; `[DONE]` follows unless a chunk is text. */
function stream(chunks: (Json | string)[], endpoint?: Endpoint) {
  const decoder = openaiChat.streamDecoder(endpoint);
  const total = new StreamAccumulator();
  for (const chunk of [...chunks, "[DONE]"]) {
    const data = typeof chunk === "string" ? chunk : JSON.stringify(chunk);
    for (const event of decodeEvent(decoder, data)) total.add(event);
  }
  return { decoder, total };
}

function delta(delta: Json, finish_reason: string | null = null, rest: Json = {}): Json {
  return { choices: [{ index: 0, delta, finish_reason }], ...rest };
}

function calls(...tool_calls: Json[]): Json {
  return delta({ tool_calls });
}

function thrown(run: () => unknown): FlexLLMError {
  try {
    run();
  } catch (error) {
    return error as FlexLLMError;
  }
  throw new Error("nothing was thrown");
}

const STOP = delta({}, "stop");

Deno.test("a different id at a known index starts a new call", () => {
  // Ollama numbered parallel calls 0.
  const { total } = stream([
    calls({ index: 0, id: "a", function: { name: "f", arguments: '{"x":1}' } }),
    calls({ index: 0, id: "b", function: { name: "g", arguments: '{"y":2}' } }),
    STOP,
  ]);
  assert.deepEqual(
    total.toolCalls.map(({ id, function: fn }) => [id, fn.name, fn.arguments]),
    [["a", "f", '{"x":1}'], ["b", "g", '{"y":2}']],
  );
  assert.equal(total.finishReason, "tool_calls");
});

Deno.test("calls without ids and indexes are separated by their names", () => {
  const two = [{ function: { name: "f", arguments: "{}" } }, {
    function: { name: "g", arguments: "{}" },
  }];
  for (const pieces of [[calls(...two)], two.map((call) => calls(call))]) {
    const { total } = stream([...pieces, STOP]);
    assert.deepEqual(total.toolCalls.map(({ id, function: { name } }) => [id, name]), [
      ["call_0", "f"],
      ["call_1", "g"],
    ]);
  }
});

Deno.test("a repeated id or name, or a new id for each piece, continues the same call", () => {
  const piece = (call: Json, text: string) =>
    calls({ ...call, function: { ...call.function as Json, arguments: text } });
  const repeated = { index: 0, id: "a", function: { name: "f" } };
  const named = { index: 0, function: { name: "f" } };
  for (
    const pieces of [
      [piece(repeated, '{"x"'), piece(repeated, ":1}")],
      [piece(named, '{"x"'), piece(named, ":1}")],
      [piece({ ...repeated, id: "b" }, '{"x"'), piece({ index: 0, id: "c" }, ":1}")],
    ]
  ) {
    const { total } = stream([...pieces, STOP]);
    assert.deepEqual(total.toolCalls.map(({ function: fn }) => fn), [
      { name: "f", arguments: '{"x":1}' },
    ]);
  }
});

Deno.test("a name or an id may come after the arguments", () => {
  const { total } = stream([
    calls({ index: 0, function: { name: "", arguments: '{"x":1}' } }),
    calls({ index: 0, id: "a", function: { name: "f" } }),
    STOP,
  ]);
  assert.deepEqual(total.toolCalls, [
    { id: "a", type: "function", function: { name: "f", arguments: '{"x":1}' } },
  ]);
});

Deno.test("a call without arguments has {}, and a custom tool receives its text unchanged", () => {
  for (const args of ["", null, undefined]) {
    const fn = { name: "f", arguments: args };
    const plain = decode({ message: { tool_calls: [{ id: "a", function: fn }] } });
    const { total } = stream([calls({ index: 0, id: "a", function: fn }), STOP]);
    for (const { toolCalls } of [plain, total]) {
      assert.equal(toolCalls[0].function.arguments, "{}");
    }
  }
  const custom = { id: "a", type: "custom", custom: { name: "sql", input: "SELECT 1" } };
  const expected = [{ id: "a", type: "custom", function: { name: "sql", arguments: "SELECT 1" } }];
  assert.deepEqual(decode({ message: { tool_calls: [custom] } }).toolCalls, expected);
  const { total } = stream([calls({ index: 0, ...custom }), STOP]);
  assert.deepEqual(total.toolCalls, expected);
});

Deno.test("the first of several choices is the answer, plain and streamed", () => {
  const chunk = (index: number, content: string) => ({ choices: [{ index, delta: { content } }] });
  const { total } = stream([
    chunk(1, "B"),
    chunk(0, "A"),
    { choices: [chunk(1, "b").choices[0], chunk(0, "a").choices[0]] },
    STOP,
  ]);
  assert.equal(total.content, "Aa");
  const choices = [{ index: 1, message: { content: "B" } }, {
    index: 0,
    message: { content: "A" },
  }];
  assert.equal(openaiChat.decode({ choices }).content, "A");
});

Deno.test("a stream that ends without an answer is malformed and retryable", () => {
  for (const chunks of [[], [delta({ role: "assistant", content: "" })], [{ choices: [] }]]) {
    const { code, retryable } = thrown(() => stream(chunks));
    assert.deepEqual([code, retryable], ["malformed_response", true]);
  }
});

Deno.test("the finish reasons of all services map to ours", () => {
  const cases: [reason: string, expected: string][] = [
    // Anthropic's and Gemini's reasons, which gateways pass through; Together; TGI; Mistral; Zhipu.
    ["end_turn", "stop"],
    ["STOP", "stop"],
    ["stop_sequence", "stop"],
    ["eos", "stop"],
    ["eos_token", "stop"],
    ["max_tokens", "length"],
    ["MAX_TOKENS", "length"],
    ["model_length", "length"],
    ["model_context_window_exceeded", "length"],
    ["sensitive", "content_filter"],
    ["content_filter: PROHIBITED_CONTENT", "content_filter"],
    ["SAFETY", "content_filter"],
    ["MODEL_ARMOR", "content_filter"],
    ["refusal", "content_filter"],
    ["tool_use", "stop"],
    ["a_word_of_the_future", "other"],
  ];
  for (const [finish_reason, expected] of cases) {
    const plain = decode({ message: { content: "x" }, finish_reason });
    assert.equal(plain.finishReason, expected, finish_reason);
    const { total } = stream([delta({ content: "x" }, finish_reason)]);
    assert.equal(total.finishReason, expected, finish_reason);
  }
});

Deno.test("a stream of calls without a finish reason ends with tool calls", () => {
  const { total, decoder } = stream([
    calls({ index: 0, id: "a", function: { name: "f", arguments: "" } }),
  ]);
  assert.equal(total.finishReason, "tool_calls");
  assert.equal(total.toolCalls[0].function.arguments, "{}");
  assert.ok(decoder.complete && decoder.ended);
});

Deno.test("an answer that ends with an error is retryable and has a partial result", () => {
  const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 };
  const ends: Json[] = [
    { finish_reason: "error" },
    { finish_reason: "abort" },
    { finish_reason: "network_error" },
    { finish_reason: "insufficient_system_resource" },
    { finish_reason: "function_call_filter: MALFORMED_FUNCTION_CALL" },
    { finish_reason: null, error: { code: 502, message: "upstream broke" } },
    { finish_reason: "error", error: { message: "upstream broke" } },
  ];
  for (const end of ends) {
    const error = thrown(() => decode({ message: { content: "Half" }, ...end }, { usage }));
    assert.equal(error.retryable, true, JSON.stringify(end));
    assert.equal(error.partial?.content, "Half");
    assert.equal(error.partial?.usage?.totalTokens, 7);
    const choice = { index: 0, delta: { content: "Half" }, ...end };
    const { decoder, total } = stream([{ choices: [choice] }, { choices: [], usage }]);
    assert.equal(total.content, "Half");
    assert.equal(total.finishReason, undefined);
    assert.equal(decoder.failure?.usage?.totalTokens, 7);
    assert.ok(decoder.failure!.error.status! >= 500);
  }
  // A refusal by the model's own provider is a refusal.
  const refused = { finish_reason: "error", error: { code: 400, message: "too long" } };
  assert.equal(thrown(() => decode({ message: {}, ...refused })).retryable, false);
});

Deno.test("a refusal is an answer, with text and without", () => {
  for (
    const [message, content] of [
      [{ content: null, refusal: "I can't." }, "I can't."],
      [{ content: "Well.", refusal: "I can't." }, "Well."],
    ] as const
  ) {
    const plain = decode({ message, finish_reason: "stop" });
    const { total } = stream([delta(message), STOP]);
    for (const result of [plain, total]) {
      assert.equal(result.content, content);
      assert.equal(result.refusal, "I can't.");
      assert.equal(result.finishReason, "content_filter");
    }
  }
  // Some servers send `refusal: false`.
  assert.equal(decode({ message: { content: "x", refusal: false } }).refusal, null);
});

Deno.test("a choice without a message is an answer if a filter removed all of it", () => {
  // Azure OpenAI documentation, "Content filtering".
  const choice = { index: 0, finish_reason: "content_filter", content_filter_results: {} };
  const result = decode(choice, { usage: { prompt_tokens: 3, completion_tokens: 0 } });
  assert.deepEqual(
    [result.content, result.finishReason, result.usage?.promptTokens],
    ["", "content_filter", 3],
  );
});

Deno.test("tokens that only appear in the total are counted", () => {
  const usage = (usage: Json) => decode({ message: { content: "x" } }, { usage }).usage;
  const counts = (value: Json) => {
    const { promptTokens, completionTokens, totalTokens } = usage(value)!;
    return [promptTokens, completionTokens, totalTokens];
  };
  // Gateways; Gemini's compatible API, which omits thinking.
  const gateway = { prompt_tokens: 20, completion_tokens: 198, total_tokens: 623 };
  assert.deepEqual(counts(gateway), [20, 603, 623]);
  const gemini = { prompt_tokens: 35, completion_tokens: 12, total_tokens: 109 };
  assert.deepEqual(counts(gemini), [35, 74, 109]);
  // Mistral's Voxtral: the tokens of audio are input.
  const voxtral = { prompt_tokens: 9, completion_tokens: 248, total_tokens: 632 };
  assert.deepEqual(counts({ ...voxtral, prompt_audio_seconds: 3 }), [384, 248, 632]);
  assert.deepEqual(counts({ ...voxtral, prompt_audio_seconds: null }), [9, 623, 632]);
  // Cached tokens counted in addition to the prompt.
  const additional = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 115 };
  assert.deepEqual(counts({ ...additional, prompt_tokens_details: { cached_tokens: 100 } }), [
    110,
    5,
    115,
  ]);
  // A missing count, and a wrong total.
  assert.deepEqual(counts({ prompt_tokens: 4, total_tokens: 10 }), [4, 6, 10]);
  assert.deepEqual(counts({ prompt_tokens: 4, completion_tokens: 6, total_tokens: 0 }), [4, 6, 10]);
});

Deno.test("usage is read under each service's names, and impossible counts are ignored", () => {
  const decodeUsage = (usage: Json) => decode({ message: { content: "x" } }, { usage }).usage;
  const base = { prompt_tokens: 50, completion_tokens: 10, total_tokens: 60 };
  // Mistral; Moonshot; DeepSeek; LiteLLM.
  for (
    const cached of [
      { num_cached_tokens: 32 },
      { cached_tokens: 32 },
      { prompt_cache_hit_tokens: 32 },
      { prompt_tokens_details: { cached_tokens: 0 }, cache_read_input_tokens: 32 },
    ]
  ) {
    assert.equal(decodeUsage({ ...base, ...cached })?.cachedTokens, 32, JSON.stringify(cached));
  }
  // Grok on Azure.
  const grok = { ...base, prompt_tokens: 7, total_tokens: 17 };
  const clamped = decodeUsage({ ...grok, prompt_tokens_details: { cached_tokens: 161 } });
  assert.deepEqual([clamped?.promptTokens, clamped?.cachedTokens], [7, 7]);
  const nulls = { prompt_tokens: null, completion_tokens: null, total_tokens: null };
  for (const none of [nulls, {}, { prompt_tokens: -1 }, { total_tokens: "many" }]) {
    assert.equal(decodeUsage(none), null, JSON.stringify(none));
  }
  const negative = decodeUsage({ ...base, prompt_tokens: -5, completion_tokens: 10 });
  assert.deepEqual([negative?.promptTokens, negative?.completionTokens], [50, 10]);
});

Deno.test("streamed usage is found in the last choice, and null usage is none", () => {
  const usage = { prompt_tokens: 9, completion_tokens: 12, total_tokens: 21, cached_tokens: 7 };
  // Moonshot.
  const { total } = stream([
    delta({ content: "x" }, null, { usage: { prompt_tokens: null } }),
    { choices: [{ index: 0, delta: {}, finish_reason: "stop", usage }] },
  ]);
  assert.deepEqual([total.usage?.totalTokens, total.usage?.cachedTokens], [21, 7]);
});

Deno.test("a cost reported by the server is used if it is plausible", () => {
  const cost = (cost: unknown) => decode({ message: { content: "x" } }, { usage: { cost } }).cost;
  assert.equal(cost(0.25), 0.25);
  // Perplexity.
  assert.equal(cost({ input_tokens_cost: 0.1, total_cost: 0.3 }), 0.3);
  for (const wrong of [-5, "1", null]) assert.equal(cost(wrong), undefined);
});

Deno.test("tags are thinking only for models whose thinking can arrive in tags", () => {
  const quoted = "Write </think> to end it.";
  const openai: Endpoint = {
    baseUrl: "",
    apiKey: undefined,
    headers: {},
    service: service("openai"),
  };
  const cases: [model: string, endpoint: Endpoint | undefined, isThinking: boolean][] = [
    ["qwen3", undefined, true],
    ["gpt-oss-20b", undefined, true],
    ["gpt-4o-mini", undefined, false],
    ["anthropic/claude-sonnet-5", { ...openai, service: service("openrouter") }, false],
    ["gemini-3-flash", undefined, false],
    ["any-name", openai, false],
    ["qwen3", { ...openai, openaiModelsOnly: true }, true],
    ["command-a", { ...openai, service: service("cohere") }, false],
    ["DeepSeek-R1", { ...openai, service: service("azure") }, true],
  ];
  for (const [model, endpoint, isThinking] of cases) {
    const expected = isThinking ? "to end it." : quoted;
    const plain = decode({ message: { content: quoted } }, { model }, endpoint);
    const { total } = stream([delta({ content: quoted }, "stop", { model })], endpoint);
    assert.deepEqual([plain.content, total.content], [expected, expected], model);
  }
  // A server with a field for thinking leaves no tags in the text.
  const named = { reasoning_content: "why", content: quoted };
  assert.equal(decode({ message: named }).content, quoted);
  assert.equal(stream([delta(named), STOP]).total.content, quoted);
});

Deno.test("text before a closing tag that was never opened was thinking", () => {
  const { total } = stream(
    ["Let me think.\n", "</thi", "nk>\n\n42"].map((content) => delta({ content })),
  );
  assert.deepEqual([total.thinking, total.content], ["Let me think.", "42"]);
});

Deno.test("citations of each service have one form", () => {
  const url = "https://example.org/a";
  const annotation = {
    type: "url_citation",
    url_citation: { url, title: "A", content: "passage", start_index: 2, end_index: 5 },
  };
  const results = [{ title: "A", url, snippet: "passage" }];
  const cases: [message: Json, rest: Json, expected: Json][] = [
    // OpenAI, OpenRouter.
    [{ annotations: [annotation] }, {}, { url, title: "A", text: "passage", start: 2, end: 5 }],
    // Perplexity, with its search results and without; xAI.
    [{}, { citations: [url], search_results: results }, { url, title: "A", text: "passage" }],
    [{}, { citations: [url] }, { url }],
    // Zhipu.
    [{}, { web_search: [{ link: url, title: "A" }] }, { url, title: "A" }],
    // Mistral.
    [{ content: [{ type: "text", text: "x" }, { type: "reference", reference_ids: [1] }] }, {}, {}],
  ];
  for (const [message, rest, expected] of cases) {
    const whole = { content: "x", ...message };
    const plain = decode({ message: whole, finish_reason: "stop" }, rest);
    // Perplexity repeats all sources in each chunk.
    const { total } = stream([delta(whole, null, rest), delta({}, "stop", rest)]);
    for (const { citations } of [plain, total]) {
      assert.deepEqual(citations?.map(({ raw: _, ...citation }) => citation), [expected]);
      assert.ok(citations![0].raw !== undefined);
    }
  }
  assert.equal(decode({ message: { content: "x", annotations: [] } }).citations, undefined);
});

Deno.test("logprobs are decoded in both forms", () => {
  const content = [
    {
      token: "x",
      logprob: -0.5,
      bytes: [120],
      top_logprobs: [{ token: "y", logprob: -2, bytes: null }],
    },
    { token: "z", logprob: -1, bytes: null, top_logprobs: [] },
  ];
  const expected = [
    {
      token: "x",
      logprob: -0.5,
      bytes: [120],
      topLogprobs: [{ token: "y", logprob: -2, bytes: null }],
    },
    { token: "z", logprob: -1, bytes: null },
  ];
  const message = { content: "xz" };
  const plain = decode({ message, logprobs: { content, refusal: null } });
  assert.deepEqual(plain.logprobs, expected);
  const chunks = content.map((token) => ({
    choices: [{ index: 0, delta: { content: token.token }, logprobs: { content: [token] } }],
  }));
  assert.deepEqual(stream([...chunks, STOP]).total.logprobs, expected);
  // Together.
  const old = decode({ message, logprobs: { tokens: ["x", "z"], token_logprobs: [-0.5, -1] } });
  assert.deepEqual(old.logprobs?.map(({ token, logprob }) => [token, logprob]), [["x", -0.5], [
    "z",
    -1,
  ]]);
});

Deno.test("service-specific fields of messages and calls are sent back", () => {
  // Gemini's compatible API; vLLM; Mistral.
  const signature = { google: { thought_signature: "opaque" } };
  const call = { id: "a", type: "function", function: { name: "f", arguments: "{}" } };
  const content = [
    { type: "thinking", thinking: [{ type: "text", text: "why" }] },
    { type: "text", text: "because" },
  ];
  const cases: [message: Json, expected: Json][] = [
    [{ content: null, tool_calls: [{ ...call, extra_content: signature }] }, {
      tool_calls: [{ ...call, extra_content: signature }],
    }],
    [{ content: "x", reasoning: "why" }, { reasoning: "why" }],
    [{ content }, { content }],
    [{ content: "x", extra_content: signature }, { extra_content: signature }],
    // OpenAI: audio goes back by its id. OpenRouter: parsed files go back as annotations.
    [{ content: null, audio: { id: "audio_1", data: "QUJD", transcript: "hi" } }, {
      audio: { id: "audio_1" },
    }],
    [{ content: "x", annotations: [{ type: "file", file: { hash: "h" } }] }, {
      annotations: [{ type: "file", file: { hash: "h" } }],
    }],
  ];
  for (const [message, expected] of cases) {
    const providerMessage = { format: "chat", content: expected };
    assert.deepEqual(decode({ message }).providerMessage, providerMessage);
    assert.deepEqual(stream([delta(message), STOP]).decoder.providerMessage(), providerMessage);
  }
  for (const message of [{ content: "x", annotations: [], audio: null, executed_tools: [{}] }]) {
    assert.equal(decode({ message }).providerMessage, undefined);
  }
});

Deno.test("raw contains what the events of a stream cannot carry", () => {
  const { decoder } = stream([
    delta({ audio: { id: "audio_1", transcript: "Hel" } }, null, { model: "m" }),
    delta({ audio: { data: "QUJD", transcript: "lo" } }),
    delta({ images: [{ type: "image_url", image_url: { url: "data:image/png;base64,QQ==" } }] }),
    STOP,
  ]);
  assert.deepEqual(decoder.raw, {
    model: "m",
    choices: [{
      index: 0,
      message: {
        audio: { id: "audio_1", transcript: "Hello", data: "QUJD" },
        images: [{ type: "image_url", image_url: { url: "data:image/png;base64,QQ==" } }],
      },
    }],
  });
  assert.equal(stream([delta({ content: "x" }), STOP]).decoder.raw, undefined);
});

Deno.test("the billed service tier is reported", () => {
  assert.equal(decode({ message: { content: "x" } }, { service_tier: "flex" }).serviceTier, "flex");
  const { decoder } = stream([delta({ content: "x" }, "stop", { service_tier: "priority" })]);
  assert.equal(decoder.serviceTier, "priority");
});

Deno.test("empty fields are neither a call nor audio", () => {
  // Recorded answers of Snowflake: every field is present.
  const empty = {
    role: "assistant",
    function_call: { arguments: "", name: "" },
    refusal: "",
    audio: { data: "", expires_at: 0, id: "", transcript: "" },
  };
  const call = {
    custom: { input: "", name: "" },
    function: { arguments: '{"city":"Rome"}', name: "f" },
    id: "t",
    type: "function",
  };
  const plain = decode({ message: { ...empty, content: "4" }, finish_reason: "" });
  assert.deepEqual([plain.toolCalls, plain.content, plain.refusal], [[], "4", null]);
  assert.equal(plain.providerMessage, undefined);
  const { total, decoder } = stream([delta({ ...empty, content: "4" }), STOP]);
  assert.deepEqual([total.toolCalls, total.content], [[], "4"]);
  assert.equal(decoder.providerMessage(), undefined);

  const expected = [{ id: "t", type: "function", function: call.function }];
  const called = decode({ message: { ...empty, content: "", tool_calls: [call] } });
  assert.deepEqual(called.toolCalls, expected);
  const streamed = stream([delta({ ...empty, tool_calls: [{ index: 0, ...call }] }), STOP]);
  assert.deepEqual(streamed.total.toolCalls, expected);
});

Deno.test("text of a model that always thinks is held back until a tag shows what it is", () => {
  const texts = (model: string, pieces: string[], isThinkingRequested = false) => {
    const decoder = openaiChat.streamDecoder(undefined, isThinkingRequested);
    const chunks = [...pieces.map((content) => delta({ content }, null, { model })), STOP];
    return chunks.flatMap((chunk) => decodeEvent(decoder, JSON.stringify(chunk)))
      .filter(({ type }) => type !== "finish");
  };
  const pieces = ["Let me ", "think.\n</th", "ink>\n\n4", "2"];
  const thinking = { type: "thinking", text: "Let me think." };
  const answer = [{ type: "text", text: "4" }, { type: "text", text: "2" }];
  assert.deepEqual(texts("qwen3-4b-thinking-2507", pieces), [thinking, ...answer]);
  // The same holds for a self-hosted model with thinking turned on.
  assert.deepEqual(texts("qwen3", pieces, true), [thinking, ...answer]);
  // Text of models that may not think is emitted immediately, and corrected later.
  assert.equal(texts("qwen3", pieces)[0].type, "text");
  // Without a closing tag, or with a quoted one, the whole text is the answer.
  assert.deepEqual(texts("QwQ-32B", ["Hello ", "world"]), [{ type: "text", text: "Hello world" }]);
  const quoted = [{ type: "text", text: "Write <think>" }, { type: "text", text: " or </think>." }];
  assert.deepEqual(texts("deepseek-r1", ["Write <think>", " or </think>."]), quoted);
});
