import assert from "node:assert/strict";
import type { MarkLine, PeriodLine } from "../../../lib/batch/events/event_lines.ts";
import { MAX_PERIODS, Timeline } from "../../../lib/batch/events/timeline.ts";
import { mark, period } from "./event_samples.ts";

function sum(periods: readonly PeriodLine[], value: (period: PeriodLine) => number): number {
  return periods.reduce((total, each) => total + value(each), 0);
}

Deno.test("periods become twice as long when there are more than 600, and lose no count", () => {
  const timeline = new Timeline();
  const seconds = 42_000;
  for (let i = 0; i < seconds; i++) {
    timeline.addPeriod(period(i, {
      in_flight: i % 50,
      failed: i % 3 === 0 ? { timeout: 1 } : undefined,
      retried: i % 7 === 0 ? { rate_limit: 2 } : undefined,
      cached: i % 2,
    }));
    if (i % 700 === 0) assert.ok(timeline.periods.length <= MAX_PERIODS);
  }
  const { periods } = timeline;
  assert.equal(timeline.seconds, 128);
  assert.equal(periods.length, Math.ceil(seconds / 128));
  assert.ok(periods.every(({ at, seconds }) => seconds === 128 && at % 128_000 === 0));
  assert.equal(sum(periods, ({ succeeded }) => succeeded), seconds);
  assert.equal(sum(periods, ({ completion_tokens }) => completion_tokens), seconds * 20);
  assert.equal(sum(periods, ({ failed }) => failed?.timeout ?? 0), seconds / 3);
  assert.equal(sum(periods, ({ retried }) => retried?.rate_limit ?? 0), 2 * Math.ceil(seconds / 7));
  assert.equal(sum(periods, ({ cached = 0 }) => cached), seconds / 2);
  assert.ok(Math.abs(sum(periods, ({ cost }) => cost) - seconds / 1000) < 1e-6);
  assert.equal(Math.max(...periods.map(({ in_flight }) => in_flight)), 49);
});

Deno.test("parts of a period, also of another length or out of order, are one period", () => {
  const timeline = new Timeline();
  timeline.addPeriod(period(9));
  timeline.addPeriod(period(8, { waiting: 7 }));
  timeline.addPeriod(period(4, { seconds: 4 }));
  timeline.addPeriod(period(9, { failed: { toString: 2 } as Record<string, number> }));
  timeline.addPeriod(period(10, { failed: { toString: 1 } as Record<string, number> }));
  assert.deepEqual(
    timeline.periods.map((
      { at, seconds, succeeded, waiting, failed },
    ) => [at, seconds, succeeded, waiting, failed]),
    [[4000, 4, 1, 1, undefined], [8000, 4, 4, 7, { toString: 3 }]],
  );
});

Deno.test("marks of a kind and endpoint in a period are counted as one; those of others are apart", () => {
  const timeline = new Timeline();
  timeline.addMark(mark(1000));
  timeline.addMark(mark(1500, { count: 4 }));
  timeline.addMark(mark(1600, { endpoint: "https://other.example/v1" }));
  timeline.addMark(mark(1700, { kind: "breaker_open" }));
  timeline.addMark(mark(2000));
  assert.deepEqual(
    timeline.marks.map(({ at, kind, endpoint, count }) => [at, kind, endpoint, count]),
    [
      [1000, "rate_limited", "https://example.com/v1", 5],
      [1600, "rate_limited", "https://other.example/v1", undefined],
      [1700, "breaker_open", "https://example.com/v1", undefined],
      [2000, "rate_limited", "https://example.com/v1", undefined],
    ],
  );
});

Deno.test("a pause that was written in parts is one mark", () => {
  const timeline = new Timeline();
  const pause = (at: number, seconds: number): MarkLine => {
    return { type: "mark", kind: "paused", at, seconds };
  };
  for (let at = 500; at < 60_500; at += 2000) timeline.addMark(pause(at, 2));
  timeline.addMark(pause(70_000, 1.5));
  assert.deepEqual(timeline.marks, [pause(500, 60), pause(70_000, 1.5)]);
});

Deno.test("the number of marks is bounded, also with endpoints without end", () => {
  const timeline = new Timeline();
  for (let i = 0; i < 10_000; i++) timeline.addMark(mark(i * 1000));
  assert.ok(timeline.marks.length <= 1000);
  assert.equal(timeline.marks.reduce((total, { count = 1 }) => total + count, 0), 10_000);
  for (let i = 0; i < 2000; i++) timeline.addMark(mark(i, { endpoint: `https://${i}.example` }));
  assert.ok(timeline.marks.length <= 1000);
});
