import assert from "node:assert/strict";
import fc from "fast-check";
import { RateLimiter } from "../../lib/scheduling/rate_limiter.ts";

/** Starts requests that arrive at the given times as early as allowed; returns their start times. */
function starts(limiter: RateLimiter, arrivals: readonly number[]): number[] {
  let now = 0;
  return arrivals.map((at) => {
    now = Math.max(now, at, limiter.nextAt);
    limiter.take(now);
    return now;
  });
}

function assertWithin(times: readonly number[], perSecond: number): void {
  for (const start of times) {
    const window = times.filter((time) => time >= start && time < start + 1000);
    assert.ok(window.length <= perSecond, `${window.length} in one second, limit ${perSecond}`);
  }
}

Deno.test("RateLimiter spaces requests evenly", () => {
  const times = starts(new RateLimiter(10), [0, 0, 0, 0, 0]);
  assert.deepEqual(times.map(Math.round), [0, 100, 200, 300, 400]);
});

Deno.test("RateLimiter supports rates below one request per second", () => {
  assert.deepEqual(starts(new RateLimiter(0.5), [0, 0, 0]), [0, 2000, 4000]);
});

Deno.test("RateLimiter is exact for fractions over time", () => {
  for (const perSecond of [1.5, 1.95, 2.01, 10.5]) {
    const times = starts(new RateLimiter(perSecond), Array(200).fill(0));
    assert.ok(Math.abs(199_000 / times.at(-1)! - perSecond) < 0.01, `${perSecond}`);
    assertWithin(times, Math.ceil(perSecond));
  }
});

const arrivalTimes = fc.array(fc.integer({ min: 0, max: 1500 }), { minLength: 1, maxLength: 80 })
  .map((pauses) => {
    let now = 0;
    return pauses.flatMap((pause) => [now += pause, now]);
  });

Deno.test("RateLimiter never exceeds the limit in any second, for any arrival times", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 20 }), arrivalTimes, (perSecond, arrivals) => {
    assertWithin(starts(new RateLimiter(perSecond), arrivals), perSecond);
  }));
});

Deno.test("RateLimiter respects the larger of two limits while it changes", () => {
  const limit = fc.integer({ min: 1, max: 20 });
  fc.assert(
    fc.property(limit, limit, arrivalTimes, arrivalTimes, (first, second, before, after) => {
      const limiter = new RateLimiter(first);
      const times = starts(limiter, before);
      limiter.setRate(second);
      const end = times.at(-1)!;
      times.push(...starts(limiter, after.map((at) => at + end)));
      assertWithin(times, Math.max(first, second));
      assertWithin(times.slice(before.length), second);
    }),
  );
});

Deno.test("RateLimiter respects limits of any size with little memory", () => {
  const arrivals = Array.from({ length: 60_000 }, () => 0);
  const times = starts(new RateLimiter(25_000), arrivals);
  for (let i = 25_000; i < times.length; i++) {
    assert.ok(times[i] - times[i - 25_000] > 999.9, `${times[i] - times[i - 25_000]} ms`);
  }
  assert.ok(times.at(-1)! < 2410);
  assert.doesNotThrow(() => new RateLimiter(1e15).take(0));
});
