/**
 * Answers in another form than requested or than their content type says: event streams for plain requests,
 * JSON for streamed ones, bare errors. Each is read by a plain and a streamed request.
 */
import assert from "node:assert/strict";
import { type FlexLLMError, LLMClient, LLMClientPool, type Message } from "../../mod.ts";
import { parseEventStream } from "../../lib/transport/event_stream.ts";
import { httpAnswer, startRawServer } from "../support/raw_server.ts";

const HELLO: Message[] = [{ role: "user", content: "Hello" }];
const OPTIONS = { model: "m", retryDelay: 0, retryTimes: 1 };

const WHOLE = JSON.stringify({
  model: "m",
  choices: [{ index: 0, message: { content: "Hello" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
});

function chunk(delta: object, finish_reason: string | null = null): string {
  const body = { model: "m", choices: [{ index: 0, delta, finish_reason }] };
  return `data: ${JSON.stringify(body)}\n\n`;
}

const USAGE = 'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\n';
const STREAM = `${chunk({ content: "Hel" })}${chunk({ content: "lo" }, "stop")}${USAGE}`;
const ERROR = '{"error":{"code":400,"message":"too many images","type":"invalid_request_error"}}';

type Outcome = { content: string; total?: number } | { error: FlexLLMError };

/** The outcomes of a plain and a streamed request to a server that always sends `body`. */
async function send(
  body: string,
  type: string,
): Promise<{ outcomes: Outcome[]; requests: number }> {
  await using server = await startRawServer((socket) =>
    socket.end(
      `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\nconnection: close\r\n\r\n${body}`,
    )
  );
  await using client = new LLMClient({ ...OPTIONS, baseUrl: server.baseUrl });
  const outcomes: Outcome[] = [];
  for (
    const request of [
      () => client.chatCompletions(HELLO),
      () => client.chatCompletionsStream(HELLO).finalResult(),
    ]
  ) {
    try {
      const { content, usage } = await request();
      outcomes.push({ content, total: usage?.totalTokens });
    } catch (error) {
      outcomes.push({ error: error as FlexLLMError });
    }
  }
  return { outcomes, requests: server.requests.length };
}

const ANSWERS: [name: string, body: string, type: string][] = [
  ["JSON", WHOLE, "application/json"],
  ["JSON labelled as events", WHOLE, "text/event-stream"],
  ["JSON after the blank lines of DeepSeek", `\n\n\n${WHOLE}`, "application/json"],
  ["JSON after comments", `: keep-alive\n\n: keep-alive\n\n${WHOLE}\n`, "application/json"],
  ["events", `${STREAM}data: [DONE]\n\n`, "text/event-stream"],
  ["events labelled as JSON", `${STREAM}data: [DONE]\n\n`, "application/json"],
  ["events after keep-alives", `: PROCESSING\n\n\n${STREAM}data: [DONE]\n\n`, "text/plain"],
  ["events without an end mark", STREAM, "application/json"],
  ["a whole answer as one event", `data: ${WHOLE}\n\ndata: [DONE]\n\n`, "text/event-stream"],
];

for (const [name, body, type] of ANSWERS) {
  Deno.test(`${name} is read as an answer by plain and streamed requests`, async () => {
    const { outcomes, requests } = await send(body, type);
    assert.deepEqual(outcomes, [{ content: "Hello", total: 3 }, { content: "Hello", total: 3 }]);
    assert.equal(requests, 2);
  });
}

const PRETTY = JSON.stringify(JSON.parse(ERROR), null, 2);
const ERRORS: [name: string, body: string, type: string][] = [
  ["an error object", ERROR, "application/json"],
  // lemonade.
  ["an error object labelled as events", ERROR, "text/event-stream"],
  ["an error object over several lines", PRETTY, "text/event-stream"],
  ["an error event", `data: ${ERROR}\n\n`, "application/json"],
  // llama.cpp.
  [
    "an error field",
    `error: ${JSON.stringify(JSON.parse(ERROR).error)}\n\ndata: [DONE]\n\n`,
    "text/event-stream",
  ],
  // GPUStack, which forwards the errors of llama.cpp.
  ["an error field with an error body", `error: ${ERROR}\n\n`, "text/event-stream"],
  ["a bare error between events", `: keep-alive\n\n${PRETTY}\n\n`, "text/event-stream"],
];

for (const [name, body, type] of ERRORS) {
  Deno.test(`${name} is reported as an error and not retried`, async () => {
    const { outcomes, requests } = await send(body, type);
    for (const answer of outcomes) {
      assert.ok("error" in answer, name);
      assert.match(answer.error.message, /too many images/);
      assert.equal(answer.error.code, "http");
    }
    assert.equal(requests, 2);
  });
}

Deno.test("a stream without an answer is malformed and retried", async () => {
  for (const body of ["data: [DONE]\n\n", ": nothing\n\n", `${USAGE}data: [DONE]\n\n`]) {
    const { outcomes, requests } = await send(body, "text/event-stream");
    for (const answer of outcomes) {
      assert.ok("error" in answer, body);
      assert.equal(answer.error.code, "malformed_response");
    }
    assert.equal(requests, 4);
  }
});

Deno.test("an answer that the server broke off is retried, also on other endpoints", async () => {
  const failed = JSON.stringify({
    choices: [{ index: 0, message: { content: "Ha" }, finish_reason: "error" }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  });
  const failedStream = `${chunk({}, "error")}${USAGE}data: [DONE]\n\n`;
  await using broken = await startRawServer((socket, { body }) =>
    socket.end(httpAnswer(200, body.includes('"stream":true') ? failedStream : failed))
  );
  await using sound = await startRawServer((socket) => socket.end(httpAnswer(200, WHOLE)));
  await using pool = new LLMClientPool({
    endpoints: [broken, sound].map(({ baseUrl }) => ({ baseUrl, model: "m" })),
    loadBalance: "fallback",
    retryDelay: 0,
  });
  assert.equal((await pool.chatCompletions(HELLO)).content, "Hello");
  assert.equal((await pool.chatCompletionsStream(HELLO).finalResult()).content, "Hello");
  assert.ok(broken.requests.length > 0);
  await using client = new LLMClient({ ...OPTIONS, baseUrl: broken.baseUrl });
  const before = broken.requests.length;
  const error: FlexLLMError = await client.chatCompletions(HELLO).then(
    () => assert.fail("no error"),
    (error) => error,
  );
  assert.equal(error.code, "http");
  assert.deepEqual([error.partial?.content, error.partial?.usage?.totalTokens], ["Ha", 2]);
  assert.equal(broken.requests.length, before + 2);
});

Deno.test("the error of a failed stream has the text that arrived and the usage that followed it", async () => {
  const body = `${chunk({ content: "Half" })}${chunk({}, "abort")}${USAGE}data: [DONE]\n\n`;
  const { outcomes: [, streamed], requests } = await send(body, "text/event-stream");
  assert.ok("error" in streamed);
  assert.deepEqual([streamed.error.partial?.content, streamed.error.partial?.usage?.totalTokens], [
    "Half",
    3,
  ]);
  // The plain request was retried. The stream was not, since its text had been delivered.
  assert.equal(requests, 3);
});

Deno.test("an event stream is recognized by its first line", () => {
  assert.deepEqual(parseEventStream("data: 1\n\ndata: 2"), ["1", "2"]);
  assert.deepEqual(parseEventStream("\n: comment\n\n"), []);
  for (const text of ["{}", "", "data", "Internal error: data"]) {
    assert.equal(parseEventStream(text), undefined);
  }
});
