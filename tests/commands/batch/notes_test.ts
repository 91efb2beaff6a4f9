/** Warnings and notes before a batch is sent. */
import assert from "node:assert/strict";
import { ModelCheck, otherModels } from "../../../commands/batch/model_check.ts";
import { nothingToSend, type WarningContext, warnings } from "../../../commands/batch/notes.ts";
import { CostTracker } from "../../../lib/pricing/cost_tracker.ts";

function context(changes: {
  lost?: number;
  limit?: number;
  invalid?: number;
  schema?: string;
  unparsed?: number;
}): WarningContext {
  const { lost = 0, limit, invalid = 0, schema, unparsed = 0 } = changes;
  return {
    batch: {
      output: "out.jsonl",
      flags: { schema } as WarningContext["batch"]["flags"],
      prepared: {
        models: [{ client: { concurrencyLimit: 10 } }],
        costTracker: new CostTracker({ limit }),
      } as unknown as WarningContext["batch"]["prepared"],
    },
    journal: { existing: { unparsed } as WarningContext["journal"]["existing"] },
    check: { invalid },
    lost,
  };
}

Deno.test("an ordinary batch has no warnings", () => {
  assert.deepEqual(warnings(context({})), []);
  assert.deepEqual(warnings(context({ limit: 5, schema: "s.json" })), []);
});

Deno.test("lost costs, skipped lines and missing schemas cause warnings", () => {
  assert.deepEqual(warnings(context({ lost: 0.5 })), [], "only with a budget");
  assert.deepEqual(warnings(context({ unparsed: 2 })), [], "only with a schema");
  assert.deepEqual(
    warnings(context({ lost: 0.5, limit: 5, invalid: 2, schema: "s.json", unparsed: 1 })),
    [
      "an interrupted run may have spent up to $0.50 on answers that were lost; " +
      "it counts towards the budget",
      "skipped 2 unusable input lines",
      "out.jsonl has 1 answer from a run without --schema. " +
      "To get all answers with it, choose a new output file.",
    ],
  );
});

Deno.test("a batch without records to send says why", () => {
  const cases: [total: number, errors: number, retryFailed: boolean | undefined, note: string][] = [
    [60, 0, undefined, "All 60 records are already done"],
    [1, 0, undefined, "The record is already done"],
    [0, 0, undefined, "There are no records to send"],
    [0, 0, true, "No record has failed"],
    [5, 0, false, "All 5 records are already done"],
    [5, 1, false, "1 failed earlier and was skipped, the other 5 are already done"],
    [1, 3, false, "3 failed earlier and were skipped, the other 1 is already done"],
    [0, 3, false, "3 failed earlier and were skipped"],
  ];
  for (const [total, errors, retryFailed, note] of cases) {
    const flags = { retryFailed } as Parameters<typeof nothingToSend>[2];
    assert.equal(nothingToSend(total, { errors }, flags), note);
  }
});

Deno.test("models are the same if one name contains the other", () => {
  const existing = new Map([["gpt-5.4-mini-2026-03-01", 3], ["Org/Qwen3", 1]]);
  assert.equal(otherModels(["gpt-5.4-mini", "qwen3"], existing), undefined);
  assert.equal(otherModels(["qwen3"], existing), "3 answers from gpt-5.4-mini-2026-03-01");
});

Deno.test("answers from other models are listed, up to three names", () => {
  const existing = new Map([["a", 1], ["b", 2], ["c", 3], ["d", 4]]);
  assert.equal(otherModels(["x"], existing), "10 answers from a, b, c and others");
  assert.equal(otherModels(["x"], new Map([["a", 1]])), "1 answer from a");
  assert.equal(otherModels(["x"], new Map()), undefined);
});

Deno.test("the first answer decides whether the models really differ", () => {
  const options = { targets: [{ model: "default" }], model: "default", output: "out.jsonl" };
  const warned: string[] = [];
  const check = new ModelCheck({ ...options, existing: new Map([["qwen3", 2]]) });
  check.answered("qwen3", (warning) => warned.push(warning));
  assert.deepEqual([warned, check.warning], [[], undefined], "another name of the same model");
  const other = new ModelCheck({ ...options, existing: new Map([["qwen3", 2]]) });
  for (let i = 0; i < 3; i++) other.answered("llama", (warning) => warned.push(warning));
  assert.deepEqual(warned, [
    "out.jsonl has 2 answers from qwen3; this run uses default. " +
    "To get all answers from it, choose a new output file.",
  ]);
});
