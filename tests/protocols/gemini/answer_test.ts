/**
 * Answers of the Gemini API, plain and streamed. Wire format: the types of `@google/genai` 3.1
 * (`FinishReason`, `GroundingMetadata`, `LogprobsResult`, `PartialArg`) and the Gemini API reference.
 */
import assert from "node:assert/strict";
import { type Citation, HttpError, LLMClient } from "../../../mod.ts";
import { StreamAccumulator } from "../../../lib/chat/events.ts";
import { decodeResponse } from "../../../lib/protocols/decode_response.ts";
import { gemini } from "../../../lib/protocols/gemini/gemini.ts";
import { decodeEvent } from "../../support/decode_event.ts";

type Part = Record<string, unknown>;

const USAGE = {
  promptTokenCount: 10,
  cachedContentTokenCount: 4,
  candidatesTokenCount: 5,
  thoughtsTokenCount: 3,
  totalTokenCount: 18,
};
const COUNTED = {
  promptTokens: 10,
  completionTokens: 8,
  totalTokens: 18,
  cachedTokens: 4,
  reasoningTokens: 3,
};

function response(parts: Part[], candidate: object = { finishReason: "STOP" }, rest = {}) {
  return { candidates: [{ content: { role: "model", parts }, ...candidate }], ...rest };
}

/** Decodes chunks as a stream. */
function stream(chunks: readonly unknown[]) {
  const decoder = gemini.streamDecoder();
  const total = new StreamAccumulator();
  for (const chunk of chunks) {
    for (const event of decodeEvent(decoder, JSON.stringify(chunk))) total.add(event);
  }
  return { decoder, total };
}

function thrownBy(read: () => unknown): HttpError {
  try {
    read();
  } catch (error) {
    return error as HttpError;
  }
  throw new Error("nothing was thrown");
}

Deno.test("gemini decodes a stream into the same as a plain answer", () => {
  const call = { functionCall: { name: "f", args: { x: 1 } }, thoughtSignature: "sig" };
  const parts = [{ text: "Hm.", thought: true }, { text: "Let me look." }, call];
  const { decoder, total } = stream([
    response([{ text: "Hm", thought: true }], {}, { modelVersion: "m" }),
    response([{ text: ".", thought: true }, { text: "Let me " }], {}),
    response([{ text: "look." }], {}),
    response([call], {}),
    response([], { finishReason: "STOP" }, { usageMetadata: USAGE }),
  ]);
  assert.ok(decoder.complete);
  assert.equal(decoder.model, "m");
  const partial = { content: "Let me look.", thinking: "Hm.", usage: COUNTED };
  assert.deepEqual(total.partial(), partial);
  assert.equal(total.finishReason, "tool_calls");
  assert.deepEqual(decoder.providerMessage(), { format: "gemini", content: parts });
  // The chunks of the stream are merged into one response.
  assert.deepEqual(decoder.raw, {
    modelVersion: "m",
    candidates: [{ content: { role: "model", parts }, finishReason: "STOP" }],
    usageMetadata: USAGE,
  });
});

Deno.test("gemini keeps each signature in its part", () => {
  // Documentation, "Thought signatures": a part with one must not be merged with a part without.
  const parts = [
    { text: "a" },
    { text: "", thoughtSignature: "1" },
    { text: "b", thoughtSignature: "2" },
    { text: "c" },
  ];
  const { decoder, total } = stream([...parts.map((part) => response([part])), response([])]);
  assert.deepEqual(decoder.providerMessage()?.content, parts);
  assert.equal(total.content, "abc");
  assert.deepEqual(gemini.decode(response(parts)).providerMessage?.content, parts);
});

Deno.test("gemini maps every finish reason of the API", () => {
  const text = [{ text: "Hi" }];
  const reasons = {
    STOP: "stop",
    MAX_TOKENS: "length",
    CONTINUATION: "length",
    OTHER: "other",
    NO_IMAGE: "other",
    IMAGE_OTHER: "other",
    SOMETHING_NEW: "other",
    ...Object.fromEntries(
      [
        "SAFETY",
        "RECITATION",
        "LANGUAGE",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "MODEL_ARMOR",
        "JAILBREAK",
      ].map((reason) => [reason, "content_filter"]),
    ),
  };
  for (const [reason, expected] of Object.entries(reasons)) {
    const answer = response(text, { finishReason: reason });
    assert.equal(gemini.decode(answer).finishReason, expected, reason);
    const { decoder, total } = stream([answer]);
    assert.deepEqual([decoder.complete, total.finishReason], [true, expected], reason);
  }
});

Deno.test("gemini's failed answers are errors with a partial result and usage", () => {
  const cases: [reason: string, parts: Part[], retryable: boolean][] = [
    ["MALFORMED_FUNCTION_CALL", [], true],
    ["MALFORMED_FUNCTION_CALL", [{ text: "Let me see" }], true],
    ["MALFORMED_RESPONSE", [{ text: "Let me see" }], true],
    ["UNEXPECTED_TOOL_CALL", [{ functionCall: { name: "nope", args: {} } }], true],
    ["TOO_MANY_TOOL_CALLS", [{ text: "Let me see" }], false],
    ["MISSING_THOUGHT_SIGNATURE", [], false],
    ["OTHER", [], true],
    ["NO_IMAGE", [], true],
  ];
  for (const [reason, parts, retryable] of cases) {
    const last = { finishReason: reason, finishMessage: "call:f{x" };
    const content = parts.map(({ text }) => text ?? "").join("");
    const partial = { content, thinking: null, usage: COUNTED };
    const plain = thrownBy(() => gemini.decode(response(parts, last, { usageMetadata: USAGE })));
    const streamed = thrownBy(() =>
      stream([response(parts, {}), response([], last, { usageMetadata: USAGE })])
    );
    for (const error of [plain, streamed]) {
      assert.ok(error instanceof HttpError, reason);
      assert.deepEqual(
        [error.providerCode, error.retryable, error.fatal, error.status, error.partial],
        [reason, retryable, false, 200, partial],
      );
      assert.match(error.message, /call:f\{x/);
    }
  }
});

Deno.test("a malformed call of gemini is retried, plain and streamed", async () => {
  const failed = response([], { finishReason: "MALFORMED_FUNCTION_CALL" }, {
    usageMetadata: USAGE,
  });
  for (const streamed of [false, true]) {
    const bodies = [{ usageMetadata: USAGE }, failed, response([{ text: "Hi" }])]
      .map((body) => JSON.stringify(body));
    let requests = 0;
    await using client = new LLMClient({
      provider: "gemini",
      model: "gemini-3-flash",
      apiKey: "key",
      retryDelay: 0.001,
      fetch: () => {
        requests++;
        // An earlier chunk with only usage does not start the answer.
        const sent = requests === 1 ? bodies.slice(0, 2) : bodies.slice(2);
        const body = streamed ? sent.map((data) => `data: ${data}\n\n`).join("") : sent.at(-1);
        const type = streamed ? "text/event-stream" : "application/json";
        return Promise.resolve(new Response(body, { headers: { "content-type": type } }));
      },
    });
    const result = streamed
      ? await client.chatCompletionsStream([{ role: "user", content: "hi" }]).finalResult()
      : await client.chatCompletions([{ role: "user", content: "hi" }]);
    assert.deepEqual([result.content, requests], ["Hi", 2]);
  }
});

Deno.test("gemini distinguishes a blocked prompt from a filtered answer", () => {
  const usage = { promptTokens: 7, completionTokens: 0, totalTokens: 7 };
  const blocked = {
    promptFeedback: { blockReason: "MODEL_ARMOR", blockReasonMessage: "No." },
    usageMetadata: { promptTokenCount: 7, totalTokenCount: 7 },
  };
  const partial = {
    content: "",
    thinking: null,
    usage: { ...usage, cachedTokens: 0, reasoningTokens: 0 },
  };
  const expected = { code: "content_blocked", reason: "MODEL_ARMOR", partial, message: /: No\.$/ };
  assert.throws(() => gemini.decode(blocked), expected);
  assert.throws(() => stream([blocked]), expected);
  // In mid-stream, the error has a partial result.
  const late = thrownBy(() => stream([response([{ text: "I" }], {}), blocked]));
  assert.deepEqual([late.code, late.partial?.content], ["content_blocked", "I"]);
  // Protobuf's default value means that nothing was blocked.
  const unspecified = { promptFeedback: { blockReason: "BLOCKED_REASON_UNSPECIFIED" } };
  assert.equal(gemini.decode(response([{ text: "Hi" }], undefined, unspecified)).content, "Hi");

  const last = { finishReason: "PROHIBITED_CONTENT", finishMessage: "Not this." };
  for (const parts of [[], [{ text: "I" }]]) {
    const plain = gemini.decode(response(parts, last, { usageMetadata: USAGE }));
    const { total } = stream([response(parts, last, { usageMetadata: USAGE })]);
    const content = parts.length === 0 ? "Not this." : "I";
    for (const { content: text, refusal, finishReason, usage } of [plain, total]) {
      assert.deepEqual(
        [text, refusal, finishReason, usage],
        [content, "Not this.", "content_filter", COUNTED],
      );
    }
  }
  const silent = gemini.decode({ candidates: [{ finishReason: "RECITATION" }] });
  assert.deepEqual(
    [silent.content, silent.refusal, silent.finishReason, silent.providerMessage],
    ["", null, "content_filter", undefined],
  );
});

Deno.test("a gemini answer without a candidate is a clear error", () => {
  assert.throws(() => gemini.decode({ usageMetadata: USAGE, modelVersion: "m" }), {
    code: "malformed_response",
    retryable: true,
    partial: { content: "", thinking: null, usage: COUNTED },
  });
  for (const body of [{}, [], "text", null]) {
    assert.throws(() => gemini.decode(body), { code: "malformed_response", retryable: false });
  }
});

Deno.test("gemini's usage is complete, and ignores impossible counts", () => {
  const usageOf = (usageMetadata: unknown) => {
    const answer = response([{ text: "Hi" }], undefined, { usageMetadata });
    const { usage } = gemini.decode(answer);
    assert.deepEqual(stream([answer]).total.usage, usage);
    return usage && [usage.promptTokens, usage.completionTokens, usage.totalTokens];
  };
  assert.deepEqual(usageOf(USAGE), [10, 8, 18]);
  assert.deepEqual(
    usageOf({ promptTokenCount: 10, toolUsePromptTokenCount: 90, candidatesTokenCount: 5 }),
    [100, 5, 105],
  );
  // Tokens that only appear in the total count as output.
  assert.deepEqual(
    usageOf({ promptTokenCount: 35, candidatesTokenCount: 12, totalTokenCount: 109 }),
    [35, 74, 109],
  );
  assert.deepEqual(
    usageOf({ promptTokenCount: "10", candidatesTokenCount: "5", totalTokenCount: "15" }),
    [10, 5, 15],
  );
  assert.deepEqual(
    usageOf({ promptTokenCount: 10, candidatesTokenCount: -5, totalTokenCount: null }),
    [10, 0, 10],
  );
  for (const nothing of [{}, null, { trafficType: "ON_DEMAND" }, { promptTokenCount: null }]) {
    assert.equal(usageOf(nothing), null);
  }
  const cached = { promptTokenCount: 7, cachedContentTokenCount: 161 };
  assert.equal(
    gemini.decode(response([], undefined, { usageMetadata: cached })).usage?.cachedTokens,
    7,
  );
});

Deno.test("a later chunk of gemini does not erase earlier counts", () => {
  const { total } = stream([
    response([{ text: "Hi" }], {}, { usageMetadata: USAGE }),
    response([], { finishReason: "STOP" }, {
      usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 9, totalTokenCount: 22 },
    }),
  ]);
  assert.deepEqual(total.usage, { ...COUNTED, completionTokens: 12, totalTokens: 22 });
  const after = stream([response([{ text: "Hi" }]), { usageMetadata: USAGE }]);
  assert.deepEqual(after.total.usage, COUNTED);
});

Deno.test("gemini uses the last chunk's counts if built-in tools took several turns", () => {
  // Recorded: counts of each turn, then of the whole answer with one kind missing.
  const turn = (
    promptTokenCount: number,
    thoughtsTokenCount?: number,
    total?: number,
    n?: number,
  ) =>
    response([{ text: "a" }], {}, {
      usageMetadata: {
        promptTokenCount,
        thoughtsTokenCount,
        candidatesTokenCount: n,
        totalTokenCount: total,
      },
    });
  const { total } = stream([
    turn(9, 78, 102, 15),
    turn(9, undefined, 9),
    turn(9, 35, 65, 21),
    response([], { finishReason: "STOP" }, {
      usageMetadata: { promptTokenCount: 87, thoughtsTokenCount: 78, totalTokenCount: 165 },
    }),
  ]);
  assert.deepEqual(total.usage, {
    promptTokens: 87,
    completionTokens: 78,
    totalTokens: 165,
    cachedTokens: 0,
    reasoningTokens: 78,
  });
});

Deno.test("gemini's finish reasons may also be numbers", () => {
  // Recorded answers to Google's Go and Python clients.
  const kinds = { 1: "stop", 2: "length", 3: "content_filter", 8: "content_filter" };
  for (const [finishReason, expected] of Object.entries(kinds)) {
    const answer = response([{ text: "Hi" }], { finishReason: Number(finishReason) });
    assert.equal(gemini.decode(answer).finishReason, expected);
    const { decoder, total } = stream([answer]);
    assert.deepEqual([total.finishReason, decoder.complete], [expected, true]);
  }
});

Deno.test("gemini reports the billed service tier unless it is the standard one", () => {
  const tierOf = (usage: object) => {
    const answer = response([{ text: "Hi" }], undefined, { usageMetadata: { ...USAGE, ...usage } });
    assert.equal(stream([answer]).decoder.serviceTier, gemini.decode(answer).serviceTier);
    return gemini.decode(answer).serviceTier;
  };
  assert.equal(tierOf({ serviceTier: "flex" }), "flex");
  assert.equal(tierOf({ trafficType: "ON_DEMAND_PRIORITY" }), "priority");
  assert.equal(tierOf({ trafficType: "ON_DEMAND" }), undefined);
  assert.equal(tierOf({ serviceTier: "standard" }), undefined);
});

Deno.test("gemini assembles the pieces of streamed arguments", () => {
  const piece = (functionCall: object, candidate = {}) => response([{ functionCall }], candidate);
  const { decoder, total } = stream([
    response([
      { functionCall: { id: "1", name: "f", willContinue: true }, thoughtSignature: "s" },
    ], {}),
    piece({
      partialArgs: [{ jsonPath: "$.city", stringValue: "Bos", willContinue: true }],
      willContinue: true,
    }),
    piece({ partialArgs: [{ jsonPath: "$.city", stringValue: "ton" }], willContinue: true }),
    piece({
      partialArgs: [
        { jsonPath: "$.days[0].high", numberValue: 3.5 },
        { jsonPath: "$.days[0].rain", boolValue: false },
        { jsonPath: "$.days[1]", nullValue: "NULL_VALUE" },
        { jsonPath: "$['a.b']", numberValue: 0 },
        { jsonPath: "$.none[]" },
        { jsonPath: "$.empty" },
        { jsonPath: "$.far[4000000000]", numberValue: 1 },
        { jsonPath: "$.__proto__.x", numberValue: 1 },
      ],
    }),
    piece({}),
    piece({ name: "g" }),
    piece({ name: "h", partialArgs: [{ jsonPath: "$.x", stringValue: "" }] }),
    response([], { finishReason: "STOP" }),
  ]);
  assert.deepEqual(total.toolCalls.map(({ id, function: { name } }) => [id, name]), [
    ["1", "f"],
    ["call_1", "g"],
    ["call_2", "h"],
  ]);
  const args = '{"city":"Boston","days":[{"high":3.5,"rain":false},null],"a.b":0,"none":[],' +
    '"empty":{},"far":[],"__proto__":{"x":1}}';
  assert.deepEqual(total.toolCalls.map((call) => call.function.arguments), [
    args,
    "{}",
    '{"x":""}',
  ]);
  assert.equal(total.finishReason, "tool_calls");
  assert.deepEqual(decoder.providerMessage()?.content, [
    { functionCall: { id: "1", name: "f", args: JSON.parse(args) }, thoughtSignature: "s" },
    { functionCall: { name: "g" } },
    { functionCall: { name: "h", args: { x: "" } } },
  ]);
});

Deno.test("gemini makes ids that are unique across answers if Google sends none", () => {
  const idOf = (responseId: string | undefined) =>
    gemini.decode(response([{ functionCall: { name: "f" } }], undefined, { responseId }))
      .toolCalls[0].id;
  assert.equal(idOf(undefined), "call_0");
  assert.match(idOf("aB-3_x.=/" + "y".repeat(50)), /^call_[\w-]+_0$/);
  assert.notEqual(idOf("aB-3"), idOf("aB-4"));
  assert.ok(idOf("y".repeat(50)).length <= 40, "OpenAI takes ids of 40 characters at most");
});

Deno.test("gemini answers in snake case, with several choices, and without alt=sse are decoded", () => {
  const snake = {
    model_version: "m",
    candidates: [
      { index: 1, content: { parts: [{ text: "no" }] }, finish_reason: "STOP" },
      {
        content: { parts: [{ function_call: { name: "f", args: { my_key: 1 } } }] },
        finish_reason: "STOP",
      },
    ],
    usage_metadata: { prompt_token_count: 3, candidates_token_count: 2 },
  };
  const { decoder, total } = stream([snake]);
  const plain = gemini.decode(snake);
  for (const { toolCalls, usage, content } of [plain, total]) {
    assert.equal(toolCalls[0].function.arguments, '{"my_key":1}');
    assert.deepEqual([usage?.totalTokens, content], [5, ""]);
  }
  assert.deepEqual([plain.model, decoder.model], ["m", "m"]);
  const list = [response([{ text: "a" }], {}), response([{ text: "b" }])];
  const read = (body: unknown) =>
    decodeResponse(gemini, { status: 200, headers: new Headers(), body: JSON.stringify(body) });
  assert.equal(read(list).completion.content, "ab");
  const error = thrownBy(() => read([list[0], { error: { code: 503, message: "overloaded" } }]));
  assert.deepEqual([error.status, error.partial?.content], [503, "a"]);
});

Deno.test("an error in the middle of gemini's stream has a partial result", () => {
  const error = thrownBy(() =>
    stream([
      response([{ text: "Hi" }], {}, { usageMetadata: USAGE }),
      { error: { code: 500, message: "Internal", status: "INTERNAL" } },
    ])
  );
  assert.deepEqual([error.status, error.retryable, error.partial], [500, true, {
    content: "Hi",
    thinking: null,
    usage: COUNTED,
  }]);
});

/** The citations, with the text that they point to. */
function placesOf(content: string, citations: Citation[] | undefined) {
  return citations?.map(({ url, title, text, start, end }) => ({
    url,
    title,
    text,
    at: start === undefined ? undefined : content.slice(start, end),
  }));
}

const encoder = new TextEncoder();

/** The segment of `text` in `part`, in bytes. */
function segmentOf(part: string, text: string, partIndex?: number) {
  const startIndex = encoder.encode(part.slice(0, part.indexOf(text))).length;
  return {
    // Protobuf omits zeros.
    startIndex: startIndex || undefined,
    endIndex: startIndex + encoder.encode(text).length,
    partIndex,
    text,
  };
}

Deno.test("gemini's citations point to the text, whatever its characters", () => {
  const content = "Größe: 3 m 🗻. Höhe: 4 m.";
  const groundingMetadata = {
    webSearchQueries: ["x"],
    groundingChunks: [
      { web: { uri: "https://a", title: "A", domain: "a" } },
      { retrievedContext: { uri: "gs://b", title: "B", text: "the passage" } },
      { web: { uri: "https://c", title: "C" } },
      { maps: { uri: "https://d", title: "D" } },
    ],
    groundingSupports: [
      { segment: segmentOf(content, "Größe: 3 m 🗻."), groundingChunkIndices: [0, 1] },
      { segment: segmentOf(content, "Höhe: 4 m."), groundingChunkIndices: [3, 9] },
      { segment: { startIndex: 1, endIndex: 900, text: "not there" }, groundingChunkIndices: [0] },
    ],
  };
  const urlContextMetadata = {
    urlMetadata: [
      { retrievedUrl: "https://a", urlRetrievalStatus: "URL_RETRIEVAL_STATUS_SUCCESS" },
      { retrievedUrl: "https://e", urlRetrievalStatus: "URL_RETRIEVAL_STATUS_SUCCESS" },
      { retrievedUrl: "https://f", urlRetrievalStatus: "URL_RETRIEVAL_STATUS_ERROR" },
    ],
  };
  const quote = { ...segmentOf(content, "4 m"), text: undefined, uri: "https://q", title: "Q" };
  const citationMetadata = { citations: [quote] };
  const metadata = { groundingMetadata, urlContextMetadata, citationMetadata };
  const a = { url: "https://a", title: "A", text: undefined };
  const expected = [
    { ...a, at: "Größe: 3 m 🗻." },
    { url: "gs://b", title: "B", text: "the passage", at: "Größe: 3 m 🗻." },
    { url: "https://d", title: "D", text: undefined, at: "Höhe: 4 m." },
    { ...a, at: undefined },
    { url: "https://q", title: "Q", text: undefined, at: "4 m" },
    { url: "https://c", title: "C", text: undefined, at: undefined },
    { url: "https://e", title: undefined, text: undefined, at: undefined },
  ];
  const plain = gemini.decode(response([{ text: content }], { ...metadata, finishReason: "STOP" }));
  assert.deepEqual(placesOf(content, plain.citations), expected);
  assert.deepEqual(plain.citations?.[0].raw, {
    groundingSupport: groundingMetadata.groundingSupports[0],
    groundingChunk: groundingMetadata.groundingChunks[0],
  });
  // Streams repeat metadata, send it with empty text, and count from the start of the answer.
  const { groundingSupports: _, ...early } = groundingMetadata;
  const chunks = [
    response([{ text: "Hm", thought: true }, { text: content.slice(0, 8) }], {
      groundingMetadata: early,
    }),
    response([{ text: content.slice(8) }], { ...metadata, groundingMetadata: {} }),
    response([{ text: "" }], { groundingMetadata, finishReason: "STOP" }),
    response([], { groundingMetadata }),
  ];
  const { total, decoder } = stream(chunks);
  const sorted = (places: unknown[] | undefined) => places?.map((p) => JSON.stringify(p)).sort();
  assert.deepEqual(sorted(placesOf(content, total.citations)), sorted(expected));
  const [candidate] = (decoder.raw as ReturnType<typeof response>).candidates as Part[];
  assert.deepEqual(candidate.groundingMetadata, JSON.parse(JSON.stringify(groundingMetadata)));
  assert.deepEqual(candidate.citationMetadata, JSON.parse(JSON.stringify(citationMetadata)));
});

Deno.test("gemini's citations count from the start of their part", () => {
  const parts = [{ text: "Thinking", thought: true }, { text: "Ä. " }, { text: "Ä is a letter." }];
  const support = {
    segment: segmentOf("Ä is a letter.", "Ä is", 2),
    groundingChunkIndices: [0],
  };
  const groundingMetadata = {
    groundingChunks: [{ web: { uri: "https://a" } }],
    groundingSupports: [support],
  };
  const answer = response(parts, { groundingMetadata, finishReason: "STOP" });
  const { content, citations } = gemini.decode(answer);
  assert.deepEqual([citations?.[0].start, citations?.[0].end], [3, 7]);
  assert.equal(content.slice(3, 7), "Ä is");
});

Deno.test("gemini's log probabilities are decoded, plain and streamed", () => {
  const logprobsResult = (...tokens: string[]) => ({
    chosenCandidates: tokens.map((token) => ({ token, tokenId: 1, logProbability: -0.5 })),
    topCandidates: tokens.map((token) => ({
      candidates: [{ token, logProbability: -0.5 }, { token: "x" }],
    })),
  });
  const token = (token: string) => ({
    token,
    logprob: -0.5,
    topLogprobs: [{ token, logprob: -0.5 }, { token: "x", logprob: 0 }],
  });
  const expected = [token("Hi"), token("!")];
  const whole = response([{ text: "Hi!" }], {
    finishReason: "STOP",
    logprobsResult: logprobsResult("Hi", "!"),
  });
  assert.deepEqual(gemini.decode(whole).logprobs, expected);
  const { total, decoder } = stream([
    response([{ text: "Hi" }], { logprobsResult: logprobsResult("Hi") }),
    response([{ text: "!" }], { logprobsResult: logprobsResult("!"), finishReason: "STOP" }),
  ]);
  assert.deepEqual(total.logprobs, expected);
  assert.deepEqual(decoder.raw, whole);
});

Deno.test("gemini keeps images and the results of its own tools, for the next turn and in raw", () => {
  const parts = [
    { toolCall: { id: "t", toolType: "GOOGLE_SEARCH_WEB", args: { queries: ["x"] } } },
    { toolResponse: { id: "t", toolType: "GOOGLE_SEARCH_WEB", response: { a_b: 1 } } },
    { executableCode: { language: "PYTHON", code: "print(1)" } },
    { codeExecutionResult: { outcome: "OUTCOME_OK", output: "1\n" } },
    { inlineData: { mimeType: "image/png", data: "QUJD" }, thoughtSignature: "s" },
    { text: "Done." },
  ];
  const plain = gemini.decode(response(parts));
  assert.deepEqual([plain.content, plain.toolCalls], ["Done.", []]);
  assert.deepEqual(plain.providerMessage?.content, parts);
  const { decoder, total } = stream([...parts.map((part) => response([part], {})), response([])]);
  assert.deepEqual([total.content, total.toolCalls], ["Done.", []]);
  assert.deepEqual(decoder.providerMessage()?.content, parts);
  assert.deepEqual(decoder.raw, response(parts));
});
