/** The facts of a call are reported exactly once, however the call ends. */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import fc from "fast-check";
import {
  AbortedError,
  type CompletionStream,
  ConnectionError,
  type Fetch,
  type Message,
} from "../../mod.ts";
import type { CallFacts } from "../../lib/chat/call_facts.ts";
import { CallPipeline, type CallPipelineOptions } from "../../lib/client/call_pipeline.ts";
import { EndpointClient } from "../../lib/client/endpoint_client.ts";
import { EndpointLimits } from "../../lib/scheduling/endpoint_limits.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

const HELLO: Message[] = [{ role: "user", content: "Hello!" }];
const USAGE = { prompt_tokens: 10, completion_tokens: 20, total_tokens: 30 };
const PRICES = [{ model: "m", input: 1e6, output: 1e6 }];
const SCHEMA = {
  type: "json_schema",
  json_schema: { name: "a", schema: { type: "object", required: ["a"] } },
} as const;

function answer(content = "Hi"): Response {
  const choices = [{
    index: 0,
    finish_reason: "stop",
    message: { role: "assistant", content },
  }];
  return Response.json({ model: "m", choices, usage: USAGE });
}

/** A stream that waits 2 s before its first token, and 3 s before its end. */
function stream(clock: VirtualClock): Response {
  const event = (fields: object) => `data: ${JSON.stringify({ model: "m", ...fields })}\n\n`;
  const chunks: [number, string][] = [
    [2000, event({ choices: [{ index: 0, delta: { content: "Hi" } }] })],
    [
      3000,
      event({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }) +
      event({ choices: [], usage: USAGE }) + "data: [DONE]\n\n",
    ],
  ];
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = chunks.shift();
      if (next === undefined) return controller.close();
      await clock.sleep(next[0]);
      controller.enqueue(encoder.encode(next[1]));
    },
  }, { highWaterMark: 0 });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

interface Setup {
  clock: VirtualClock;
  pipeline: CallPipeline;
  facts: CallFacts[];
}

function setUp(
  fetch: (clock: VirtualClock, body: { stream?: boolean }) => Promise<Response>,
  options: Partial<CallPipelineOptions> & { concurrency?: number } = {},
): Setup {
  const clock = new VirtualClock();
  const limits = new EndpointLimits({
    concurrency: options.concurrency ?? 10,
    maxQps: undefined,
    maxTpm: undefined,
    adaptive: false,
    failureThreshold: undefined,
    recoveryTime: undefined,
    random: () => 0.5,
  }, true);
  const send: Fetch = (_url, { body }) => fetch(clock, JSON.parse(String(body)));
  const endpoint = new EndpointClient(
    { baseUrl: "http://h/v1", model: "m", apiKey: "k", prices: PRICES, fetch: send },
    limits,
    clock,
  );
  const pipeline = new CallPipeline([endpoint], {
    retryTimes: 3,
    retryDelay: 1,
    maxWait: 600,
    loadBalance: "fallback",
    fallback: false,
    clock,
    random: () => 0.5,
    timeout: 120,
    thinkingTimeout: 600,
    costTracker: undefined,
    cache: undefined,
    attachments: undefined,
    signal: undefined,
    ...options,
  });
  const facts: CallFacts[] = [];
  pipeline.listeners.add({ onCall: (it) => facts.push(it) });
  return { clock, pipeline, facts };
}

async function read(stream: CompletionStream): Promise<void> {
  for await (const _ of stream.events);
}

/** The facts without the time of day and the random id. */
function timeless({ at, id, ...facts }: CallFacts): Omit<CallFacts, "at" | "id"> {
  assert.ok(at > 1.6e12, `${at}`);
  assert.match(id!, /^\w{6}-\w+$/);
  return facts;
}

const SUCCESS = {
  model: "m",
  endpoint: "http://h/v1",
  usage: { promptTokens: 10, completionTokens: 20, totalTokens: 30 },
  cost: 30,
  cached: false,
  outcome: "success",
};

Deno.test("a plain call reports its wait in the queue, its attempt and its cost", async () => {
  const { clock, pipeline, facts } = setUp(async (clock) => {
    await clock.sleep(4000);
    return answer();
  }, { concurrency: 1 });
  const ends: CallFacts[] = [];
  const calls = [
    pipeline.complete(HELLO),
    pipeline.complete(HELLO, {}, { onEnd: (it) => ends.push(it) }),
  ];
  await clock.run(Promise.all(calls));
  assert.deepEqual(facts.map(timeless), [
    { ...SUCCESS, attempts: 1, queued: 0, duration: 4 },
    { ...SUCCESS, attempts: 1, queued: 4, duration: 8 },
  ]);
  assert.deepEqual(ends, facts.slice(1));
});

Deno.test("a streamed call reports the time to its first token", async () => {
  const { clock, pipeline, facts } = setUp((clock) => Promise.resolve(stream(clock)));
  await clock.run(read(pipeline.stream(HELLO)));
  assert.deepEqual(facts.map(timeless), [
    { ...SUCCESS, attempts: 1, queued: 0, firstToken: 2, duration: 5 },
  ]);
});

Deno.test("retries count as attempts, and their backoff as time in the queue", async () => {
  let requests = 0;
  const { clock, pipeline, facts } = setUp(async (clock) => {
    await clock.sleep(1000);
    return ++requests < 3 ? new Response("{}", { status: 500 }) : answer();
  });
  await clock.run(pipeline.complete(HELLO));
  // The backoff is half of 1 s and half of 2 s.
  assert.deepEqual(facts.map(timeless), [
    { ...SUCCESS, attempts: 3, queued: 1.5, duration: 4.5 },
  ]);
});

Deno.test("schema retries are one call with the tokens and the cost of all answers", async () => {
  let requests = 0;
  const { clock, pipeline, facts } = setUp(async (clock) => {
    await clock.sleep(1000);
    return answer(++requests === 1 ? "no JSON" : '{"a":1}');
  });
  await clock.run(pipeline.complete(HELLO, { responseFormat: SCHEMA, schemaRetries: 2 }));
  const usage = { promptTokens: 20, completionTokens: 40, totalTokens: 60 };
  assert.deepEqual(facts.map(timeless), [
    { ...SUCCESS, usage, cost: 60, attempts: 2, queued: 0, duration: 2 },
  ]);
});

Deno.test("cached answers, and joined identical calls, have no attempts and cost nothing", async () => {
  const { clock, pipeline, facts } = setUp(async (clock) => {
    await clock.sleep(1000);
    return answer();
  }, { cache: { store: "memory" } });
  await clock.run(Promise.all([pipeline.complete(HELLO), pipeline.complete(HELLO)]));
  await pipeline.complete(HELLO);
  await read(pipeline.stream(HELLO));
  const { endpoint: _, ...cached } = SUCCESS;
  const hit = { ...cached, cost: 0, cached: true, attempts: 0, queued: 0 };
  assert.deepEqual(facts.map(timeless), [
    { ...SUCCESS, attempts: 1, queued: 0, duration: 1 },
    { ...hit, duration: 1 },
    { ...hit, duration: 0 },
    { ...hit, duration: 0 },
  ]);
  await pipeline.close();
});

Deno.test("failed calls report their error code and what failed attempts may have cost", async () => {
  const { clock, pipeline, facts } = setUp(() =>
    Promise.reject(new ConnectionError("connection refused", { sent: false }))
  );
  await assert.rejects(clock.run(pipeline.complete(HELLO)), { code: "connection" });
  await assert.rejects(pipeline.complete([]), { code: "invalid_input" });
  assert.throws(() => pipeline.stream([]), { code: "invalid_input" });
  const empty = { errorCode: "invalid_input", error: facts[1].error, attempts: 0, queued: 0 };
  assert.match(empty.error!, /messages/);
  const failed = { model: "m", usage: null, cost: 0, cached: false, outcome: "error" };
  assert.deepEqual(facts.map(timeless), [
    {
      ...failed,
      endpoint: "http://h/v1",
      errorCode: "connection",
      error: "connection refused",
      attempts: 4,
      queued: 3.5,
      duration: 3.5,
    },
    { ...failed, ...empty, duration: 0 },
    { ...failed, ...empty, duration: 0 },
  ]);
});

Deno.test("an aborted call reports whether it was sent", async () => {
  const { clock, pipeline, facts } = setUp(async (clock) => {
    await clock.sleep(5000);
    return answer();
  }, { concurrency: 1 });
  const controller = new AbortController();
  const first = pipeline.complete(HELLO);
  const second = pipeline.complete(HELLO, { signal: controller.signal });
  const aborting = clock.sleep(2000).then(() => controller.abort());
  await clock.run(Promise.all([first, assert.rejects(second, { code: "aborted" }), aborting]));
  const third = pipeline.complete(HELLO, { signal: controller.signal });
  await assert.rejects(third, { code: "aborted" });
  const ending = {
    outcome: "aborted",
    errorCode: "aborted",
    error: "the request was cancelled",
    attempts: 0,
  };
  const aborted = { model: "m", usage: null, cost: 0, cached: false, ...ending };
  assert.deepEqual(facts.map(timeless), [
    { ...aborted, queued: 2, duration: 2 },
    { ...SUCCESS, attempts: 1, queued: 0, duration: 5 },
    { ...aborted, queued: 0, duration: 0 },
  ]);
});

Deno.test("a stream that its reader leaves is reported as aborted", async () => {
  const { clock, pipeline, facts } = setUp((clock) => Promise.resolve(stream(clock)));
  const leave = async () => {
    for await (const _ of pipeline.stream(HELLO).events) break;
  };
  await clock.run(leave());
  const [{ outcome, attempts, firstToken, errorCode }] = facts;
  assert.deepEqual([outcome, attempts, firstToken, errorCode], ["aborted", 1, 2, "aborted"]);
  assert.equal(facts.length, 1);
});

Deno.test("every call is reported exactly once, just before it settles", async () => {
  const call = fc.record({
    isStream: fc.boolean(),
    messages: fc.constantFrom<Message[]>(HELLO, [{ role: "user", content: "Bye!" }], []),
    hasSchema: fc.boolean(),
    abortAfter: fc.option(fc.integer({ min: 0, max: 8 }), { nil: undefined }),
  });
  const statuses = fc.array(fc.constantFrom(200, 200, 500, 429, 400), { minLength: 1 });
  await fc.assert(
    fc.asyncProperty(fc.array(call, { maxLength: 8 }), statuses, async (calls, statuses) => {
      let requests = 0;
      const { clock, pipeline, facts } = setUp(async (clock, body) => {
        await clock.sleep(1000);
        const status = statuses[requests++ % statuses.length];
        if (status !== 200) return new Response("{}", { status });
        return body.stream ? stream(clock) : answer();
      }, { concurrency: 2, cache: { store: "memory" } });
      const work = calls.map(async ({ isStream, messages, hasSchema, abortAfter }) => {
        const controller = new AbortController();
        if (abortAfter !== undefined) {
          clock.sleep(abortAfter * 700).then(() => controller.abort());
        }
        const ends: CallFacts[] = [];
        const options = {
          signal: controller.signal,
          responseFormat: hasSchema ? SCHEMA : undefined,
        };
        const hooks = { onEnd: (it: CallFacts) => ends.push(it) };
        let error: unknown;
        try {
          if (isStream) await read(pipeline.stream(messages, options, hooks));
          else await pipeline.complete(messages, { ...options, schemaRetries: 1 }, hooks);
        } catch (thrown) {
          error = thrown;
        }
        assert.equal(ends.length, 1);
        const expected = error === undefined
          ? "success"
          : error instanceof AbortedError
          ? "aborted"
          : "error";
        assert.equal(ends[0].outcome, expected);
        assert.ok(ends[0].queued <= ends[0].duration);
      });
      await clock.run(Promise.all(work));
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(facts.length, calls.length);
      await pipeline.close();
    }),
    { seed: 7, numRuns: 30 },
  );
});
