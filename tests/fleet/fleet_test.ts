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
