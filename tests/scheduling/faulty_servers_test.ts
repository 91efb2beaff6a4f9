/** Property test: with any pool and any faults, no request waits forever. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { FlexLLMError, HttpError, RateLimitError } from "../../lib/errors.ts";
import { seededRandom } from "../../lib/runtime/random.ts";
import { LOAD_BALANCES } from "../../lib/scheduling/load_balancer.ts";
import { EndpointLimits } from "../../lib/scheduling/endpoint_limits.ts";
import { Scheduler } from "../../lib/scheduling/scheduler.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

/** One endpoint: its latency, how often it fails, and when it is down, in milliseconds. */
const ENDPOINT = fc.record({
  concurrency: fc.integer({ min: 1, max: 6 }),
  latency: fc.integer({ min: 1, max: 3000 }),
  failures: fc.constantFrom(0, 0, 0.1, 0.5, 1),
  refusals: fc.constantFrom(0, 0, 0.3),
  fatal: fc.constantFrom(0, 0, 0.05),
  downFrom: fc.constantFrom(Infinity, 0, 500, 3000),
  downFor: fc.constantFrom(1000, 20_000, Infinity),
  maxQps: fc.constantFrom(undefined, undefined, 5),
  adaptive: fc.boolean(),
  weight: fc.integer({ min: 1, max: 5 }),
});

const POOL = fc.record({
  endpoints: fc.array(ENDPOINT, { minLength: 1, maxLength: 4 }),
  loadBalance: fc.constantFrom(...LOAD_BALANCES),
  fallback: fc.boolean(),
  waitForRecovery: fc.boolean(),
  records: fc.integer({ min: 1, max: 120 }),
  workers: fc.integer({ min: 1, max: 24 }),
  seed: fc.nat(),
});

type Endpoint = typeof ENDPOINT extends fc.Arbitrary<infer T> ? T : never;

function targetOf(endpoint: Endpoint, clock: VirtualClock, random: () => number, isOnly: boolean) {
  const limits = new EndpointLimits({
    ...endpoint,
    maxTpm: undefined,
    failureThreshold: undefined,
    recoveryTime: undefined,
    random,
  }, isOnly);
  const { downFrom, downFor, failures, refusals, fatal, latency, concurrency } = endpoint;
  let moment = -1;
  let calls = 0;
  const send = async () => {
    assert.ok(limits.inFlight <= concurrency);
    const now = clock.now();
    calls = now === moment ? calls + 1 : 1;
    moment = now;
    assert.ok(calls < 1000, "a request is retried without a pause");
    if (now >= downFrom && now < downFrom + downFor) {
      throw new FlexLLMError("connection", "down", { retryable: true });
    }
    await clock.sleep(latency * (0.5 + random()));
    if (random() < fatal) throw new HttpError("no key", { status: 401 });
    if (random() < refusals) throw new RateLimitError("slow down", { status: 429, retryAfter: 2 });
    if (random() < failures) throw new HttpError("broken", { status: 500 });
  };
  return { limits, send, weight: endpoint.weight };
}

Deno.test("every request of a pool settles, whatever its endpoints do", async () => {
  await fc.assert(
    fc.asyncProperty(
      POOL,
      async ({ endpoints, records, workers, seed, waitForRecovery, ...options }) => {
        const clock = new VirtualClock();
        const random = seededRandom(seed);
        const isOnly = endpoints.length === 1;
        const targets = endpoints.map((endpoint) => targetOf(endpoint, clock, random, isOnly));
        const settings = { retryTimes: 3, retryDelay: 1, maxWait: 60, clock, random };
        const scheduler = new Scheduler(targets, { ...options, ...settings });
        let left = records;
        let ended = 0;
        const work = async () => {
          while (left > 0) {
            left--;
            await scheduler.run(({ target }) => target.send(), {
              hooks: { waitForRecovery, remaining: () => left },
            })
              .catch((error) => {
                if (!(error instanceof FlexLLMError)) throw error;
              });
            ended++;
          }
        };
        // The clock throws if everything waits forever.
        await clock.run(Promise.all(Array.from({ length: workers }, work)));
        assert.equal(ended, records);
        for (const { limits } of targets) assert.equal(limits.inFlight, 0);
      },
    ),
    { seed: 20261123, numRuns: 150 },
  );
});
