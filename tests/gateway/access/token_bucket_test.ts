/** Token buckets: the rate holds on average, and delays are exact. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { TokenBucket } from "../../../lib/gateway/access/token_bucket.ts";

Deno.test("a bucket gives out its capacity and what has refilled, and no more", () => {
  const requests = fc.array(
    fc.record({ wait: fc.nat(5000), amount: fc.integer({ min: 1, max: 40 }) }),
    { maxLength: 200, size: "max" },
  );
  fc.assert(
    fc.property(fc.integer({ min: 40, max: 600 }), requests, (perMinute, requests) => {
      const bucket = new TokenBucket(perMinute, 0);
      let now = 0;
      let taken = 0;
      for (const { wait, amount } of requests) {
        now += wait;
        const delay = bucket.delay(amount, now);
        if (delay > 0) {
          // Not before the announced time, and then indeed.
          assert(bucket.delay(amount, now + delay * 0.99 - 0.1) > 0);
          now += delay;
          assert.equal(bucket.delay(amount, now + 0.001), 0);
        }
        bucket.take(amount, now);
        taken += amount;
        assert(taken <= perMinute + now / 60_000 * perMinute + 1e-3);
      }
    }),
    { seed: 18 },
  );
});

Deno.test("a bucket keeps what was used when its rate changes", () => {
  const bucket = new TokenBucket(60, 0);
  bucket.take(50, 0);
  bucket.resize(100, 0);
  assert.deepEqual(bucket.state(0), { limit: 100, remaining: 50, reset: 30 });
  bucket.resize(20, 0);
  assert.equal(bucket.state(0).remaining, 0);
  assert.equal(bucket.delay(1, 0), 93_000);
  bucket.resize(0, 0);
  assert.equal(bucket.delay(1, 0), Infinity, "a rate of 0 allows nothing");
});
