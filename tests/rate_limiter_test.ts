import assert from "node:assert/strict";
import fc from "fast-check";
import { RateLimiter } from "../lib/scheduling/rate_limiter.ts";
import { VirtualClock } from "./support/virtual_clock.ts";

/** The moments at which `count` requests that ask at once are granted. */
async function grants(perSecond: number, count: number): Promise<number[]> {
  const clock = new VirtualClock();
  const limiter = new RateLimiter(perSecond, clock);
  const times: number[] = [];
  await clock.run(Promise.all(Array.from({ length: count }, async () => {
    await limiter.take();
    times.push(clock.now());
  })));
  return times;
}

Deno.test("RateLimiter spaces requests evenly", async () => {
  const times = await grants(10, 5);
  assert.deepEqual(times.map(Math.round), [0, 100, 200, 300, 400]);
});

Deno.test("RateLimiter never grants more than the limit in any second, whatever the pauses", async () => {
  const scenario = fc.record({
    perSecond: fc.integer({ min: 1, max: 20 }),
    pauses: fc.array(fc.integer({ min: 0, max: 1500 }), { minLength: 1, maxLength: 25 }),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async ({ perSecond, pauses }) => {
      const clock = new VirtualClock();
      const limiter = new RateLimiter(perSecond, clock);
      const times: number[] = [];
      const callers = (async () => {
        const pending: Promise<unknown>[] = [];
        for (const pause of pauses) {
          await clock.sleep(pause);
          pending.push(limiter.take().then(() => times.push(clock.now())));
          pending.push(limiter.take().then(() => times.push(clock.now())));
        }
        await Promise.all(pending);
      })();
      await clock.run(callers);
      for (const start of times) {
        const window = times.filter((time) => time >= start && time < start + 1000);
        assert.ok(window.length <= perSecond, `${window.length} in a second, limit ${perSecond}`);
      }
    }),
    { numRuns: 25 },
  );
});

Deno.test("RateLimiter passes the turn on when a caller is cancelled", async () => {
  const clock = new VirtualClock();
  const limiter = new RateLimiter(1, clock);
  await limiter.take();
  const controller = new AbortController();
  const cancelled = limiter.take(controller.signal);
  const next = limiter.take();
  setTimeout(() => controller.abort(), 0);
  await assert.rejects(cancelled, { code: "aborted" });
  await clock.run(next);
  assert.equal(clock.now(), 1000);
});
