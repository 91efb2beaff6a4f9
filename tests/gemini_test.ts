/** Wire format: Gemini API reference, "generateContent", "streamGenerateContent", "Thinking". */
import assert from "node:assert/strict";
import type { Message, SamplingOptions } from "../mod.ts";
import { StreamAccumulator } from "../lib/chat/stream_events.ts";
import { decodeAnswer } from "../lib/providers/answer.ts";
import { gemini } from "../lib/providers/gemini.ts";

function encode(options: SamplingOptions = {}, model = "gemini-3-flash", messages?: Message[]) {
  const encoder = gemini.encoder({ baseUrl: "https://host/v1beta", apiKey: "key", headers: {} });
  const { url, headers, body } = encoder({
    model,
    messages: messages ?? [{ role: "user", content: "hi" }],
    options,
    stream: false,
  });
  return { url, headers, body: JSON.parse(body!) };
}

Deno.test("gemini encodes a conversation with images, tools and their results", () => {
  const options: SamplingOptions = {
    temperature: 0.5,
    maxTokens: 50,
    stop: "END",
    tools: [{ type: "function", function: { name: "f", parameters: { type: "object" } } }],
    toolChoice: { type: "function", function: { name: "f" } },
    responseFormat: { type: "json_schema", json_schema: { name: "x", schema: { type: "object" } } },
  };
  const { url, headers, body } = encode(options, "models/gemini-3-flash", [
    { role: "system", content: "Be brief." },
    {
      role: "user",
      content: [
        { type: "text", text: "What is this?" },
        { type: "image_url", image_url: { url: "data:image/png;base64,QUJD" } },
      ],
    },
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id: "a", type: "function", function: { name: "f", arguments: '{"x":1}' } }],
    },
    { role: "tool", tool_call_id: "a", content: "one" },
  ]);
  assert.equal(url, "https://host/v1beta/models/gemini-3-flash:generateContent");
  assert.equal(headers["x-goog-api-key"], "key");
  assert.deepEqual(body, {
    systemInstruction: { parts: [{ text: "Be brief." }] },
    contents: [
      {
        role: "user",
        parts: [{ text: "What is this?" }, { inlineData: { mimeType: "image/png", data: "QUJD" } }],
      },
      { role: "model", parts: [{ functionCall: { id: "a", name: "f", args: { x: 1 } } }] },
      {
        role: "user",
        parts: [{ functionResponse: { id: "a", name: "f", response: { output: "one" } } }],
      },
    ],
    tools: [{ functionDeclarations: [{ name: "f", parametersJsonSchema: { type: "object" } }] }],
    toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["f"] } },
    generationConfig: {
      maxOutputTokens: 50,
      temperature: 0.5,
      stopSequences: ["END"],
      responseMimeType: "application/json",
      responseJsonSchema: { type: "object" },
    },
  });
});

Deno.test("gemini asks each generation to think in its own words", () => {
  const cases: [model: string, thinking: SamplingOptions["thinking"], expected: unknown][] = [
    ["gemini-2.5-flash", true, { includeThoughts: true, thinkingBudget: -1 }],
    ["gemini-2.5-flash", false, { thinkingBudget: 0 }],
    ["gemini-2.5-pro", 2000, { includeThoughts: true, thinkingBudget: 2000 }],
    ["gemini-3-flash", "minimal", { includeThoughts: true, thinkingLevel: "MINIMAL" }],
    ["gemini-3-pro", "high", { includeThoughts: true, thinkingLevel: "HIGH" }],
    ["gemini-4-argon", true, { includeThoughts: true }],
    ["gemini-2.0-flash", false, undefined],
  ];
  for (const [model, thinking, expected] of cases) {
    const { generationConfig } = encode({ thinking }, model).body;
    assert.deepEqual(generationConfig?.thinkingConfig, expected, model);
  }
});

Deno.test("gemini names what a model cannot do, before anything is sent", () => {
  const cases: [SamplingOptions, string, RegExp][] = [
    [{ thinking: false }, "gemini-2.5-pro", /thinking: false/],
    [{ thinking: false }, "gemini-3-flash", /thinking: false/],
    [{ thinking: 1000 }, "gemini-3-flash", /thinking as a number/],
    [{ thinking: "minimal" }, "gemini-3-pro", /does not know the level "minimal"/],
    [{ thinking: true }, "gemini-2.0-flash", /does not accept the option thinking/],
    [{ temperature: 1 }, "gemini-4-argon", /temperature/],
    [{ parallelToolCalls: false }, "gemini-3-flash", /parallelToolCalls/],
  ];
  for (const [options, model, pattern] of cases) {
    assert.throws(() => encode(options, model), pattern);
  }
  const lost: Message[] = [{ role: "tool", tool_call_id: "nobody", content: "x" }];
  assert.throws(() => encode({}, "gemini-3-flash", lost), { code: "invalid_input" });
});

const PARTS = [
  { text: "Hm.", thought: true },
  { text: "Let me look." },
  { functionCall: { name: "f", args: { x: 1 } }, thoughtSignature: "sig" },
  { functionCall: { id: "g1", name: "g", args: {} } },
];
const USAGE = {
  promptTokenCount: 10,
  cachedContentTokenCount: 4,
  candidatesTokenCount: 5,
  thoughtsTokenCount: 3,
  totalTokenCount: 18,
};
const DECODED = {
  usage: {
    promptTokens: 10,
    completionTokens: 8,
    totalTokens: 18,
    cachedTokens: 4,
    reasoningTokens: 3,
  },
  toolCalls: [
    { id: "call_0", type: "function", function: { name: "f", arguments: '{"x":1}' } },
    { id: "g1", type: "function", function: { name: "g", arguments: "{}" } },
  ],
};

Deno.test("gemini decodes thoughts, text, parallel calls, and sends their parts back unchanged", () => {
  const decoded = gemini.decode({
    modelVersion: "gemini-3-flash",
    candidates: [{ content: { role: "model", parts: PARTS }, finishReason: "STOP" }],
    usageMetadata: USAGE,
  });
  assert.deepEqual(decoded, {
    content: "Let me look.",
    thinking: "Hm.",
    ...DECODED,
    finishReason: "tool_calls",
    model: "gemini-3-flash",
    native: { format: "gemini", content: PARTS },
  });
  const { body } = encode({}, "gemini-3-flash", [
    { role: "user", content: "hi" },
    { role: "assistant", content: null, tool_calls: decoded.toolCalls, native: decoded.native },
    { role: "tool", tool_call_id: "call_0", content: "one" },
    { role: "tool", tool_call_id: "g1", content: "two" },
  ]);
  assert.deepEqual(body.contents[1], { role: "model", parts: PARTS });
  // An id that we made up is not Google's to know.
  assert.deepEqual(body.contents[2].parts, [
    { functionResponse: { name: "f", response: { output: "one" } } },
    { functionResponse: { id: "g1", name: "g", response: { output: "two" } } },
  ]);
});

Deno.test("gemini decodes a stream into the same as a plain answer", () => {
  const decoder = gemini.streamDecoder();
  const total = new StreamAccumulator();
  const chunk = (parts: object[], finishReason?: string) => ({
    modelVersion: "gemini-3-flash",
    candidates: [{ content: { parts }, finishReason }],
    usageMetadata: USAGE,
  });
  const chunks = [
    chunk([{ text: "Hm", thought: true }]),
    chunk([{ text: ".", thought: true }, { text: "Let me " }]),
    chunk([{ text: "look." }]),
    chunk(PARTS.slice(2)),
    chunk([], "STOP"),
  ];
  for (const each of chunks) {
    for (const event of decoder.push(JSON.stringify(each))) total.add(event);
  }
  assert.ok(decoder.complete);
  assert.deepEqual(total.partial(), { content: "Let me look.", thinking: "Hm." });
  assert.deepEqual(total.toolCalls, DECODED.toolCalls);
  assert.deepEqual(total.usage, DECODED.usage);
  assert.equal(total.finishReason, "tool_calls");
  assert.deepEqual(decoder.native(), { format: "gemini", content: PARTS });
});

Deno.test("gemini tells a blocked prompt from a filtered answer", () => {
  const blocked = { promptFeedback: { blockReason: "SAFETY" } };
  assert.throws(() => gemini.decode(blocked), { code: "content_blocked", reason: "SAFETY" });
  assert.throws(() => gemini.streamDecoder().push(JSON.stringify(blocked)), {
    code: "content_blocked",
  });
  const filtered = gemini.decode({ candidates: [{ finishReason: "RECITATION" }] });
  assert.deepEqual([filtered.content, filtered.finishReason], ["", "content_filter"]);
});

Deno.test("gemini's errors are what they mean", () => {
  const errorOf = (status: number, error: object): unknown => {
    try {
      decodeAnswer(gemini, { status, headers: new Headers(), body: JSON.stringify({ error }) });
    } catch (thrown) {
      const { code, retryAfter } = thrown as { code: string; retryAfter?: number };
      return { code, retryAfter };
    }
  };
  const message = "no";
  const badKey = { code: 400, message, details: [{ reason: "API_KEY_INVALID" }] };
  assert.deepEqual(errorOf(400, badKey), { code: "authentication", retryAfter: undefined });
  const perMinute = {
    code: 429,
    message,
    status: "RESOURCE_EXHAUSTED",
    details: [{ violations: [{ quotaId: "RequestsPerMinutePerProject" }] }, { retryDelay: "34s" }],
  };
  assert.deepEqual(errorOf(429, perMinute), { code: "rate_limit", retryAfter: 34 });
  const perDay = {
    ...perMinute,
    details: [{ violations: [{ quotaId: "RequestsPerDayPerProject" }] }],
  };
  assert.deepEqual(errorOf(429, perDay), { code: "quota_exceeded", retryAfter: undefined });
});
