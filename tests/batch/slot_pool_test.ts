import assert from "node:assert/strict";
import { type Slot, SlotPool } from "../../lib/batch/slot_pool.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

async function collect<T, O>(pool: SlotPool<T, O>): Promise<O[]> {
  const outcomes: O[] = [];
  for await (const finished of pool.outcomes()) outcomes.push(...finished);
  return outcomes;
}

Deno.test("SlotPool processes at most `concurrency` records at once and yields each outcome once", async () => {
  const clock = new VirtualClock();
  let [running, most] = [0, 0];
  const pool = new SlotPool(range(20), async (record: number) => {
    most = Math.max(most, ++running);
    await clock.sleep(record % 3 * 10);
    running--;
    return record * 2;
  }, { concurrency: 4, maxParked: 10 });
  const outcomes = await clock.run(collect(pool));
  assert.equal(most, 4);
  assert.deepEqual(outcomes.toSorted((a, b) => a - b), range(20).map((n) => n * 2));
});

Deno.test("SlotPool ends with the error of a record's process, after the others have finished", async () => {
  const pool = new SlotPool(range(5), (record: number) => {
    return record === 2 ? Promise.reject(new Error("no")) : Promise.resolve(record);
  }, { concurrency: 2, maxParked: 1 });
  const outcomes: number[] = [];
  await assert.rejects(async () => {
    for await (const finished of pool.outcomes()) outcomes.push(...finished);
  }, /no/);
  assert.deepEqual(outcomes.slice(0, 2), [0, 1]);
  assert.ok(!outcomes.includes(4));
});

Deno.test("SlotPool stops pulling while outcomes are not consumed", async () => {
  let pulled = 0;
  function* records() {
    while (true) yield pulled++;
  }
  const pool = new SlotPool(records(), (record) => Promise.resolve(record), {
    concurrency: 3,
    maxParked: 1,
  });
  const outcomes = pool.outcomes();
  await outcomes.next();
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(pulled <= 5, `${pulled} records pulled for one taken`);
  await outcomes.return();
});

Deno.test("SlotPool starts other records while one is parked, up to a limit", async () => {
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
  const pool = new SlotPool(range(10), work, { concurrency: 1, maxParked: 2 });
  const all = collect(pool);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.deepEqual(begun, [0, 1], "two are parked, which is the limit");
  assert.equal((await clock.run(all)).length, 10);
});

Deno.test("SlotPool pulls nothing after stop() and finishes active records", async () => {
  const clock = new VirtualClock();
  const pool = new SlotPool(range(100), async (record: number) => {
    if (record === 3) pool.stop();
    await clock.sleep(10);
    return record;
  }, { concurrency: 2, maxParked: 1 });
  const outcomes = await clock.run(collect(pool));
  assert.deepEqual(outcomes, [0, 1, 2, 3]);
});

Deno.test("SlotPool throws an error of its source after active records have finished", async () => {
  async function* records() {
    yield 1;
    yield 2;
    await Promise.resolve();
    throw new Error("the file broke");
  }
  const pool = new SlotPool(records(), (record) => Promise.resolve(record), {
    concurrency: 5,
    maxParked: 1,
  });
  const taken: unknown[] = [];
  await assert.rejects(async () => {
    for await (const finished of pool.outcomes()) {
      taken.push(...finished);
    }
  }, /the file broke/);
  assert.deepEqual(taken, [1, 2]);
});

Deno.test("SlotPool ends immediately when stopped, even if its source never settles", async () => {
  const pool = new SlotPool(
    { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) },
    () => Promise.resolve(),
    { concurrency: 1, maxParked: 1 },
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
  }, { concurrency: 6, maxParked: 1 });
  const taken: number[] = [];
  for await (const finished of pool.outcomes()) {
    await new Promise((resolve) => setTimeout(resolve, 3));
    taken.push(...finished);
  }
  assert.deepEqual(taken.toSorted((a, b) => a - b), range(50));
});
