import assert from "node:assert/strict";
import fc from "fast-check";
import { RateLimiter } from "../../lib/scheduling/rate_limiter.ts";

/** Takes requests that ask at the given moments, each as soon as it may; gives when they went. */
function grants(limiter: RateLimiter, asked: readonly number[]): number[] {
  let now = 0;
  return asked.map((at) => {
    now = Math.max(now, at, limiter.nextAt);
    limiter.take(now);
    return now;
  });
}

function assertWithin(times: readonly number[], perSecond: number): void {
  for (const start of times) {
    const window = times.filter((time) => time >= start && time < start + 1000);
    assert.ok(window.length <= perSecond, `${window.length} in a second, limit ${perSecond}`);
  }
}

Deno.test("RateLimiter spaces requests evenly", () => {
  const times = grants(new RateLimiter(10), [0, 0, 0, 0, 0]);
  assert.deepEqual(times.map(Math.round), [0, 100, 200, 300, 400]);
});

Deno.test("RateLimiter lets less than one a second go", () => {
  assert.deepEqual(grants(new RateLimiter(0.5), [0, 0, 0]), [0, 2000, 4000]);
});

const moments = fc.array(fc.integer({ min: 0, max: 1500 }), { minLength: 1, maxLength: 80 })
  .map((pauses) => {
    let now = 0;
    return pauses.flatMap((pause) => [now += pause, now]);
  });

Deno.test("RateLimiter never grants more than the limit in any second, whatever the pauses", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 20 }), moments, (perSecond, asked) => {
    assertWithin(grants(new RateLimiter(perSecond), asked), perSecond);
  }));
});

Deno.test("RateLimiter keeps to the larger of two limits over a change of it", () => {
  const limit = fc.integer({ min: 1, max: 20 });
  fc.assert(fc.property(limit, limit, moments, moments, (first, second, before, after) => {
    const limiter = new RateLimiter(first);
    const times = grants(limiter, before);
    limiter.setRate(second);
    const end = times.at(-1)!;
    times.push(...grants(limiter, after.map((at) => at + end)));
    assertWithin(times, Math.max(first, second));
    assertWithin(times.slice(before.length), second);
  }));
});

Deno.test("RateLimiter keeps to limits of any size with little memory", () => {
  const asked = Array.from({ length: 60_000 }, () => 0);
  const times = grants(new RateLimiter(25_000), asked);
  for (let i = 25_000; i < times.length; i++) {
    assert.ok(times[i] - times[i - 25_000] > 999.9, `${times[i] - times[i - 25_000]} ms`);
  }
  assert.ok(times.at(-1)! < 2410);
  assert.doesNotThrow(() => new RateLimiter(1e15).take(0));
});
