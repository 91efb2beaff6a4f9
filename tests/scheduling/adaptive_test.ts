import assert from "node:assert/strict";
import { RateLimitError } from "../../lib/errors.ts";
import type { Target } from "../../lib/scheduling/load_balancer.ts";
import { type EndpointLimitOptions, EndpointLimits } from "../../lib/scheduling/endpoint_limits.ts";
import {
  type RunOptions,
  Scheduler,
  type SchedulerOptions,
} from "../../lib/scheduling/scheduler.ts";
import { seededRandom } from "../../lib/runtime/random.ts";
import { VirtualClock } from "../support/virtual_clock.ts";
import {
  BusyServer,
  LimitedServer,
  UnreachableServer,
  UnreliableServer,
} from "../support/virtual_server.ts";

function adaptive(
  clock: VirtualClock,
  options: Partial<SchedulerOptions & EndpointLimitOptions> = {},
): { scheduler: Scheduler<Target>; limits: EndpointLimits } {
  const settings = {
    concurrency: 256,
    maxQps: undefined,
    maxTpm: undefined,
    adaptive: true,
    failureThreshold: undefined,
    recoveryTime: undefined,
    retryTimes: 3,
    retryDelay: 1,
    maxWait: 600,
    loadBalance: "fallback" as const,
    fallback: false,
    clock,
    random: seededRandom(1),
    ...options,
  };
  const limits = new EndpointLimits(settings, true);
  return { scheduler: new Scheduler([{ limits, weight: 1 }], settings), limits };
}

/** Sends `count` requests, `atOnce` concurrently, as a batch does. */
async function batch(
  clock: VirtualClock,
  scheduler: Scheduler<Target>,
  send: () => Promise<unknown>,
  count: number,
  atOnce: number,
): Promise<{ failed: number }> {
  let [begun, failed] = [0, 0];
  const options: RunOptions<Target> = { hooks: { waitForRecovery: true } };
  const work = async () => {
    while (begun < count) {
      begun++;
      await scheduler.run(send, options).catch(() => failed++);
    }
  };
  await clock.run(Promise.all(Array.from({ length: atOnce }, work)));
  return { failed };
}

for (const latency of [1, 50, 400]) {
  Deno.test(`a limit of 300 requests per second is discovered and respected at a latency of ${latency} ms`, async () => {
    const clock = new VirtualClock();
    const server = new LimitedServer(clock, 300, latency, 1);
    const { scheduler } = adaptive(clock);
    const { failed } = await batch(clock, scheduler, () => server.send(), 3000, 256);
    assert.equal(failed, 0);
    assert.equal(server.taken, 3000);
    assert.ok(clock.now() < 15_000, `${clock.now()} ms, ideal is 10,000`);
    assert.ok(server.refused < 300, `${server.refused} refused`);
  });
}

Deno.test("in the long run 90 % of the limit is used and almost nothing is refused", async () => {
  const clock = new VirtualClock();
  const server = new LimitedServer(clock, 100, 20, 1);
  const { scheduler } = adaptive(clock);
  await batch(clock, scheduler, () => server.send(), 12_000, 64);
  assert.ok(clock.now() < 120_000 / 0.9, `${clock.now()} ms, ideal is 120,000`);
  assert.ok(server.refused < 120, `${server.refused} refused`);
});

Deno.test("a limit is discovered without Retry-After", async () => {
  const clock = new VirtualClock();
  const server = new LimitedServer(clock, 50, 20);
  const { scheduler } = adaptive(clock);
  const { failed } = await batch(clock, scheduler, () => server.send(), 1000, 64);
  assert.equal(failed, 0);
  assert.ok(clock.now() < 30_000, `${clock.now()} ms, ideal is 20,000`);
  assert.ok(server.refused < 150, `${server.refused} refused`);
});

Deno.test("a raised limit is discovered", async () => {
  const clock = new VirtualClock();
  const server = new LimitedServer(clock, 50, 20, 1);
  const { scheduler, limits } = adaptive(clock);
  await batch(clock, scheduler, () => server.send(), 1000, 64);
  assert.ok(limits.rate <= 55, `${limits.rate}`);
  server.limit = 500;
  const before = clock.now();
  await batch(clock, scheduler, () => server.send(), 20_000, 64);
  const seconds = (clock.now() - before) / 1000;
  assert.ok(seconds < 150, `${seconds} s; 40 at the new limit, 400 at the old`);
});

Deno.test("requests wait while another program has exhausted the limit", async () => {
  const clock = new VirtualClock();
  const server = new LimitedServer(clock, 0, 20, 1);
  const { scheduler } = adaptive(clock);
  const work = batch(clock, scheduler, () => server.send(), 100, 64);
  clock.sleep(30_000).then(() => server.limit = 50);
  assert.equal((await work).failed, 0);
  assert.ok(clock.now() < 60_000, `${clock.now()}`);
});

Deno.test("a server that handles ten concurrent requests gets about ten", async () => {
  const clock = new VirtualClock();
  const server = new BusyServer(clock, 10, 100);
  const { scheduler, limits } = adaptive(clock);
  const { failed } = await batch(clock, scheduler, () => server.send(), 2000, 64);
  assert.equal(failed, 0);
  assert.ok(clock.now() < 20_000 * 1.5, `${clock.now()} ms, ideal is 20,000`);
  assert.ok(server.refused < 200, `${server.refused} refused`);
  assert.ok(limits.concurrency <= 20, `${limits.concurrency}`);
});

Deno.test("random refusals do not reduce the rate permanently", async () => {
  for (const [retryAfter, atLeast] of [[0, 120], [0.02, 120], [1, 5]] as const) {
    const clock = new VirtualClock();
    const server = new UnreliableServer(clock, seededRandom(5), 0.06, retryAfter);
    const { scheduler } = adaptive(clock, { concurrency: 8 });
    const { failed } = await batch(clock, scheduler, () => server.send(), 2000, 8);
    assert.equal(failed, 0);
    const perSecond = server.taken / clock.now() * 1000;
    assert.ok(
      perSecond > atLeast,
      `${perSecond} per second, Retry-After: ${retryAfter}`,
    );
  }
});

for (const retryAfter of [undefined, 0, 1]) {
  Deno.test(`random refusals cost adaptive mode less than half of the throughput (Retry-After: ${retryAfter})`, async () => {
    for (const chance of [0.1, 0.3]) {
      for (const atOnce of [8, 64]) {
        const [plain, found] = await Promise.all([false, true].map(async (adaptiveMode) => {
          const clock = new VirtualClock();
          const server = new UnreliableServer(clock, seededRandom(5), chance, retryAfter);
          const { scheduler } = adaptive(clock, { concurrency: atOnce, adaptive: adaptiveMode });
          const { failed } = await batch(clock, scheduler, () => server.send(), 1500, atOnce);
          assert.equal(failed, 0);
          return server.taken / clock.now() * 1000;
        }));
        assert.ok(
          found >= plain / 2,
          `${found} per second, ${plain} without adaptive mode (${chance}, ${atOnce} concurrent)`,
        );
      }
    }
  });
}

Deno.test("a small wave of requests that is half refused is not mistaken for a limit", async () => {
  for (const seed of [8, 10, 15]) {
    const clock = new VirtualClock();
    const server = new UnreliableServer(clock, seededRandom(seed), 0.2, 0);
    const { scheduler } = adaptive(clock, { concurrency: 50, retryTimes: 60 });
    const { failed } = await batch(clock, scheduler, () => server.send(), 800, 50);
    assert.equal(failed, 0);
    // About 210 without adaptive mode; 8 if the rate collapses.
    const perSecond = server.taken / clock.now() * 1000;
    assert.ok(perSecond > 60, `${perSecond} a second (seed ${seed})`);
  }
});

for (const [retryAfter, share] of [[undefined, 0.1], [1, 0.1], [0, 0.15]] as const) {
  Deno.test(`a real limit is not mistaken for random refusals (Retry-After: ${retryAfter})`, async () => {
    const clock = new VirtualClock();
    const server = new LimitedServer(clock, 300, 50, retryAfter);
    const { scheduler } = adaptive(clock);
    const { failed } = await batch(clock, scheduler, () => server.send(), 6000, 256);
    assert.equal(failed, 0);
    assert.ok(server.refused < 6000 * share, `${server.refused} of 6000 refused`);
    assert.ok(clock.now() < 20_000 * 1.5, `${clock.now()} ms, ideal is 20,000`);
  });
}

Deno.test("the rate does not climb beyond what is actually sent", async () => {
  const clock = new VirtualClock();
  const { scheduler, limits } = adaptive(clock);
  let requested = 0;
  let highest = 0;
  const send = async () => {
    await clock.sleep(50);
    // Refused before any request was accepted, and never again.
    if (requested++ < 40) throw new RateLimitError("slow down", { status: 429, retryAfter: 1 });
    highest = Math.max(highest, limits.rate);
  };
  // Eight concurrent requests of 50 ms: 160 per second for two minutes.
  await batch(clock, scheduler, send, 20_000, 8);
  assert.ok(highest < 1000, `${highest} a second`);
});

Deno.test("a lowered limit is discovered", async () => {
  const clock = new VirtualClock();
  const server = new LimitedServer(clock, 300, 20, 1);
  const { scheduler } = adaptive(clock);
  await batch(clock, scheduler, () => server.send(), 3000, 64);
  server.limit = 60;
  const [before, refused] = [clock.now(), server.refused];
  await batch(clock, scheduler, () => server.send(), 3000, 64);
  const seconds = (clock.now() - before) / 1000;
  assert.ok(seconds < 50 * 1.4, `${seconds} s, ideal is 50`);
  assert.ok(server.refused - refused < 300, `${server.refused - refused} refused`);
});

Deno.test("an unlimited server gets the full concurrency within a few rounds", async () => {
  const clock = new VirtualClock();
  const server = new LimitedServer(clock, 1e9, 200);
  const { scheduler, limits } = adaptive(clock);
  await batch(clock, scheduler, () => server.send(), 5000, 256);
  assert.equal(limits.concurrency, 256);
  assert.equal(server.mostInFlight, 256);
  // 5000 / 256 rounds of 200 ms are 4 s; the start costs a few rounds more.
  assert.ok(clock.now() < 5200, `${clock.now()}`);
});

Deno.test("requests start without bursts, and slow answers do not hold the others up", async () => {
  const clock = new VirtualClock();
  const random = seededRandom(3);
  const { scheduler } = adaptive(clock, { concurrency: 1000 });
  const starts: number[] = [];
  let [inFlight, fullAt] = [0, Infinity];
  const send = async () => {
    starts.push(clock.now());
    if (++inFlight === 950) fullAt = Math.min(fullAt, clock.now());
    await clock.sleep(1000 + random() * 8000);
    inFlight--;
  };
  await batch(clock, scheduler, send, 4000, 1000);
  assert.ok(fullAt < 16_000, `${fullAt} ms; answers take 5,000 on average`);
  // A full server answers 20 requests in a tenth of a second, and each allows one more.
  const burst = Math.max(
    ...starts.map((from) =>
      from === 0 ? 0 : starts.filter((at) => at >= from && at < from + 100).length
    ),
  );
  assert.ok(burst < 60, `${burst} requests in a tenth of a second`);
});

Deno.test("the limit of a server on concurrent requests is barely exceeded at first", async () => {
  const clock = new VirtualClock();
  const server = new BusyServer(clock, 700, 1000);
  const { scheduler } = adaptive(clock, { concurrency: 1000 });
  await batch(clock, scheduler, () => server.send(), 3000, 1000);
  assert.ok(server.refused < 10, `${server.refused} refused`);
});

Deno.test("the configured limits are never exceeded", async () => {
  const clock = new VirtualClock();
  const server = new LimitedServer(clock, 1e9, 50);
  const { scheduler } = adaptive(clock, { concurrency: 7, maxQps: 40 });
  await batch(clock, scheduler, () => server.send(), 400, 64);
  assert.equal(server.mostInFlight <= 7, true);
  for (let at = 0; at < clock.now(); at += 100) {
    assert.ok(server.takenBetween(at, at + 1000) <= 40);
  }
});

Deno.test("an outage of 20 seconds fails no request and ends without a stampede", async () => {
  for (const atOnce of [1, 8, 256]) {
    const clock = new VirtualClock();
    const server = new UnreachableServer(clock, 5000, 25_000, 50);
    const { scheduler } = adaptive(clock, { concurrency: atOnce });
    const { failed } = await batch(clock, scheduler, () => server.send(), 500 * atOnce, atOnce);
    assert.equal(failed, 0, `${atOnce} at once`);
    assert.equal(server.taken, 500 * atOnce);
    // Requests in flight, a few early retries, then single probes.
    const late = server.knocks.filter((at) => at > 9000);
    assert.ok(late.length <= 10, `${late.length} requests into the outage, ${atOnce} at once`);
    const first = server.requestTimes.filter((at) => at >= 25_000);
    const burst = first.filter((at) => at < first[0] + 100).length;
    assert.ok(burst <= 65, `${burst} at once when it was back`);
  }
});

Deno.test("a server that stays down ends the wait after maxWait", async () => {
  const clock = new VirtualClock();
  const server = new UnreachableServer(clock, 5000, Infinity, 50);
  const { scheduler } = adaptive(clock, { concurrency: 8, maxWait: 60 });
  const errors: unknown[] = [];
  const send = () => scheduler.run(() => server.send(), { hooks: { waitForRecovery: true } });
  const work = async () => {
    while (errors.length === 0) await send().catch((error) => errors.push(error));
  };
  await clock.run(Promise.all(Array.from({ length: 8 }, work)));
  const codes = new Set(errors.map((error) => (error as { code: string }).code));
  assert.deepEqual([...codes], ["unavailable"]);
  assert.ok(clock.now() > 60_000 && clock.now() < 90_000, `${clock.now()}`);
});

Deno.test("a server that never answered fails a request with waitForRecovery like any other", async () => {
  const clock = new VirtualClock();
  const server = new UnreachableServer(clock, 0, Infinity, 1);
  const { scheduler } = adaptive(clock);
  const work = clock.run(scheduler.run(() => server.send(), { hooks: { waitForRecovery: true } }));
  await assert.rejects(work, { code: "connection" });
  assert.equal(server.requestTimes.length, 4);
});
