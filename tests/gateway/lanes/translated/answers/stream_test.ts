/** How translated streams begin and end, and what they do with errors. */
import assert from "node:assert/strict";
import { ConnectionError, HttpError, MalformedResponseError } from "../../../../../lib/errors.ts";
import type { GatewayCall } from "../../../../../lib/gateway/gateway_call.ts";
import { translatedLane } from "../../../../../lib/gateway/lanes/translated/translated.ts";
import type { LaneRequest, LaneStream } from "../../../../../lib/gateway/lane.ts";
import { asObject, asObjects, type Json } from "../../../../../lib/json/json.ts";
import { JSON_ARRAY } from "../../../../../lib/protocols/event_framing.ts";
import {
  callOf,
  CLIENTS,
  PROVIDERS,
  requestTo,
  type TestClient,
  type TestProvider,
} from "./translated_call.ts";
import { decodeEvent } from "../../../../support/decode_event.ts";

const [CHAT, RESPONSES, CLAUDE, GEMINI] = CLIENTS;
const [FROM_CHAT, , FROM_CLAUDE] = PROVIDERS;
const SSE = new Headers({ "content-type": "text/event-stream" });
const data = (event: unknown) => `data: ${JSON.stringify(event)}\n\n`;
const chunk = (delta: Json, finish_reason: string | null = null) =>
  data({ id: "c", choices: [{ index: 0, delta, finish_reason }] });

interface Opened {
  stream: LaneStream;
  push(text: string): string;
  end(): string;
}

function open(call: GatewayCall, request: LaneRequest, headers = SSE): Opened {
  const stream = translatedLane.stream(call, request, headers);
  const read = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);
  return {
    stream,
    push: (text) => read(stream.push(new TextEncoder().encode(text))),
    end: () => read(stream.end()),
  };
}

function opened(client: TestClient, provider: TestProvider): Opened {
  return open(callOf(client, true), requestTo(provider));
}

for (const client of [RESPONSES, CLAUDE, GEMINI]) {
  Deno.test(`${client.name}: an error before any content leaves the call to the caller`, () => {
    const { stream, push, end } = opened(client, FROM_CHAT);
    push(chunk({ role: "assistant", content: "" }));
    assert.equal(push(data({ error: { message: "Busy.", code: 429 } })), "");
    assert.ok(stream.failure instanceof HttpError);
    assert.equal(stream.failure.status, 429);
    assert.deepEqual([stream.hasContent, stream.ended, stream.completed], [false, true, undefined]);
    assert.equal(end(), "");
  });

  Deno.test(`${client.name}: a broken connection ends with an error event`, () => {
    const { stream, push } = opened(client, FROM_CHAT);
    push(chunk({ content: "Hal" }));
    assert.ok(stream.hasContent);
    const last = new TextDecoder().decode(stream.fail(new ConnectionError("reset by peer")));
    assert.match(last, /reset by peer/);
    assert.ok(stream.failure instanceof ConnectionError);
    assert.equal(stream.failure.partial?.content, "Hal");
    assert.equal(push(chunk({ content: "lo" })), "");
  });

  Deno.test(`${client.name}: a plain answer to a request for a stream is streamed`, () => {
    const headers = new Headers({ "content-type": "application/json" });
    const { stream, push, end } = open(callOf(client, true), requestTo(FROM_CHAT), headers);
    const body = FROM_CHAT.traffic.tools.plain!;
    assert.equal(push(body.slice(0, 50)) + push(body.slice(50)), "");
    const text = end();
    const decoder = client.format.client.streamDecoder();
    for (const [, event] of text.matchAll(/^data: (.*)$/mg)) decodeEvent(decoder, event);
    assert.ok(decoder.complete);
    assert.equal(stream.received.toolCalls.length, 2);
    assert.equal(stream.completed?.model, "deepseek-v4-pro");
  });
}

Deno.test("each piece of the provider's text is sent at once", () => {
  const { push } = opened(CLAUDE, FROM_CHAT);
  for (const text of ["a", "b", "c"]) {
    assert.ok(push(chunk({ content: text })).includes(`"text":"${text}"`));
  }
});

Deno.test("Gemini's JSON array is complete even if the answer is not", () => {
  const call = callOf(GEMINI, true);
  const context = { ...call.context, framing: JSON_ARRAY };
  const { push, end } = open({ ...call, context }, requestTo(FROM_CLAUDE));
  const text = push(FROM_CLAUDE.traffic.truncated.stream) + end();
  const array = asObjects(JSON.parse(text));
  assert.equal(array.length, 3);
  assert.equal(asObject(array[2].error)?.code, 502);
});

Deno.test("errors of the provider don't show its key", () => {
  const { push, stream } = opened(CLAUDE, FROM_CHAT);
  push(chunk({ content: "x" }));
  const text = push(data({ error: { message: "bad key sk-secret", code: 500 } }));
  assert.ok(stream.failure !== undefined);
  assert.ok(!text.includes("sk-secret"));
  assert.ok(!stream.failure.message.includes("sk-secret"));
});

Deno.test("bytes that are no stream at all are an error", () => {
  const { push, end, stream } = opened(CLAUDE, FROM_CHAT);
  assert.equal(push("<html>Sign in</html>") + end(), "");
  assert.ok(stream.failure !== undefined);
  const empty = opened(CLAUDE, FROM_CHAT);
  assert.equal(empty.end(), "");
  assert.ok(empty.stream.failure instanceof MalformedResponseError);
});

Deno.test("thinking is only sent to clients that request it", () => {
  const call = callOf(CLAUDE, true, { thinking: { type: "disabled" } });
  const { push } = open(call, requestTo(FROM_CHAT));
  assert.equal(push(chunk({ reasoning_content: "Hm." })), "");
  assert.match(push(chunk({ content: "Hi" })), /"index":0.*text_delta/s);
});

Deno.test("what the cache and the bill need is the same as without a client", () => {
  const { push, end, stream } = opened(CHAT, FROM_CLAUDE);
  push(FROM_CLAUDE.traffic.tools.stream);
  end();
  const { content, thinking, toolCalls, usage } = stream.received;
  assert.equal(content, "Checking.");
  assert.equal(thinking, "Let me see.");
  assert.deepEqual(toolCalls.map(({ id }) => id), ["toolu_a1", "toolu_b2"]);
  assert.deepEqual([usage?.promptTokens, usage?.cachedTokens, usage?.cacheWriteTokens], [
    100,
    60,
    10,
  ]);
  assert.equal(stream.completed?.providerMessage?.format, "claude");
  assert.equal(stream.completed?.model, "claude-opus-5");
});
