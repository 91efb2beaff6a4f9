/** Streams of the native lane: the provider's own bytes, and a reader that changes nothing. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { HttpError, MalformedResponseError, TimeoutError } from "../../../../lib/errors.ts";
import { nativeLane } from "../../../../lib/gateway/lanes/native/native_lane.ts";
import type { LaneStream } from "../../../../lib/gateway/lane.ts";
import type { Json } from "../../../../lib/json/json.ts";
import { JSON_ARRAY } from "../../../../lib/protocols/event_framing.ts";
import { type CallOptions, gatewayCall, gatewayEndpoint } from "../../../support/gateway_calls.ts";
import {
  CHAT_STREAM,
  chunk,
  CLAUDE_STREAM,
  GEMINI_CHUNKS,
  GEMINI_STREAM,
  RESPONSES_STREAM,
  sse,
  STREAMED_TEXT,
  STREAMS,
} from "../../../support/native_streams.ts";
import { CHAT, CLAUDE, type Format, GEMINI, RESPONSES } from "../../../support/serve_formats.ts";

const SECRET = "sk-provider-secret";
const ENDPOINTS = {
  chat: gatewayEndpoint({ baseUrl: "http://localhost:8000/v1", apiKey: SECRET, model: "m" }),
  responses: gatewayEndpoint({ provider: "openai", apiKey: SECRET, model: "m" }),
  claude: gatewayEndpoint({ provider: "claude", apiKey: SECRET, model: "m" }),
  gemini: gatewayEndpoint({ provider: "gemini", apiKey: SECRET, model: "m" }),
};

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

const BODIES: Record<string, Json> = {
  chat: { messages: [{ role: "user", content: "Hi" }] },
  responses: { input: "Hi" },
  claude: { max_tokens: 9, messages: [{ role: "user", content: "Hi" }] },
  gemini: { contents: [{ role: "user", parts: [{ text: "Hi" }] }] },
};

function open(format: Format, options: CallOptions = {}, headers: HeadersInit = {}): LaneStream {
  const { name } = format.client;
  const body = { model: "m", stream: true, ...BODIES[name] };
  const call = gatewayCall(format, body, { stream: true, ...options });
  const request = nativeLane.encode(call, ENDPOINTS[name as keyof typeof ENDPOINTS]);
  return nativeLane.stream(call, request, new Headers(headers));
}

/** Passes `text` through in chunks of `size` bytes. */
function passChunks(stream: LaneStream, text: string, size = Infinity): string {
  const bytes = bytesOf(text);
  let passed = "";
  for (let at = 0; at < bytes.length && !stream.ended; at += size) {
    passed += textOf(stream.push(bytes.slice(at, Math.min(bytes.length, at + size))));
  }
  return passed;
}

const pass = (stream: LaneStream, text: string, size?: number) =>
  passChunks(stream, text, size) + (stream.ended ? "" : textOf(stream.end()));

for (const { format, events, before, complete } of STREAMS) {
  const { name } = format.client;
  const whole = events.join("");

  Deno.test(`${name} streams pass unchanged in chunks of any size`, () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), (size) => {
        const stream = open(format);
        assert.equal(pass(stream, whole, size), whole);
        assert.equal(stream.failure, undefined);
        assert.equal(stream.received.content, STREAMED_TEXT);
        assert.equal(stream.received.usage?.promptTokens, 9);
        assert.equal(stream.received.usage?.completionTokens, 3);
        assert.equal(stream.received.finishReason, "stop");
        assert.ok(stream.completed?.model);
      }),
      { numRuns: 60 },
    );
  });

  Deno.test(`${name} streams are cut only between events`, () => {
    const stream = open(format);
    const bytes = bytesOf(whole);
    for (let at = 0; at < bytes.length && !stream.ended; at += 7) {
      const passed = textOf(stream.push(bytes.slice(at, at + 7)));
      assert.ok(passed === "" || /\n\r?\n$/.test(passed), passed);
    }
  });

  Deno.test(`${name} chunks of whole events are passed on as they are`, () => {
    const stream = open(format);
    for (const [index, event] of events.entries()) {
      assert.equal(textOf(stream.push(bytesOf(event))), event);
      assert.equal(stream.hasContent, index >= before, `after event ${index}`);
    }
  });

  Deno.test(`${name} streams that end early end with an error`, () => {
    const bytes = bytesOf(whole);
    const needed = bytesOf(events.slice(0, complete).join("")).length;
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: needed - 8 }),
        fc.integer({ min: 1, max: 200 }),
        (length, size) => {
          const stream = open(format);
          let passed = "";
          for (let at = 0; at < length; at += size) {
            passed += textOf(stream.push(bytes.slice(at, Math.min(length, at + size))));
          }
          const last = textOf(stream.end());
          assert.ok(stream.failure instanceof MalformedResponseError, String(stream.failure));
          assert.ok(stream.failure.retryable);
          assert.equal(stream.completed, undefined);
          assert.ok(whole.startsWith(passed));
          assert.match(last, /^(event: error\n)?data: \{.*before the answer was complete.*\}\n\n$/);
          assert.doesNotMatch(passed + last, /\[DONE\]|message_stop|response\.completed/);
        },
      ),
      { numRuns: 60 },
    );
  });

  Deno.test(`${name} connections that break end with an error event`, () => {
    const stream = open(format);
    stream.push(bytesOf(events.slice(0, before + 1).join("")));
    const event = textOf(stream.fail(new TimeoutError("no further event within 60 s", 60)));
    assert.match(event, /^(event: error\n)?data: \{.*no further event within 60 s.*\}\n\n$/);
    assert.ok(stream.failure instanceof TimeoutError);
    assert.equal(stream.completed, undefined);
  });
}

const ERRORS: readonly [Format, string, string][] = [
  [
    CHAT,
    CHAT_STREAM.events.slice(0, 3).join(""),
    sse({ error: { message: "Overloaded", code: 503 } }),
  ],
  [
    CLAUDE,
    CLAUDE_STREAM.events.slice(0, 4).join(""),
    sse({ type: "error", error: { type: "overloaded_error", message: "Overloaded" } }, "error"),
  ],
  [
    RESPONSES,
    RESPONSES_STREAM.events.slice(0, 6).join(""),
    sse({ type: "error", code: "server_error", message: "Overloaded" }, "error"),
  ],
  [
    GEMINI,
    GEMINI_STREAM.events.slice(0, 2).join(""),
    sse({ error: { code: 503, message: "Overloaded", status: "UNAVAILABLE" } }),
  ],
];

for (const [format, start, error] of ERRORS) {
  const { name } = format.client;

  Deno.test(`${name} errors before the content are for the gateway only`, () => {
    const stream = open(format);
    assert.equal(textOf(stream.push(bytesOf(error))), "");
    assert.equal(stream.hasContent, false);
    assert.ok(stream.failure instanceof HttpError);
    assert.ok(stream.failure.retryable);
    assert.match(stream.failure.message, /Overloaded/);
    assert.ok(stream.ended);
  });

  Deno.test(`${name} errors after content pass unchanged`, () => {
    const stream = open(format);
    assert.equal(textOf(stream.push(bytesOf(start + error))), start + error);
    assert.ok(stream.failure instanceof HttpError);
    assert.ok(stream.received.content.length > 0 || stream.received.thinking);
    assert.equal(stream.completed, undefined);
  });

  Deno.test(`${name} streams end with their error, also if the rest came along with it`, () => {
    const rest = `${start}data: [DONE]\n\n`;
    for (const framing of [undefined, JSON_ARRAY]) {
      const stream = open(format, framing === undefined ? {} : { context: { framing } });
      const whole = textOf(stream.push(bytesOf(start + error + rest)));
      const apart = open(format, framing === undefined ? {} : { context: { framing } });
      assert.equal(whole, textOf(apart.push(bytesOf(start + error))));
      assert.match(whole, /Overloaded/);
      assert.doesNotMatch(whole, /DONE/);
    }
  });

  Deno.test(`${name} errors that repeat the provider's key lose it`, () => {
    const stream = open(format);
    const passed = textOf(
      stream.push(bytesOf(start + error.replace("Overloaded", `key ${SECRET}`))),
    );
    assert.equal(passed, start + error.replace("Overloaded", "key [key removed]"));
    assert.doesNotMatch(stream.failure!.message, new RegExp(SECRET));
  });
}

Deno.test("an error without the form of an event becomes one", () => {
  const stream = open(GEMINI);
  const start = GEMINI_STREAM.events[1];
  stream.push(bytesOf(start));
  stream.push(bytesOf('{"error":{"code":500,"message":"Internal","status":"INTERNAL"}}'));
  assert.match(textOf(stream.end()), /^data: \{"error":\{.*Internal.*\}\}\n\n$/);
  assert.ok(stream.failure instanceof HttpError);
});

Deno.test("a failed response after content is passed on and noted", () => {
  const stream = open(RESPONSES);
  const failed = sse({
    type: "response.failed",
    response: {
      id: "r",
      output: [],
      status: "failed",
      error: { code: "server_error", message: "Oops" },
    },
  });
  const start = RESPONSES_STREAM.events.slice(0, 6).join("");
  assert.equal(pass(stream, start + failed), start + failed);
  assert.match(stream.failure!.message, /Oops/);
});

Deno.test("a blocked prompt is an answer that the client gets", () => {
  const stream = open(GEMINI);
  const blocked = sse({
    promptFeedback: { blockReason: "SAFETY" },
    usageMetadata: { promptTokenCount: 9, totalTokenCount: 9 },
  });
  assert.equal(pass(stream, blocked), blocked);
  assert.equal(stream.failure, undefined);
  assert.equal(stream.received.finishReason, "content_filter");
  assert.equal(stream.received.usage?.promptTokens, 9);
  assert.ok(stream.completed);
});

Deno.test("events of unknown shapes pass", () => {
  const cases: [Format, string][] = [
    [
      CHAT,
      sse({ choices: 7 }) + sse({ choices: [{ delta: { content: { odd: 1 } } }] }) + sse("[]"),
    ],
    [CLAUDE, sse({ type: "content_block_delta", index: "x", delta: { type: "new_delta" } }, "new")],
    [RESPONSES, sse({ type: "response.new_thing.delta", delta: { a: 1 } }, "response.new_thing")],
    [GEMINI, sse({ newField: [{ candidates: 1 }] })],
  ];
  for (const [format, odd] of cases) {
    const recorded = STREAMS.find((stream) => stream.format === format)!;
    const text = recorded.events[0] + odd + recorded.events.slice(1).join("");
    const stream = open(format);
    assert.equal(pass(stream, text), text);
    assert.equal(stream.failure, undefined);
    assert.equal(stream.received.usage?.completionTokens, 3);
  }
});

Deno.test("text that may turn out to be thinking is not held back", () => {
  const stream = open(CHAT);
  stream.push(bytesOf(chunk({ role: "assistant", content: "" }, { model: "qwq-32b" })));
  assert.equal(stream.hasContent, false);
  stream.push(bytesOf(chunk({ content: "Hm" }, { model: "qwq-32b" })));
  assert.ok(stream.hasContent);
  stream.push(bytesOf(chunk({ content: ".</think>Hi" }, { model: "qwq-32b" }, "stop")));
  stream.end();
  assert.equal(stream.received.content, "Hi");
  assert.equal(stream.received.thinking, "Hm.");
});

Deno.test("a stream whose content the decoder does not know is not held back for ever", () => {
  const stream = open(RESPONSES);
  for (let count = 0; count < 30; count++) {
    stream.push(bytesOf(sse({ type: "response.new_thing.delta", delta: "x" })));
  }
  assert.ok(stream.hasContent);
});

const isMetered = true;

Deno.test("usage that only the gateway asked for is left out", () => {
  const whole = CHAT_STREAM.events.join("");
  const without = CHAT_STREAM.events.filter((event) => !event.includes("prompt_tokens")).join("");
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), (size) => {
      const stream = open(CHAT, { isMetered });
      assert.equal(pass(stream, whole, size), without);
      assert.equal(stream.received.usage?.completionTokens, 3);
    }),
    { numRuns: 40 },
  );
});

Deno.test("usage next to content stays, and chunks without choices or usage as well", () => {
  const usage = { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 };
  const text = chunk(undefined, { prompt_filter_results: [], usage: null }) +
    chunk({ content: "Hi" }, { usage: null }) + chunk({}, { usage }, "stop") + sse("[DONE]");
  const stream = open(CHAT, { isMetered });
  assert.equal(pass(stream, text), text);
  assert.equal(stream.received.usage?.completionTokens, 3);
});

Deno.test("usage that the client asked for stays", () => {
  const body = {
    ...BODIES.chat,
    model: "m",
    stream: true,
    stream_options: { include_usage: true },
  };
  const call = gatewayCall(CHAT, body, { isMetered });
  const stream = nativeLane.stream(call, nativeLane.encode(call, ENDPOINTS.chat), new Headers());
  const whole = CHAT_STREAM.events.join("");
  assert.equal(pass(stream, whole, 50), whole);
});

const asArray = { context: { framing: JSON_ARRAY } };

Deno.test("Gemini's streams are framed as an array for clients that want one", () => {
  const stream = open(GEMINI, asArray);
  const passed = pass(stream, GEMINI_STREAM.events.join(""), 33);
  assert.deepEqual(JSON.parse(passed), GEMINI_CHUNKS);
  assert.equal(stream.received.content, STREAMED_TEXT);
});

Deno.test("Gemini's array ends with an error if the answer is incomplete", () => {
  const stream = open(GEMINI, asArray);
  const passed = pass(stream, GEMINI_STREAM.events.slice(0, 2).join(""), 33);
  const [first, second, last] = JSON.parse(passed);
  assert.deepEqual([first, second], GEMINI_CHUNKS.slice(0, 2));
  assert.equal(last.error.code, 502);
  const failing = open(GEMINI, asArray);
  const error = { error: { code: 503, message: "Overloaded", status: "UNAVAILABLE" } };
  const ended = pass(failing, GEMINI_STREAM.events[0] + sse(error));
  assert.deepEqual(JSON.parse(ended), [GEMINI_CHUNKS[0], error]);
});

Deno.test("an array from Gemini is framed as events", () => {
  const stream = open(GEMINI);
  const passed = pass(stream, JSON.stringify(GEMINI_CHUNKS, null, 2), 100);
  assert.deepEqual(
    passed.trim().split("\n\n").map((event) => JSON.parse(event.slice("data: ".length))),
    GEMINI_CHUNKS,
  );
  assert.equal(stream.received.usage?.completionTokens, 3);
  assert.ok(stream.completed);
});

const WHOLE: readonly [Format, Json][] = [
  [CHAT, {
    id: "c",
    model: "gpt-5.4",
    choices: [{
      index: 0,
      message: { role: "assistant", content: STREAMED_TEXT },
      finish_reason: "stop",
    }],
    usage: { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 },
  }],
  [CLAUDE, {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "claude-opus-4-8",
    content: [{ type: "text", text: STREAMED_TEXT }],
    stop_reason: "end_turn",
    usage: { input_tokens: 9, output_tokens: 3 },
  }],
  [RESPONSES, {
    id: "resp_1",
    object: "response",
    model: "gpt-5.4",
    status: "completed",
    output: [{
      type: "message",
      role: "assistant",
      content: [{ type: "output_text", text: STREAMED_TEXT, annotations: [] }],
    }],
    usage: { input_tokens: 9, output_tokens: 3, total_tokens: 12 },
  }],
  [GEMINI, {
    candidates: [{
      content: { role: "model", parts: [{ text: STREAMED_TEXT }] },
      finishReason: "STOP",
    }],
    usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 3, totalTokenCount: 12 },
    modelVersion: "gemini-3-pro",
  }],
];

for (const [format, answer] of WHOLE) {
  const { name } = format.client;
  const headers = {
    "content-type": "application/json",
    "request-id": "req_1",
    "set-cookie": "a=b",
  };

  Deno.test(`a whole ${name} answer to a streamed request becomes a stream`, () => {
    const stream = open(format, {}, headers);
    const passed = pass(stream, JSON.stringify(answer, null, 1), 20);
    assert.equal(stream.failure, undefined);
    assert.ok(stream.hasContent);
    assert.equal(stream.received.usage?.completionTokens, 3);
    assert.ok(stream.completed);
    // A client of the same format reads it.
    const again = open(format);
    pass(again, passed);
    assert.equal(again.failure, undefined);
    assert.equal(again.received.content, STREAMED_TEXT);
  });

  Deno.test(`a ${name} stream in answer to a plain request becomes a whole answer`, () => {
    const { events } = STREAMS.find((stream) => stream.format === format)!;
    const call = gatewayCall(format, { model: "m", ...BODIES[name] });
    const request = nativeLane.encode(call, ENDPOINTS[name as keyof typeof ENDPOINTS]);
    const response = { status: 200, headers: new Headers(), body: events.join("") };
    const { body, completion } = nativeLane.answer(call, request, response);
    assert.equal(completion.usage?.completionTokens, 3);
    const decoded = format.client.decode(JSON.parse(body));
    assert.equal(decoded.content, STREAMED_TEXT);
    assert.equal(decoded.usage?.completionTokens, 3);
  });

  Deno.test(`a whole ${name} answer passes unchanged, with the headers that help`, () => {
    const call = gatewayCall(format, { model: "m", ...BODIES[name] });
    const request = nativeLane.encode(call, ENDPOINTS[name as keyof typeof ENDPOINTS]);
    const text = JSON.stringify({ ...answer, added: { later: 1.5 } }, null, 2).replace(
      "1.5",
      "1.50",
    );
    const response = { status: 200, headers: new Headers(headers), body: text };
    const { body, completion, headers: passed } = nativeLane.answer(call, request, response);
    assert.equal(body, text);
    assert.deepEqual(passed, { "request-id": "req_1" });
    assert.equal(completion.content, STREAMED_TEXT);
    assert.equal(completion.usage?.promptTokens, 9);
  });

  Deno.test(`what is no ${name} answer fails, so that another endpoint can be tried`, () => {
    for (
      const text of [
        "",
        "<html>Bad gateway</html>",
        '{"error":{"message":"oops","code":500}}',
        '{"hello":"world"}',
        JSON.stringify(answer).slice(0, -20),
      ]
    ) {
      const call = gatewayCall(format, { model: "m", ...BODIES[name] });
      const request = nativeLane.encode(call, ENDPOINTS[name as keyof typeof ENDPOINTS]);
      const response = { status: 200, headers: new Headers(), body: text };
      assert.throws(
        () => nativeLane.answer(call, request, response),
        /the (server|stream|answer)/i,
        text,
      );
      const stream = open(format, {}, { "content-type": "application/json" });
      pass(stream, text);
      assert.ok(stream.failure, text);
      assert.ok(!stream.hasContent, text);
    }
  });
}

Deno.test("answers that are the client's business pass although they are no completion", () => {
  const cases: [Format, Json, string][] = [
    [GEMINI, { promptFeedback: { blockReason: "SAFETY" } }, "content_filter"],
    [GEMINI, {
      candidates: [{ content: { parts: [{ text: "a" }] }, finishReason: "TOO_MANY_TOOL_CALLS" }],
    }, "other"],
  ];
  for (const [format, answer, finishReason] of cases) {
    const { name } = format.client;
    const call = gatewayCall(format, { model: "m", ...BODIES[name] });
    const request = nativeLane.encode(call, ENDPOINTS[name as keyof typeof ENDPOINTS]);
    const text = JSON.stringify(answer);
    const response = { status: 200, headers: new Headers(), body: text };
    const { body, completion } = nativeLane.answer(call, request, response);
    assert.equal(body, text);
    assert.equal(completion.finishReason, finishReason);
  }
});
