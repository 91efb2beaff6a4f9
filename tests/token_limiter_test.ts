import assert from "node:assert/strict";
import fc from "fast-check";
import { TokenLimiter } from "../lib/scheduling/token_limiter.ts";

/** Answers requests of the given sizes, each as soon as it may go; gives when and how large they were. */
function run(
  perMinute: number,
  sizes: readonly [number, number][],
): { at: number; tokens: number }[] {
  const limiter = new TokenLimiter(perMinute);
  let now = 0;
  return sizes.map(([prompt, completion]) => {
    now = Math.max(now, limiter.nextAt);
    const at = now;
    limiter.settle(limiter.take(now, prompt), prompt, completion);
    return { at, tokens: prompt + completion };
  });
}

Deno.test("TokenLimiter gives each request the time of its tokens", () => {
  const times = run(6000, [[100, 100], [100, 300], [100, 100]]).map(({ at }) => Math.round(at));
  assert.deepEqual(times, [0, 2000 - 100, 6000 - 100]);
});

Deno.test("TokenLimiter never lets more than the limit through in a minute, but for one request", () => {
  const size = fc.tuple(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 0, max: 3000 }));
  const sizes = fc.array(size, { minLength: 5, maxLength: 60 });
  fc.assert(fc.property(fc.integer({ min: 1000, max: 20_000 }), sizes, (perMinute, sizes) => {
    const requests = run(perMinute, sizes);
    for (const { at: start } of requests) {
      const window = requests.filter(({ at }) => at >= start && at < start + 60_000);
      const sum = window.reduce((total, { tokens }) => total + tokens, 0);
      const largest = Math.max(...window.map(({ tokens }) => tokens));
      // What a late timer is made up for: a tenth of a second.
      assert.ok(sum <= perMinute * (60.1 / 60) + largest, `${sum} in a minute, limit ${perMinute}`);
    }
  }));
});
