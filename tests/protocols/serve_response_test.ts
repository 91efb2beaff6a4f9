/** A protocol's client decodes the results, streams and errors that its server encodes. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { eventsOf, StreamAccumulator, type StreamEvent } from "../../lib/chat/events.ts";
import type { Citation, FinishReason, TokenLogprob } from "../../lib/chat/result.ts";
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

const text = fc.string({ minLength: 1, unit: "grapheme" });
const count = fc.nat(1000);

const toolCall = fc.record({
  id: fc.uuid(),
  type: fc.constant("function" as const),
  function: fc.record({
    name: fc.stringMatching(/^[a-z_]{1,20}$/),
    arguments: fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true })
      .map((value) => JSON.stringify(value)),
  }),
});

const citation = fc.record({ url: fc.webUrl(), title: text });
const logprob = fc.double({ min: -20, max: 0, noNaN: true }).map((value) => value || -1);
const token = fc.record({ token: text, logprob });
const tokens = fc.array(
  fc.record({
    token: text,
    logprob,
    topLogprobs: fc.array(token, { minLength: 1, maxLength: 3 }),
  }),
  { minLength: 1, maxLength: 5 },
);

/** Answers that end in every way. */
function choices(format: Format): fc.Arbitrary<ServerChoice> {
  const hasLogprobs = format !== CLAUDE;
  return fc.record({
    thinking: fc.option(text),
    text: fc.oneof(text, fc.constant("")),
    toolCalls: fc.array(toolCall, { maxLength: 3 }),
    refusal: fc.option(text, { freq: 1 }),
    citations: fc.option(fc.array(citation, { minLength: 1, maxLength: 3 }), { nil: undefined }),
    logprobs: fc.option(hasLogprobs ? tokens : fc.constant(undefined), { nil: undefined }),
    reason: fc.constantFrom<FinishReason>("stop", "length", "content_filter", "other"),
  }).map(({ text, refusal, reason, ...fields }): ServerChoice => {
    if (refusal !== null) {
      const rest = { thinking: fields.thinking, toolCalls: [] };
      return { ...rest, refusal, content: text || refusal, finishReason: "content_filter" };
    }
    const { thinking, toolCalls, logprobs } = fields;
    // The client treats an empty answer with an unknown finish reason as an error.
    const other = text === "" ? "stop" : reason;
    const finishReason = toolCalls.length > 0
      ? reason === "length" ? reason : "tool_calls"
      : reason === "other"
      ? other
      : reason;
    const choice: ServerChoice = {
      content: text,
      thinking,
      toolCalls,
      refusal,
      finishReason,
    };
    if (text !== "" && logprobs !== undefined) choice.logprobs = logprobs;
    if (text !== "" && fields.citations !== undefined) {
      choice.citations = fields.citations.map((citation, i): Citation => ({
        ...citation,
        url: `${citation.url}#${i}`,
        start: 0,
        end: text.length,
        raw: null,
      }));
    }
    return choice;
  });
}

const usages: fc.Arbitrary<Usage> = fc.tuple(count, count, count, count, count)
  .map(([cachedTokens, fresh, cacheWriteTokens, reasoningTokens, written]) => {
    const promptTokens = cachedTokens + fresh + cacheWriteTokens;
    const completionTokens = reasoningTokens + written;
    const totalTokens = promptTokens + completionTokens;
    return {
      promptTokens,
      completionTokens,
      totalTokens,
      cachedTokens,
      cacheWriteTokens,
      reasoningTokens,
    };
  });

type Decoded = Omit<ServerChoice, "providerMessage" | "stopSequence"> & { usage: Usage | null };

function withoutBytes(token: TokenLogprob): TokenLogprob {
  return { token: token.token, logprob: token.logprob, topLogprobs: token.topLogprobs };
}

/** A result in the form that all formats can express. */
function comparable(decoded: Decoded, format: Format) {
  const { usage, citations, logprobs } = decoded;
  // Through JSON, since fast-check makes objects without a prototype.
  return JSON.parse(JSON.stringify({
    content: decoded.content,
    thinking: decoded.thinking,
    toolCalls: decoded.toolCalls,
    refusal: decoded.refusal,
    finishReason: decoded.finishReason,
    citations: citations?.map(({ url, title, start, end }) => ({ url, title, start, end })),
    logprobs: logprobs?.map(withoutBytes),
    usage: usage && {
      ...usage,
      cachedTokens: usage.cachedTokens ?? 0,
      // Gemini does not report it.
      cacheWriteTokens: format === GEMINI ? 0 : usage.cacheWriteTokens ?? 0,
    },
  }));
}

function responseTo(choice: ServerChoice, usage: Usage): ServerResponse {
  return { id: "abc", model: "m", created: 1_700_000_000, choices: [choice], usage };
}

/** A request for a stream or a plain answer, as the server decodes it. */
function requestOf(format: Format, stream: boolean) {
  const messages = [{ role: "user" as const, content: "Hi" }];
  const encode = format.client.encoder(endpoint());
  return receive(format, encode({ model: "m", messages, options: { maxTokens: 10 }, stream }));
}

/** Splits texts into pieces of at most `size` characters. */
function* inPieces(events: readonly StreamEvent[], size: number): Generator<StreamEvent[]> {
  for (const event of events) {
    const field = event.type === "tool_call" ? "arguments" : "text";
    const whole = (event as { text?: string; arguments?: string })[field];
    if (whole === undefined) {
      yield [event];
      continue;
    }
    const pieces = whole.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [""];
    for (const [i, piece] of pieces.entries()) {
      yield i > 0 && event.type === "tool_call"
        ? [{ type: "tool_call", index: event.index, arguments: piece }]
        : [{ ...event, [field]: piece } as StreamEvent];
    }
  }
}

for (const format of FORMATS) {
  const { client, server } = format;
  Deno.test(`${client.name}: a plain answer that the server encodes is decoded unchanged`, () => {
    const request = requestOf(format, false);
    fc.assert(fc.property(choices(format), usages, (choice, usage) => {
      const body = server.encodeResponse(responseTo(choice, usage), request);
      const decoded = client.decode(JSON.parse(JSON.stringify(body)));
      const expected = comparable({ ...choice, usage }, format);
      assert.deepEqual(comparable(decoded, format), expected);
      assert.equal(decoded.model, "m");
    }));
  });

  Deno.test(`${client.name}: a stream that the server encodes is decoded unchanged`, () => {
    const request = requestOf(format, true);
    const size = fc.integer({ min: 1, max: 20 });
    fc.assert(fc.property(choices(format), usages, size, (choice, usage, size) => {
      const response = responseTo(choice, usage);
      const encoder = server.streamEncoder(response, request);
      const decoder = client.streamDecoder();
      const accumulator = new StreamAccumulator();
      const receiveEvents = (events: { data: string }[]) => {
        for (const { data } of events) {
          for (const event of decodeEvent(decoder, data)) accumulator.add(event);
        }
      };
      const events = eventsOf({ ...choice, usage });
      for (const group of inPieces(events, size)) receiveEvents(encoder.push(group));
      assert.equal(decoder.complete, format === CHAT || format === GEMINI);
      receiveEvents(encoder.end());
      assert.ok(decoder.complete);
      const expected = comparable({ ...choice, usage }, format);
      assert.deepEqual(comparable(accumulator.completion(), format), expected);
      assert.equal(decoder.model, "m");
    }));
  });

  Deno.test(`${client.name}: an error that the server encodes is decoded unchanged`, () => {
    const message = "Slow down.";
    const error = server.encodeError({ status: 429, message, retryAfter: 1.5 }, "req_1");
    assert.equal(error.status, 429);
    assert.equal(error.headers["retry-after"], "2");
    assert.equal(error.headers["retry-after-ms"], "1500");
    assert.equal(client.decodeError(error.body)?.message, message);
  });

  Deno.test(`${client.name}: a model list that the server encodes is decoded unchanged`, () => {
    const models = [{ id: "a" }, { id: "b" }];
    const { models: decoded } = client.modelList.decode(server.encodeModels(models));
    assert.deepEqual(decoded.map(({ id }) => id), ["a", "b"]);
  });
}

Deno.test("an answer in the provider's own format is sent unchanged in that format", () => {
  const contents = new Map<Format, unknown>([
    [CHAT, { reasoning_content: "Hm.", reasoning_details: [{ type: "x" }] }],
    [RESPONSES, [
      { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "x" },
      { type: "message", role: "assistant", content: [{ type: "output_text", text: "Hi" }] },
    ]],
    [CLAUDE, [
      { type: "thinking", thinking: "Hm.", signature: "x" },
      { type: "text", text: "Hi" },
    ]],
    [GEMINI, [{ text: "Hi", thoughtSignature: "x" }]],
  ]);
  for (const format of FORMATS) {
    const { client, server } = format;
    const providerMessage = { format: client.name as "chat", content: contents.get(format) };
    const choice: ServerChoice = {
      content: "Hi",
      thinking: "Hm.",
      toolCalls: [],
      refusal: null,
      finishReason: "stop",
      providerMessage,
    };
    const usage = { promptTokens: 1, completionTokens: 1, totalTokens: 2 };
    const body = server.encodeResponse(responseTo(choice, usage), requestOf(format, false));
    assert.deepEqual(client.decode(body).providerMessage, providerMessage);
    // Other formats get the fields of the result instead.
    const other = FORMATS.find((each) => each !== format)!;
    const translated = other.server.encodeResponse(
      responseTo(choice, usage),
      requestOf(other, false),
    );
    const { content, thinking } = other.client.decode(translated);
    assert.deepEqual([content, thinking], ["Hi", "Hm."]);
  }
});
