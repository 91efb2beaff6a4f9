import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { BudgetLedger } from "../../../lib/batch/journal/budget_ledger.ts";
import { CostTracker } from "../../../lib/pricing/cost_tracker.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

Deno.test("the ledger authorizes in blocks, and removes its file when the result file accounts for everything", () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  const ledger = new BudgetLedger(output, 0, 10);
  assert.equal(existsSync(`${output}.state`), false);
  ledger.authorize(0.01);
  const first = readFileSync(`${output}.state`, "utf8");
  ledger.authorize(0.05);
  assert.equal(readFileSync(`${output}.state`, "utf8"), first);
  assert.ok(JSON.parse(first).authorized >= 0.05);
  ledger.close(0.04, 0.04);
  assert.equal(existsSync(`${output}.state`), false);
});

Deno.test("after a kill, authorized money that is not in the result file counts as spent", () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  new BudgetLedger(output, 1, 10).authorize(3);
  // Killed: two dollars were in flight, of which one was still recorded.
  const next = new BudgetLedger(output, 2, 10);
  assert.ok(next.lost >= 1 && next.lost <= 1.11, `${next.lost}`);
  // A run without a budget preserves it.
  const other = new BudgetLedger(output, 5, undefined);
  assert.equal(other.lost, next.lost);
  other.close(5, 7);
  assert.equal(new BudgetLedger(output, 7, 10).lost, next.lost);
});

Deno.test("a state file with other content is reported with a hint", () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  for (const text of ["{}", '{"authorized": -1, "lost": 0}', "not JSON"]) {
    writeFileSync(`${output}.state`, text);
    assert.throws(() => new BudgetLedger(output, 0, 10), {
      code: "journal",
      message: /out\.jsonl\.state is not a state file of flexllm/,
      hint: /^Delete it if/,
    });
  }
});

Deno.test("an empty state file means that the run was killed before it sent anything", () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  writeFileSync(`${output}.state`, "");
  const ledger = new BudgetLedger(output, 1, 10);
  assert.equal(ledger.lost, 0);
  ledger.close(1, 1);
  assert.equal(existsSync(`${output}.state`), false);
});

Deno.test("the server never bills more than the budget, whichever runs are killed", () => {
  using folder = temporaryFolder();
  const request = fc.record({ worst: fc.integer({ min: 1, max: 100 }), share: fc.nat(100) });
  const run = fc.record({
    requests: fc.array(request, { maxLength: 30 }),
    atOnce: fc.integer({ min: 1, max: 10 }),
    isKilled: fc.boolean(),
  });
  let file = 0;
  fc.assert(fc.property(fc.array(run, { maxLength: 8 }), (runs) => {
    const output = folder.file(`${file++}.jsonl`);
    const limit = 5;
    let [billed, recorded] = [0, 0];
    for (const { requests, atOnce, isKilled } of runs) {
      const ledger = new BudgetLedger(output, recorded, limit);
      const tracker = new CostTracker({ limit });
      tracker.addSpent(recorded + ledger.lost);
      tracker.persist(ledger);
      const flying: { cost: number; release: () => void }[] = [];
      const land = () => {
        const { cost, release } = flying.shift()!;
        tracker.addSpent(cost);
        recorded += cost;
        release();
      };
      for (const { worst, share } of requests) {
        if (flying.length >= atOnce) land();
        const maxCost = worst / 100;
        if (maxCost > tracker.remaining) break;
        const reservation = tracker.tryReserve({ cost: maxCost, wake: () => {} })!;
        const cost = maxCost * share / 100;
        // From here on, the server bills it, whether or not its answer is read.
        billed += cost;
        flying.push({ cost, release: reservation.release });
      }
      if (isKilled) continue;
      while (flying.length > 0) land();
      ledger.close(tracker.spent, recorded);
    }
    assert.ok(billed <= limit * (1 + 1e-9), `${billed}`);
  }));
});
