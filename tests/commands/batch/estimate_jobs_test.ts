/** How many jobs a batch would be, and what its estimate says about them. */
import assert from "node:assert/strict";
import { jobCount } from "../../../commands/batch/estimate_jobs.ts";
import { type ComparedModel, estimateLines } from "../../../commands/batch/estimate_report.ts";

const MB = 1_000_000;

Deno.test("the number of jobs follows from the limits; the first job of a large batch is small", () => {
  const limits = { rows: 10_000, bytes: 200 * MB, jobs: 10 };
  const cases: [records: number, bytes: number, jobs: number][] = [
    [0, 0, 0],
    [1, 100, 1],
    [100, 10_000, 1],
    [101, 10_100, 2],
    [10_100, MB, 2],
    [10_101, MB, 3],
    [100_000, 10 * MB, 11],
    // By size: 380 MB in jobs of 190 MB each.
    [1000, 379 * MB, 3],
    [50, 500 * MB, 3],
  ];
  for (const [records, bytes, jobs] of cases) {
    assert.equal(jobCount({ records, bytes }, limits), jobs, `${records} records, ${bytes} bytes`);
  }
  assert.equal(jobCount({ records: 1100, bytes: 1000 }, limits, { rows: 500 }), 3);
  const roomy = { ...limits, rows: 50_000 };
  assert.equal(jobCount({ records: 20_100, bytes: MB }, roomy), 3, "10,000 rows by default");
});

Deno.test("batch costs are next to the live ones, and unknown ones say why", () => {
  const lines = (model: Partial<ComparedModel>) => {
    const row: ComparedModel = {
      model: "m",
      endpoint: "https://host/v1",
      records: 2000,
      promptTokens: 1000,
      maxCompletionTokens: 5000,
      promptCost: 1,
      maxCost: 3,
      costPerThousand: 0.01,
      bytes: 1000,
      ...model,
    };
    const estimate = { models: [row], targets: 1, lowestCost: 1, highestCost: 3 };
    return estimateLines({ ...estimate, images: 0, sampled: false });
  };
  const batch = { promptCost: 0.5, maxCost: 1.5, costPerThousand: 0.005, jobs: 2, problem: "?" };
  assert.equal(
    lines({ batch })[3],
    "  batch:  $0.50 for the input, $1.50 in total; about 2 jobs (--via provider)",
  );
  assert.equal(
    lines({ maxCompletionTokens: null, maxCost: null, batch: { ...batch, maxCost: null } })[3],
    "  batch:  $0.50 for the input, $10.00 for 1,000 tokens per record; about 2 jobs (--via provider)",
  );
  const unknown = { ...batch, promptCost: null, maxCost: null, costPerThousand: null, jobs: 1 };
  assert.equal(
    lines({ batch: { ...unknown, problem: "the discount depends on the model" } })[3],
    "  batch:  cost unknown (the discount depends on the model); about 1 job (--via provider)",
  );
  assert.ok(!lines({}).some((line) => line.includes("batch")));
});
