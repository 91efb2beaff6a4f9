/** What is known about the jobs and workers of a fleet. */
import assert from "node:assert/strict";
import { generationOf, jobIdOf } from "../../lib/fleet/job_id.ts";
import type { JobRequest } from "../../lib/fleet/job_spec.ts";
import { readFleet } from "../../lib/fleet/read_fleet.ts";
import { decodeResult, encodeResult } from "../../lib/fleet/result_codec.ts";
import { systemClock } from "../../lib/runtime/clock.ts";
import { chatResult } from "../support/chat_result.ts";
import { collect, Fleet, numbered } from "../support/fleet.ts";
import { RedisServer, redisServer } from "../support/redis_server.ts";

const ignore = redisServer === undefined;

Deno.test("jobs and workers are listed while they run", { ignore }, async () => {
  await using server = await RedisServer.start();
  await using fleet = new Fleet(server);
  const end = Promise.withResolvers<void>();
  fleet.model.onCall = () => end.promise;
  const { worker } = await fleet.worker({ name: "gpu1" });
  const coordinator = await fleet.coordinator({ input: "in.jsonl", total: 50, done: 20 });
  const collecting = collect(coordinator.run(numbered(50, 20)));
  const connection = await fleet.connect();
  const read = async () => {
    while (true) {
      const status = await readFleet(connection);
      if (status.jobs[0]?.inFlight === 8 && status.workers[0]?.inFlight === 8) return status;
      await systemClock.sleep(50);
    }
  };
  const { jobs: [job], workers: [status] } = await read();
  assert.equal(job.id, "test");
  assert.equal(job.model, "mock");
  assert.equal(job.input, "in.jsonl");
  assert.equal(job.total, 50);
  assert.equal(job.finished, 20);
  assert.equal(job.isActive, true);
  assert.equal(job.waiting, 22);
  assert.deepEqual(job.workers, [worker.id]);
  assert.equal(status.name, "gpu1");
  assert.equal(status.job, "test");
  assert.equal(status.state, "working");
  assert.equal(status.oldest?.length, 8);
  end.resolve();
  await collecting;
});

Deno.test("a worker ends with its job, or after a time without work", { ignore }, async () => {
  await using server = await RedisServer.start();
  await using fleet = new Fleet(server);
  const withJob = await fleet.worker({ job: "test", exitWhenDone: true });
  const idle = await fleet.worker({ idleExit: 0.2, job: "another" });
  await idle.running;
  const coordinator = await fleet.coordinator();
  assert.equal((await collect(coordinator.run(numbered(30)))).size, 30);
  await coordinator.close();
  await withJob.running;
  assert.equal(withJob.worker.status.done, 30);
  const { jobs, workers } = await readFleet(await fleet.connect());
  assert.deepEqual({ jobs, workers }, { jobs: [], workers: [] });
});

Deno.test("the id of a job follows from what it asks", () => {
  const request: JobRequest = { name: "m", models: ["m"], baseUrls: ["a"], template: {} };
  const id = jobIdOf(request, "in.jsonl");
  assert.match(id, /^[0-9a-f]{12}$/);
  assert.equal(jobIdOf({ ...request, baseUrls: ["b"], budget: undefined }, "in.jsonl"), id);
  assert.notEqual(jobIdOf({ ...request, template: { temperature: 1 } }, "in.jsonl"), id);
  assert.notEqual(jobIdOf(request, "other.jsonl"), id);
  assert.ok(generationOf(request, "in.jsonl").startsWith(id));
});

Deno.test("answers keep what the result file needs", () => {
  const result = chatResult('{"n":12345678901234567890}', {
    parsed: { n: 1 },
    thinking: "hm",
    refusal: null,
    toolCalls: [{ id: "1", type: "function", function: { name: "f", arguments: "{}" } }],
    logprobs: [{ token: "a", logprob: -0.1234567890123456 }],
    cached: true,
    cost: null,
  });
  const copy = decodeResult(JSON.parse(JSON.stringify(encodeResult(result))));
  // The numbers of a structured answer are those that the model wrote.
  assert.equal(JSON.stringify(copy.parsed), '{"n":12345678901234567890}');
  const { parsed: _, raw: __, message: ___, ...rest } = copy;
  const { parsed: _p, raw: _r, message: _m, ...expected } = result;
  assert.deepEqual(rest, expected);
});
