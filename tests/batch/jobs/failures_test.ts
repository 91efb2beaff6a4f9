/** Failures of provider jobs: what can be repeated, and what the user has to decide. */
import assert from "node:assert/strict";
import { createFailure, retryAfter } from "../../../lib/batch/jobs/create_failure.ts";
import { partLimits } from "../../../lib/batch/jobs/submission_limits.ts";
import { HttpError, RateLimitError } from "../../../lib/errors.ts";
import { CostTracker } from "../../../lib/pricing/cost_tracker.ts";
import { indexOf } from "../../support/fake_batch_provider.ts";
import { JobWorld, records } from "../../support/job_world.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

Deno.test("a create that does not see its file yet is repeated, another refusal is not", () => {
  const failures = [
    ["Cannot find file file-in, or organization org-1 does not have access to it.", 400],
    ["No such File object: file-in", 404],
    ["The input file is not ready: it is still pending", 400],
    ["The file is being processed", 400],
    ["The input file is not ready", 409],
    ["The file has an invalid purpose", 400],
    ["no such path", 404],
    ["Enqueued token limit reached for m", 429],
    ["overloaded", 529],
  ] as const;
  const kinds = failures.map(([providerMessage, status]) =>
    createFailure(new HttpError(`status ${status}`, { status, providerMessage }), {
      foundBy: "file",
    })
  );
  assert.deepEqual(kinds, [
    ...["later", "later", "later", "later", "later"],
    ...["invalid", "fatal", "quota", "unclear"],
  ]);
});

Deno.test("a server that asks for no wait gets the usual one", () => {
  const limited = (seconds?: number) =>
    new RateLimitError("slow down", { status: 429, retryAfter: seconds });
  assert.deepEqual([limited(0), limited(), limited(7)].map(retryAfter), [undefined, undefined, 7]);
});

Deno.test("a part has at most 10,000 rows, unless the user wants more and the API takes them", () => {
  const rows = (api: number, own?: number) => partLimits({ rows: api, bytes: 100 }, { rows: own });
  assert.deepEqual(rows(50_000), { rows: 10_000, bytes: 95 });
  assert.equal(rows(2000).rows, 2000);
  assert.equal(rows(50_000, 40_000).rows, 40_000);
  assert.equal(rows(50_000, 60_000).rows, 50_000);
});

Deno.test("a refused cancellation is reported, and the job collected at its end", async () => {
  using folder = temporaryFolder();
  const world = new JobWorld(folder.file("out.jsonl"), { foundBy: "label" });
  world.provider.runs = 7200;
  world.provider.before = (call) => {
    if (call === "cancel") throw new HttpError("not permitted", { status: 403 });
  };
  await world.run(records(10), { deadline: 3600 });
  assert.equal(world.outcomes.size, 10);
  assert.equal(world.provider.count("cancel"), 1);
  assert.match(world.notes.join("\n"), /job_1 could not be cancelled: not permitted/);
});

Deno.test("results that were deleted end the run; --resend sends their records again", async () => {
  using folder = temporaryFolder();
  const world = new JobWorld(folder.file("out.jsonl"), { foundBy: "label" });
  world.maxCost = 0.01;
  world.provider.before = (call) => {
    if (call === "results" && world.provider.jobs.size === 1) {
      throw new HttpError("no such file", { status: 404 });
    }
  };
  await assert.rejects(world.run(records(5)), { message: /no longer exist/, hint: /--resend/ });
  assert.equal(world.provider.jobs.size, 1);
  const tracker = new CostTracker({ limit: 1 });
  await world.run(records(5), { resend: true, tracker });
  assert.equal(world.provider.jobs.size, 2);
  assert.equal(world.outcomes.size, 5);
  // The first job was billed, too.
  assert.ok(tracker.spent >= 0.05, String(tracker.spent));
});

Deno.test("rows that cannot be added are a refusal of the job, which stays empty", async () => {
  using folder = temporaryFolder();
  const world = new JobWorld(folder.file("out.jsonl"), { foundBy: "label", fills: true });
  world.provider.before = (call) => {
    if (call !== "fill" || world.provider.jobs.size > 1) return;
    throw new HttpError("bad row", { status: 400, providerMessage: "requests[2]: bad row" });
  };
  await world.run(records(5));
  assert.deepEqual([...world.outcomes].map(([i, [{ ok }]]) => [i, ok]).sort(), [
    [0, true],
    [1, true],
    [2, false],
    [3, true],
    [4, true],
  ]);
  assert.deepEqual([...world.provider.jobs.values()].map(({ rows }) => rows.length), [0, 4]);
  assert.equal(world.provider.count("cancel"), 1);
});

Deno.test("without a row to blame, rows that cannot be added end the run", async () => {
  using folder = temporaryFolder();
  const world = new JobWorld(folder.file("out.jsonl"), { foundBy: "label", fills: true });
  world.provider.before = (call) => {
    if (call === "fill") throw new HttpError("no such model", { status: 400 });
  };
  await assert.rejects(world.run(records(5)), { message: /rejected the batch: no such model/ });
  assert.equal(world.outcomes.size, 0);
});

Deno.test("rows that must not share a job are in different parts", async () => {
  using folder = temporaryFolder();
  const world = new JobWorld(folder.file("out.jsonl"), { foundBy: "label" });
  const groupOf = ({ body }: { body: string }) => String(Number(/(\d+)/.exec(body)![1]) % 2);
  await world.run(records(10), {
    clientFields: { api: { ...world.provider.api(), groupOf } },
  });
  assert.equal(world.outcomes.size, 10);
  const jobs = [...world.provider.jobs.values()].map(({ rows }) => rows.map(indexOf));
  assert.deepEqual(jobs.sort(([a], [b]) => a - b), [[0, 2, 4, 6, 8], [1, 3, 5, 7, 9]]);
});

Deno.test("the user can allow more jobs at the same time than is usual", async () => {
  using folder = temporaryFolder();
  const world = new JobWorld(folder.file("out.jsonl"), {
    foundBy: "label",
    limits: { rows: 10, jobs: 2 },
  });
  let most = 0;
  world.provider.after = () => {
    const live = [...world.provider.jobs.values()].filter(({ results }) => results === undefined);
    most = Math.max(most, live.length);
  };
  await world.run(records(60), { limits: { jobs: 4 } });
  assert.equal(world.outcomes.size, 60);
  assert.equal(most, 4);
});
