/** A batch on many workers: every record once, with its own answer. */
import assert from "node:assert/strict";
import { collect, Fleet, numbered, wrongAnswers } from "../support/fleet.ts";
import { RedisServer, redisServer } from "../support/redis_server.ts";

const ignore = redisServer === undefined;

Deno.test("three workers share the records of a batch", { ignore }, async () => {
  await using server = await RedisServer.start();
  await using fleet = new Fleet(server);
  fleet.model.latency = 5;
  const workers = await Promise.all([1, 2, 3].map(() => fleet.worker()));
  const coordinator = await fleet.coordinator();
  const outcomes = await collect(coordinator.run(numbered(600)));
  assert.equal(outcomes.size, 600);
  assert.deepEqual(wrongAnswers(outcomes, 600), []);
  assert.deepEqual(fleet.model.repeated, []);
  assert.ok(workers.every(({ worker }) => worker.status.done > 50), "all have worked");
  assert.deepEqual(outcomes.get(7)?.record.metadata, { n: 7 });
  assert.equal(outcomes.get(7)?.facts?.attempts, 1);
  assert.equal(outcomes.get(7)?.facts?.cost, 0.001);
  await coordinator.close();
  const connection = await fleet.connect();
  const keys = await connection.command(["KEYS", "flexllm:job:*"]) as string[];
  assert.deepEqual(keys, ["flexllm:job:test:state"], "only that it has ended is left");
});

Deno.test(
  "a job is not replaced by another one as long as it has answers",
  { ignore },
  async () => {
    await using server = await RedisServer.start();
    await using fleet = new Fleet(server);
    const { worker, running } = await fleet.worker();
    const first = await fleet.coordinator();
    const gate = Promise.withResolvers<void>();
    fleet.model.onCall = () => gate.promise;
    const run = collect(first.run(numbered(3)));
    const until = async (condition: () => unknown) => {
      while (!await condition()) await new Promise((resolve) => setTimeout(resolve, 10));
    };
    await until(() => fleet.model.inFlight === 3);
    first.abort();
    assert.equal((await run).size, 0);
    await first.countLeft();
    assert.deepEqual(first.view.left, { records: 3, answers: 0 });
    await first.close();
    await assert.rejects(
      fleet.coordinator({ inputId: "other.jsonl" }),
      /^ConfigurationError: job test has 3 records in progress at workers, of a batch with other files/,
    );
    gate.resolve();
    await until(() => worker.status.done === 3);
    worker.stop();
    await running;
    await assert.rejects(
      fleet.coordinator({ inputId: "other.jsonl" }),
      /job test has 3 answers that were not collected, of a batch with other files or options/,
    );
    const again = await fleet.coordinator();
    assert.deepEqual(wrongAnswers(await collect(again.run(numbered(3))), 3), []);
    assert.equal(fleet.model.total, 3);
    await again.close();
    const other = await fleet.coordinator({ inputId: "other.jsonl" });
    await other.close();
  },
);

Deno.test(
  "a worker that leaves at once is known as soon as it has sent results",
  { ignore },
  async () => {
    await using server = await RedisServer.start();
    await using fleet = new Fleet(server);
    const coordinator = await fleet.coordinator();
    const collecting = collect(coordinator.run(numbered(1)));
    const { worker } = await fleet.worker({ exitWhenDone: true });
    assert.equal((await collecting).size, 1);
    assert.deepEqual(coordinator.view.contributors.map(({ id }) => id), [worker.id]);
  },
);
