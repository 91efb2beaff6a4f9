/** Errors, stops and stragglers in a fleet have the effect that they have in one process. */
import assert from "node:assert/strict";
import { BatchRun } from "../../lib/batch/run.ts";
import { SchemaMismatchError } from "../../lib/chat/schema_mismatch_error.ts";
import {
  AuthenticationError,
  BudgetExceededError,
  ConfigurationError,
  ConnectionError,
  FlexLLMError,
  HttpError,
  RateLimitError,
  TimeoutError,
} from "../../lib/errors.ts";
import { decodeError, encodeError } from "../../lib/fleet/error_codec.ts";
import { abortable } from "../../lib/runtime/abortable.ts";
import { systemClock } from "../../lib/runtime/clock.ts";
import { chatResult } from "../support/chat_result.ts";
import { collect, Fleet, numbered, wrongAnswers } from "../support/fleet.ts";
import { RedisServer, redisServer } from "../support/redis_server.ts";

const ignore = redisServer === undefined;

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await systemClock.sleep(10);
}

const refusedKey = () => new AuthenticationError("the key was refused", { status: 401 });

Deno.test("errors keep class, fields and effect in another process", () => {
  const partial = { content: "half", thinking: null, cost: 0.5 };
  const errors = [
    new RateLimitError("slow down", {
      status: 429,
      retryAfter: 3,
      concurrent: true,
      hint: "Wait.",
    }),
    new HttpError("gone", { status: 404, providerMessage: "no model", requestId: "r1" }),
    refusedKey(),
    new BudgetExceededError(1, 0.5, 0.7),
    new ConnectionError("refused", { sent: false, partial }),
    new TimeoutError("late", 30),
    new ConfigurationError("wrong"),
    Object.assign(new SchemaMismatchError("no match", "{}", ["a: missing"]), {
      result: chatResult("{}", { raw: null, message: { role: "assistant", content: "{}" } }),
    }),
  ];
  for (const error of errors) {
    const copy = decodeError(JSON.parse(JSON.stringify(encodeError(error))));
    assert.ok(copy instanceof error.constructor, error.name);
    assert.ok(copy instanceof Error);
    assert.equal(copy.message, error.message);
    const effect = ({ fatal, retryable, endpointFault, hint, code }: FlexLLMError) => ({
      fatal,
      retryable,
      endpointFault,
      hint,
      code,
    });
    assert.deepEqual(effect(copy), effect(error));
    assert.deepEqual(copy.partial, error.partial);
    assert.equal((copy as HttpError).status, (error as HttpError).status);
  }
  assert.ok(decodeError({ name: "NewError", code: "http", message: "?" }) instanceof FlexLLMError);
});

Deno.test("a worker with a wrong key leaves; the others do its records", { ignore }, async () => {
  await using server = await RedisServer.start();
  await using fleet = new Fleet(server);
  fleet.model.latency = 10;
  const bad = fleet.model.client(20);
  bad.complete = () => {
    bad.failures++;
    return Promise.reject(refusedKey());
  };
  const { worker } = await fleet.worker({ connect: () => Promise.resolve({ completions: bad }) });
  await fleet.worker();
  const coordinator = await fleet.coordinator();
  await systemClock.sleep(1500);
  const outcomes = await collect(coordinator.run(numbered(200)));
  assert.deepEqual(wrongAnswers(outcomes, 200), []);
  assert.deepEqual(fleet.model.repeated, []);
  assert.equal(worker.status.refusals?.test, "the key was refused");
});

Deno.test("without another worker, a fatal error ends the batch", { ignore }, async () => {
  await using server = await RedisServer.start();
  await using fleet = new Fleet(server);
  fleet.model.onCall = () => {
    throw refusedKey();
  };
  const { worker } = await fleet.worker();
  const coordinator = await fleet.coordinator();
  await assert.rejects(collect(coordinator.run(numbered(500))), {
    name: "AuthenticationError",
    message: `worker ${worker.status.name}: the key was refused`,
  });
  assert.ok(fleet.model.total <= 16, String(fleet.model.total));
});

Deno.test("errors of single records are outcomes", { ignore }, async () => {
  await using server = await RedisServer.start();
  await using fleet = new Fleet(server);
  fleet.model.onCall = (prompt) => {
    if (/[5]$/.test(prompt)) throw new HttpError(`bad ${prompt}`, { status: 400 });
  };
  await fleet.worker();
  const coordinator = await fleet.coordinator();
  const run = new BatchRun(coordinator);
  let items = 0;
  for await (const group of run.items(numbered(100))) items += group.length;
  const { succeeded, failed, errors, cost } = run.summary();
  assert.deepEqual({ items, succeeded, failed, errors }, {
    items: 100,
    succeeded: 90,
    failed: 10,
    errors: { http: 10 },
  });
  assert.ok(Math.abs(cost - 0.09) < 1e-9);
});

Deno.test("a stop takes back what no worker has, and waits for the rest", { ignore }, async () => {
  await using server = await RedisServer.start();
  await using fleet = new Fleet(server);
  fleet.model.latency = 50;
  await fleet.worker();
  const coordinator = await fleet.coordinator();
  const outcomes = new Map();
  const collecting = collect(coordinator.run(numbered(1000)), outcomes);
  await until(() => fleet.model.total > 30);
  coordinator.stop();
  await collecting;
  const { total } = fleet.model;
  assert.ok(total < 200, String(total));
  assert.equal([...outcomes.values()].filter(({ ok }) => ok).length, total);
});

Deno.test("a worker that is stopped gives back what it has not sent", { ignore }, async () => {
  await using server = await RedisServer.start();
  await using fleet = new Fleet(server);
  fleet.model.latency = 30;
  const { worker, running } = await fleet.worker();
  await fleet.worker();
  const coordinator = await fleet.coordinator();
  const collecting = collect(coordinator.run(numbered(300)));
  await until(() => fleet.model.total > 50);
  worker.stop();
  await running;
  assert.equal(worker.status.inFlight, 0);
  const outcomes = await collecting;
  assert.deepEqual(wrongAnswers(outcomes, 300), []);
  assert.deepEqual(fleet.model.repeated, []);
});

Deno.test("a worker that is aborted gives its records back at once", { ignore }, async () => {
  await using server = await RedisServer.start();
  await using fleet = new Fleet(server);
  const slow = await fleet.worker();
  fleet.model.onCall = (_, { signal }) => abortable(new Promise(() => {}), signal);
  const coordinator = await fleet.coordinator();
  const collecting = collect(coordinator.run(numbered(20)));
  await until(() => fleet.model.total === 8);
  fleet.model.onCall = () => {};
  slow.worker.abort();
  await slow.running;
  await fleet.worker();
  assert.deepEqual(wrongAnswers(await collecting, 20), []);
});

Deno.test(
  "hedge: a straggler gets a second copy, and the first answer counts",
  { ignore },
  async () => {
    await using server = await RedisServer.start();
    await using fleet = new Fleet(server);
    fleet.model.latency = 10;
    let isSlow = true;
    fleet.model.onCall = (prompt, { signal }) => {
      if (prompt !== "r90" || !isSlow) return;
      isSlow = false;
      return abortable(new Promise(() => {}), signal);
    };
    await fleet.worker();
    await fleet.worker();
    const coordinator = await fleet.coordinator({ hedge: true });
    const outcomes = await collect(coordinator.run(numbered(100)));
    assert.deepEqual(wrongAnswers(outcomes, 100), []);
    assert.deepEqual(fleet.model.repeated, ["r90"]);
    assert.equal(coordinator.view.hedged, 1);
  },
);

Deno.test("a worker that cannot do a job says why, and looks for others", { ignore }, async () => {
  await using server = await RedisServer.start();
  await using fleet = new Fleet(server);
  const connect = () => Promise.reject(new ConfigurationError("it has no model gpt-9"));
  await fleet.worker({ connect });
  const coordinator = await fleet.coordinator();
  const collecting = collect(coordinator.run(numbered(10)));
  await until(() => coordinator.view.refusals.length > 0);
  assert.equal(coordinator.view.refusals[0].reason, "it has no model gpt-9");
  await fleet.worker();
  assert.deepEqual(wrongAnswers(await collecting, 10), []);
});

Deno.test("large records and answers fit", { ignore }, async () => {
  await using server = await RedisServer.start();
  await using fleet = new Fleet(server);
  await fleet.worker();
  const coordinator = await fleet.coordinator();
  const text = "x".repeat(5_000_000);
  const records = Array.from({ length: 8 }, (_, index) => ({
    index,
    messages: [{ role: "user" as const, content: `${index}${text}` }],
  }));
  const outcomes = await collect(coordinator.run(records));
  for (let index = 0; index < 8; index++) {
    const outcome = outcomes.get(index)!;
    assert.ok(outcome.ok, String(outcome.ok === false && outcome.error));
    assert.equal(outcome.result.content.length, text.length + 7);
  }
});
