/** Random faults, repeated by a seed: in the end every record has its own answer, exactly once. */
import assert from "node:assert/strict";
import type { Outcome } from "../../lib/batch/executor.ts";
import { systemClock } from "../../lib/runtime/clock.ts";
import { collect, Fleet, numbered, wrongAnswers } from "../support/fleet.ts";
import { RedisServer, redisServer } from "../support/redis_server.ts";

const ignore = redisServer === undefined;
const RECORDS = 250;
const CONCURRENCY = 8;

/** A small generator of numbers from 0 to 1 (mulberry32). */
function seeded(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

async function surviveFaults(seed: number): Promise<void> {
  const random = seeded(seed);
  await using server = await RedisServer.start();
  await using fleet = new Fleet(server);
  fleet.model.latency = 60;
  const outcomes = new Map<number, Outcome>();
  /** What may have been paid for a second time. */
  let allowed = 0;
  const workers = [await fleet.worker(), await fleet.worker()];
  let isDone = false;
  const coordinating = (async () => {
    while (outcomes.size < RECORDS) {
      const coordinator = await fleet.coordinator({ lease: 1.5 });
      const rest = [...numbered(RECORDS)].filter(({ index }) => !outcomes.has(index));
      await collect(coordinator.run(rest), outcomes);
      await coordinator.close();
    }
    isDone = true;
  })();
  const faults = [
    async () => {
      const [lost] = workers.splice(0, 1);
      allowed += 2 * CONCURRENCY;
      await lost.connection.close();
      lost.worker.abort();
      workers.push(await fleet.worker());
    },
    async () => {
      await server.kill();
      await systemClock.sleep(200 + 500 * random());
      await server.restart();
      // Results that had arrived, and were not read yet.
      allowed += workers.length * CONCURRENCY;
    },
    async () => {
      server.freeze();
      await systemClock.sleep(2200 * random());
      server.thaw();
    },
    async () => {
      const [stopped] = workers.splice(0, 1);
      stopped.worker.stop();
      workers.push(await fleet.worker());
      await stopped.running;
    },
  ];
  for (let i = 0; i < 3 && !isDone; i++) {
    await systemClock.sleep(200 + 400 * random());
    await faults[Math.floor(random() * faults.length)]();
  }
  await coordinating;
  assert.deepEqual(wrongAnswers(outcomes, RECORDS), [], `seed ${seed}`);
  const repeated = fleet.model.total - RECORDS;
  assert.ok(repeated <= allowed, `seed ${seed}: ${repeated} sent again, ${allowed} allowed`);
}

for (const seed of [1, 2, 3]) {
  Deno.test(`random faults, seed ${seed}`, { ignore }, () => surviveFaults(seed));
}
