/** The numbers of reports are those of the result files. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { ActiveTime } from "../../lib/report/active_time.ts";
import { logTicks } from "../../lib/report/charts/ticks.ts";
import { cutText } from "../../lib/report/cut_text.ts";
import { TimeBins } from "../../lib/report/time_bins.ts";
import { TopList } from "../../lib/report/top_list.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { collect, failure, result, START, writeLines } from "./support.ts";

/** The sums of a channel over time, by the second after the start. */
function bySecond(time: TimeBins, name: string): Record<number, number> {
  const sums: Record<number, number> = {};
  const channel = time.channels.indexOf(name);
  for (const { at, values } of time.list()) {
    const second = Math.floor((at - START) / 1000);
    if (values[channel] > 0) sums[second] = (sums[second] ?? 0) + values[channel];
  }
  return sums;
}

Deno.test("a report counts results, and places them in time", async () => {
  using folder = temporaryFolder();
  const path = writeLines(folder.path, "out.jsonl", [
    result(0, { queued: 2, first_token: 0.5 }),
    result(1, { cached: true, latency: 0, attempts: 0 }),
    result(2, { latency: 3.5, attempts: 2, endpoint: "http://gpu2/v1", finish_reason: "length" }),
    failure(3, "schema_mismatch", "the answer does not match the schema: #/items/7/name: no text"),
    failure(4, "schema_mismatch", 'the answer is not JSON ("x", 1 characters)'),
    failure(5, "timeout", "no answer"),
  ]);
  const { series: [series], runs: [run], byModel, excerpts } = await collect([path]);
  const { summary, time } = series;
  assert.equal(byModel, false);
  assert.equal(series.name, "out.jsonl");
  assert.deepEqual([summary.succeeded, summary.failed, summary.cached], [3, 3, 1]);
  assert.deepEqual(summary.errors, { schema_mismatch: 2, timeout: 1 });
  assert.deepEqual(series.attempts, [1, 1, 1, 3]);
  assert.equal(series.retries, 7);
  assert.deepEqual([...series.schemaMisses], [["#/items/*/name", 1], ["not JSON", 1]]);
  assert.equal(series.firstToken.count, 1);
  assert.ok(Math.abs(series.tokenTime.max - 0.5 / 19) < 1e-9);
  assert.deepEqual(
    series.endpoints.map(({ endpoint, succeeded }) => [endpoint, succeeded]),
    [["http://gpu1/v1", 2], ["http://gpu2/v1", 1]],
  );
  // The end of an answer is when it counts: after its time in the queue and its latency.
  assert.deepEqual(bySecond(time, "succeeded"), { 1: 1, 3: 1, 5: 1 });
  assert.deepEqual(bySecond(time, "failed:timeout"), { 5: 1 });
  assert.deepEqual(bySecond(time, "started"), { 2: 2 });
  assert.deepEqual(bySecond(time, "ended"), { 3: 1, 5: 1 });
  assert.equal(run.time.start, START + 1000);
  assert.deepEqual(excerpts.slowest.map(({ index }) => index), [2, 0]);
  assert.equal(excerpts.sample.length, 6);
  assert.equal(excerpts.sample[2].output, "answer 2");
});

Deno.test("a later result of a record replaces the earlier one", async () => {
  using folder = temporaryFolder();
  const lines = [failure(0, "timeout", "no answer"), result(1), result(0)];
  const path = writeLines(folder.path, "out.jsonl", lines);
  const { series: [{ summary, failures }], skipped } = await collect([path]);
  assert.deepEqual([summary.succeeded, summary.failed, failures.list().length], [2, 0, 0]);
  assert.equal(skipped.replaced, 1);
});

Deno.test("files are compared, requested models of one file as well", async () => {
  using folder = temporaryFolder();
  const a = writeLines(folder.path, "a.jsonl", Array.from({ length: 500 }, (_, i) => result(i)));
  const b = writeLines(folder.path, "b.jsonl", Array.from({ length: 500 }, (_, i) => result(i)));
  const { series, excerpts, runs } = await collect([a, b]);
  assert.deepEqual(series.map(({ name }) => name), ["a.jsonl", "b.jsonl"]);
  assert.equal(runs.length, 2);
  // The same records of both.
  const sampled = (position: number) =>
    excerpts.sample.filter(({ series }) => series === position).map(({ index }) => index);
  assert.equal(sampled(0).length, 100);
  assert.deepEqual(sampled(0), sampled(1));
  assert.notDeepEqual(sampled(0), Array.from({ length: 100 }, (_, i) => i));

  const merged = await collect([a, b], { merge: true });
  assert.deepEqual(merged.series.map(({ summary }) => summary.total), [1000]);

  const models = Array.from({ length: 9 }, (_, i) => result(0, { requested_model: `m${i}` }));
  const c = writeLines(folder.path, "c.jsonl", models);
  const compared = await collect([c]);
  assert.equal(compared.byModel, true);
  assert.deepEqual(
    compared.series.map(({ name, summary }) => [name, summary.total]),
    [["m0", 1], ["m1", 1], ["m2", 1], ["m3", 1], ["m4", 1], ["(others)", 4]],
  );
});

Deno.test("more files than a picture can compare are an error", async () => {
  using folder = temporaryFolder();
  const files = Array.from(
    { length: 7 },
    (_, i) => writeLines(folder.path, `${i}.jsonl`, [result(0)]),
  );
  await assert.rejects(collect(files), /compares up to 6 files, got 7/);
  const { series } = await collect(files, { merge: true });
  assert.equal(series[0].summary.total, 7);
});

Deno.test("events are used where they are", async () => {
  using folder = temporaryFolder();
  const path = writeLines(folder.path, "out.jsonl", [result(0)]);
  const run = { type: "run", at: new Date(START).toISOString(), version: "1", runtime: "deno" };
  const settings = { models: [], endpoints: [], records: 1, restored: 0, concurrency: 4 };
  const counts = { in_flight: 4, waiting: 0, succeeded: 1, prompt_tokens: 1, completion_tokens: 1 };
  const period = { type: "period", at: START, seconds: 1, ...counts, cost: 0 };
  const lines = [
    { ...run, ...settings, settings: {} },
    { ...period, retried: { rate_limit: 2 } },
    { type: "mark", at: START + 100, kind: "rate_limited" },
    "torn",
  ];
  writeFileSync(`${path}.events`, lines.map((line) => JSON.stringify(line)).join("\n"));
  const { runs: [{ events }] } = await collect([path]);
  assert.equal(events!.runs.length, 1);
  assert.equal(events!.marks.length, 1);
  assert.deepEqual(bySecond(events!.time, "retried:rate_limit"), { 0: 2 });
});

Deno.test("times stay in flat memory, and sums stay exact", () => {
  const time = new TimeBins();
  const sums = time.channel("sum");
  const largest = time.channel("max", "max");
  for (let i = 0; i < 100_000; i++) {
    time.add(START + (i * 7919 % 100_000) * 1000, sums, 2);
    time.add(START + i * 1000, largest, i);
  }
  const list = time.list();
  assert.ok(list.length > 200 && list.length <= 600, String(list.length));
  assert.equal(list.reduce((sum, { values }) => sum + values[sums], 0), 200_000);
  assert.equal(Math.max(...list.map(({ values }) => values[largest])), 99_999);
  assert.deepEqual(list, list.toSorted((a, b) => a.at - b.at));
});

Deno.test("channels are bounded", () => {
  const time = new TimeBins();
  for (let i = 0; i < 1000; i++) time.add(0, time.channel(`failed:${i}`));
  assert.equal(time.channels.length, 24);
  assert.equal(time.list()[0].values.reduce((sum, value) => sum + value), 1000);
});

Deno.test("rests are left out of the elapsed time, short pauses are not", () => {
  const spans = [{ from: 0, to: 10_000 }, { from: 40_000, to: 50_000 }, {
    from: 9_000_000,
    to: 9_010_000,
  }];
  const time = new ActiveTime(spans);
  assert.equal(time.seconds, 60);
  assert.deepEqual(time.rests, [{ at: 50, seconds: 8950 }]);
  assert.deepEqual([0, 45_000, 1_000_000, 9_005_000].map((at) => time.elapsed(at)), [
    0,
    45,
    50,
    55,
  ]);
});

Deno.test("the largest items stay, the first ones among equals", () => {
  const list = new TopList<string>(2);
  let created = 0;
  for (const [key, item] of [[1, "a"], [3, "b"], [1, "c"], [3, "d"], [2, "e"]] as const) {
    list.add(key, () => (created++, item));
  }
  assert.deepEqual(list.list(), ["b", "d"]);
  assert.equal(created, 3);
});

Deno.test("texts are cut by the bytes that they take in the page", () => {
  assert.equal(cutText("short", 5), "short");
  assert.equal(cutText("longer", 5), "longe…");
  assert.equal(cutText("\u202eevil\u2066", 20), "\ufffdevil\ufffd");
  assert.equal(cutText("<<<", 12), "<<…");
  assert.equal(cutText("日本語", 6), "日本…");
  assert.equal(cutText("😀😀", 7), "😀…");
  assert.equal(cutText("a\0b\x1b[1m\ud800", 100), "a\ufffdb\ufffd[1m\ufffd");
});

Deno.test("a short logarithmic axis has marks", () => {
  const labels = (from: number, to: number) =>
    logTicks(from, to, String).map(({ label }) => label).join(" ");
  assert.equal(labels(0.27, 0.45), "0.3 0.4");
  assert.equal(labels(0.9, 6), "1 2 5");
  assert.equal(labels(0.9, 1200), "1 10 100 1000");
});
