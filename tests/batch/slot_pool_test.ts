import assert from "node:assert/strict";
import { type Outcome, type Slot, SlotPool } from "../../lib/batch/slot_pool.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

async function collect<T, R>(pool: SlotPool<T, R>): Promise<Outcome<T, R>[]> {
  const outcomes: Outcome<T, R>[] = [];
  for await (const finished of pool.outcomes()) outcomes.push(...finished);
  return outcomes;
}

Deno.test("SlotPool works on as many records at once as allowed, and gives each outcome once", async () => {
  const clock = new VirtualClock();
  let [running, most] = [0, 0];
  const pool = new SlotPool(range(20), async (record: number) => {
    most = Math.max(most, ++running);
    await clock.sleep(record % 3 * 10);
    running--;
    return record * 2;
  }, { concurrency: 4, maxWaiting: 10 });
  const outcomes = await clock.run(collect(pool));
  assert.equal(most, 4);
  const values = outcomes.map((outcome) => outcome.ok && outcome.value) as number[];
  assert.deepEqual(values.toSorted((a, b) => a - b), range(20).map((n) => n * 2));
});

Deno.test("SlotPool gives failures as outcomes and goes on", async () => {
  const pool = new SlotPool(range(5), (record: number) => {
    return record === 2 ? Promise.reject(new Error("no")) : Promise.resolve(record);
  }, { concurrency: 2, maxWaiting: 1 });
  const outcomes = await collect(pool);
  assert.deepEqual(outcomes.filter(({ ok }) => !ok).map(({ record }) => record), [2]);
  assert.equal(outcomes.length, 5);
});

Deno.test("SlotPool pulls no further while outcomes are not taken", async () => {
  let pulled = 0;
  function* records() {
    while (true) yield pulled++;
  }
  const pool = new SlotPool(records(), (record) => Promise.resolve(record), {
    concurrency: 3,
    maxWaiting: 1,
  });
  const outcomes = pool.outcomes();
  await outcomes.next();
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(pulled <= 5, `${pulled} records pulled for one taken`);
  await outcomes.return();
});

Deno.test("SlotPool begins others while a record has left its slot, up to a limit", async () => {
  const clock = new VirtualClock();
  const begun: number[] = [];
  const work = async (record: number, slot: Slot) => {
    begun.push(record);
    if (record < 2) {
      slot.park();
      await clock.sleep(100);
      slot.unpark();
    } else {
      await clock.sleep(1000);
    }
  };
  const pool = new SlotPool(range(10), work, { concurrency: 1, maxWaiting: 2 });
  const all = collect(pool);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.deepEqual(begun, [0, 1], "two wait, which is the limit");
  assert.equal((await clock.run(all)).length, 10);
});

Deno.test("SlotPool stops pulling when told, and finishes what has begun", async () => {
  const clock = new VirtualClock();
  const pool = new SlotPool(range(100), async (record: number) => {
    if (record === 3) pool.stop();
    await clock.sleep(10);
    return record;
  }, { concurrency: 2, maxWaiting: 1 });
  const outcomes = await clock.run(collect(pool));
  assert.deepEqual(outcomes.map(({ record }) => record), [0, 1, 2, 3]);
});

Deno.test("SlotPool throws an error of its source after what was begun is finished", async () => {
  async function* records() {
    yield 1;
    yield 2;
    await Promise.resolve();
    throw new Error("the file broke");
  }
  const pool = new SlotPool(records(), (record) => Promise.resolve(record), {
    concurrency: 5,
    maxWaiting: 1,
  });
  const taken: unknown[] = [];
  await assert.rejects(async () => {
    for await (const finished of pool.outcomes()) {
      taken.push(...finished.map(({ record }) => record));
    }
  }, /the file broke/);
  assert.deepEqual(taken, [1, 2]);
});

Deno.test("SlotPool ends at once when stopped, though its source never answers", async () => {
  const pool = new SlotPool(
    { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) },
    () => Promise.resolve(),
    { concurrency: 1, maxWaiting: 1 },
  );
  const all = collect(pool);
  pool.stop();
  assert.deepEqual(await all, []);
});

Deno.test("SlotPool loses no outcome that arrives while the consumer is busy", async () => {
  const pool = new SlotPool(range(50), async (record: number) => {
    for (let turns = record % 5; turns > 0; turns--) {
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    return record;
  }, { concurrency: 6, maxWaiting: 1 });
  const taken: number[] = [];
  for await (const finished of pool.outcomes()) {
    await new Promise((resolve) => setTimeout(resolve, 3));
    taken.push(...finished.map(({ record }) => record));
  }
  assert.deepEqual(taken.toSorted((a, b) => a - b), range(50));
});
