/** A budget with provider batches: what parts hold survives kills, is never counted twice and never forgotten. */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { BudgetLedger } from "../../../lib/batch/journal/budget_ledger.ts";
import { abandonedCost, heldCost } from "../../../lib/batch/jobs/held_cost.ts";
import type { PartPhase, PartState } from "../../../lib/batch/jobs/part_events.ts";
import { CostTracker } from "../../../lib/pricing/cost_tracker.ts";
import { seededRandom } from "../../../lib/runtime/random.ts";
import type { Reservation } from "../../../lib/scheduling/budget.ts";
import { memoryFolder } from "../../support/temporary_folder.ts";

const CHARGE = { model: "m", endpoint: "http://h/v1", usage: null };

function part(phase: PartPhase, fields: Partial<PartState> = {}): PartState {
  return {
    part: "aaaaaaaaaa",
    api: "openai",
    endpoint: "http://h/v1",
    key: "",
    model: "m",
    path: "/chat/completions",
    rows: 10,
    bytes: 1000,
    sha256: "",
    prompt_tokens: 100,
    reserved: 5,
    phase,
    plannedAt: 0,
    changedAt: 0,
    attempts: 0,
    ...fields,
  };
}

Deno.test("a part holds the share of its rows without a result, as long as it may be billed", () => {
  const cases: [phase: PartPhase, left: number, held: number][] = [
    ["planned", 10, 5],
    ["uploaded", 10, 5],
    ["creating", 10, 5],
    ["unknown", 10, 5],
    ["submitted", 10, 5],
    ["submitted", 4, 2],
    ["ended", 1, 0.5],
    ["ended", 0, 0],
    ["collected", 4, 0],
    ["cleaned", 4, 0],
    ["dropped", 10, 0],
    ["abandoned", 10, 0],
  ];
  for (const [phase, left, held] of cases) {
    assert.equal(heldCost(part(phase), left), held, `${phase}, ${left} left`);
  }
  assert.equal(heldCost(part("submitted", { reserved: null }), 10), 0);
  assert.equal(heldCost(part("submitted", { rows: 0 }), 0), 0);
  const parts = [part("abandoned"), part("collected"), part("abandoned", { reserved: null })];
  assert.equal(abandonedCost(parts), 5);
});

Deno.test("rows reserve like requests, wait for each other, and are restored beyond the limit", async () => {
  const tracker = new CostTracker({ limit: 10 });
  const authorized: number[] = [];
  tracker.persist({ authorize: (total) => authorized.push(total) });
  const earlier = tracker.restore(8);
  assert.deepEqual([tracker.reserved, tracker.remaining], [8, 2]);
  const second = await tracker.reserveRows(2);
  const third = tracker.reserveRows(6);
  const live = tracker.reserve(1);
  await setImmediate();
  assert.equal(tracker.reserved, 10);
  // Half of what was reserved.
  earlier.commit({ ...CHARGE, cost: 4 });
  earlier.release();
  await setImmediate();
  assert.deepEqual([tracker.spent, tracker.reserved], [4, 2]);
  second.release();
  second.release();
  await third;
  assert.deepEqual([tracker.spent, tracker.reserved], [4, 6]);
  (await third).release();
  await live;
  // The log of the parts has the money of rows; only the live request is authorized.
  assert.deepEqual(authorized, [5]);
  const beyond = tracker.restore(100);
  assert.equal(tracker.remaining, 0);
  beyond.release();
  (await live).release();
  await assert.rejects(tracker.reserveRows(7), { code: "budget_exceeded", needed: 7 });
  assert.throws(() => tracker.restore(-1), { code: "configuration" });
});

Deno.test("a live request in flight stays authorized while rows of a part are recorded", () => {
  const tracker = new CostTracker({ limit: 10 });
  let authorized = 0;
  tracker.persist({ authorize: (total) => authorized = Math.max(authorized, total) });
  const rows = tracker.restore(4);
  const live = tracker.tryReserve({ cost: 1, wake: () => {} })!;
  assert.equal(authorized, 1);
  rows.commit({ ...CHARGE, cost: 3 });
  // After a kill now, 3 USD are in the result file, and the live request may have cost 1.
  assert.equal(authorized, 4);
  live.release();
  rows.release();
});

Deno.test("rows of unknown cost count with what was reserved, lost ones as well", () => {
  const tracker = new CostTracker({ limit: 10, allowUnpriced: true });
  const unknown = tracker.restore(3);
  unknown.commit({ ...CHARGE, cost: null, requests: 7 });
  unknown.release();
  // What is committed is released.
  tracker.restore(2).commit({ ...CHARGE, cost: null, isLost: true });
  assert.deepEqual([tracker.spent, tracker.reserved], [5, 0]);
  const [row] = tracker.report();
  assert.deepEqual([row.requests, row.unpriced, row.cost], [7, 7, 2]);
});

/** What is on disk and at the server, which a kill doesn't change. */
class World {
  readonly parts: PartState[] = [];
  /** The costs in the result file, by part and row, and those of live requests. */
  readonly recorded = new Map<string, number>();
  /** What the server billed, or will at most. */
  billed = 0;
  /** Of that, what live requests may have cost whose results a kill lost. */
  lostLive = 0;
  kills = 0;

  get recordedCost(): number {
    let sum = 0;
    for (const cost of this.recorded.values()) sum += cost;
    return sum;
  }

  /** Rows of a part without a result. */
  left({ part, rows }: PartState): number {
    let left = 0;
    for (let row = 0; row < rows; row++) if (!this.recorded.has(`${part} ${row}`)) left++;
    return left;
  }

  get held(): number {
    return this.parts.reduce((sum, part) => sum + heldCost(part, this.left(part)), 0);
  }
}

class Killed extends Error {}

/** One run of the command, which is killed at a random step. */
async function run(
  world: World,
  output: string,
  limit: number,
  random: () => number,
  hasLive: boolean,
): Promise<void> {
  const step = () => {
    if (random() < 0.08) throw new Killed();
  };
  const abandoned = abandonedCost(world.parts);
  const ledger = new BudgetLedger(output, world.recordedCost, limit, abandoned);
  const tracker = new CostTracker({ limit });
  tracker.addSpent(world.recordedCost + ledger.lost + abandoned);
  const money = new Map<PartState, Reservation>();
  for (const part of world.parts) {
    const held = heldCost(part, world.left(part));
    if (part.phase === "submitted") money.set(part, tracker.restore(held));
  }
  tracker.persist(ledger);
  const known = tracker.spent + tracker.reserved;
  const expected = world.recordedCost + world.held + abandoned;
  if (!hasLive) {
    assert.ok(Math.abs(known - expected) < 1e-9, `counts ${known}, not ${expected}`);
  } else {
    assert.ok(known >= expected - 1e-9, `forgot ${expected - known}`);
    // At most a block of the budget and the requests in flight for each kill.
    const slack = world.lostLive + world.kills * (limit / 100 + 0.3);
    assert.ok(known <= expected + slack + 1e-9, `counts ${known - expected} twice`);
  }
  for (let i = 0; i < 20; i++) {
    step();
    const action = random();
    const live = [...money.keys()].filter(({ phase }) => phase === "submitted");
    if (action < 0.4 || live.length === 0) {
      const reserved = Math.round(random() * 200 + 1) / 100;
      if (reserved > tracker.remaining) continue;
      const reservation = await tracker.reserveRows(reserved);
      step();
      const planned = part("submitted", {
        part: `p${world.parts.length}`,
        rows: 1 + Math.floor(random() * 5),
        reserved,
      });
      world.parts.push(planned);
      money.set(planned, reservation);
      // From here on, the server may bill all of it.
      step();
    } else if (action < 0.7) {
      const part = live[Math.floor(random() * live.length)];
      let cost = 0;
      for (let row = 0; row < part.rows; row++) {
        step();
        const key = `${part.part} ${row}`;
        if (world.recorded.has(key)) continue;
        const billed = random() * part.reserved! / part.rows;
        cost += billed;
        world.recorded.set(key, billed);
        world.billed += billed;
      }
      step();
      part.phase = "collected";
      step();
      money.get(part)!.commit({ ...CHARGE, cost });
      money.get(part)!.release();
    } else if (action < 0.75) {
      const part = live[Math.floor(random() * live.length)];
      const open = heldCost(part, world.left(part));
      part.phase = "abandoned";
      // Nobody sees the results, but the job may run.
      world.billed += open;
      step();
      money.get(part)!.commit({ ...CHARGE, cost: part.reserved, isLost: true });
      money.get(part)!.release();
    } else if (hasLive) {
      const cost = random() * 0.3;
      if (cost > tracker.remaining) continue;
      const reservation = await tracker.reserve(cost);
      world.billed += cost;
      world.lostLive += cost;
      step();
      world.recorded.set(`live ${world.recorded.size} ${random()}`, cost);
      world.lostLive -= cost;
      reservation.commit({ ...CHARGE, cost });
      reservation.release();
    }
    const total = world.billed + world.held;
    assert.ok(total <= limit + 1e-9, `the server may bill ${total} of ${limit}`);
  }
  ledger.close(tracker.spent, world.recordedCost, abandonedCost(world.parts));
}

for (const hasLive of [false, true]) {
  const title = hasLive ? "with live requests in between" : "and nothing is counted that is not";
  Deno.test(`parts stay within the budget whichever runs are killed, ${title}`, async () => {
    for (let seed = 1; seed <= 60; seed++) {
      using folder = memoryFolder();
      const random = seededRandom(seed);
      const world = new World();
      for (let i = 0; i < 12; i++) {
        try {
          await run(world, folder.file("out.jsonl"), 10, random, hasLive);
        } catch (error) {
          if (!(error instanceof Killed)) {
            throw new Error(`seed ${seed}, run ${i}`, { cause: error });
          }
          world.kills++;
        }
      }
    }
  });
}
