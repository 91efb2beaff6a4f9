import assert from "node:assert/strict";
import { ConnectionError, HttpError, InvalidInputError, RateLimitError } from "../../lib/errors.ts";
import type { Target } from "../../lib/scheduling/load_balancer.ts";
import { type EndpointLimitOptions, EndpointLimits } from "../../lib/scheduling/endpoint_limits.ts";
import type { RetryNotice } from "../../lib/chat/retry_notice.ts";
import { Scheduler, type SchedulerOptions } from "../../lib/scheduling/scheduler.ts";
import { CostTracker } from "../../lib/pricing/cost_tracker.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

function scheduler(
  clock: VirtualClock,
  options: Partial<SchedulerOptions & EndpointLimitOptions> = {},
): Scheduler<Target> {
  const settings = {
    concurrency: 2,
    maxQps: undefined,
    maxTpm: undefined,
    adaptive: false,
    failureThreshold: undefined,
    recoveryTime: undefined,
    retryTimes: 3,
    retryDelay: 1,
    maxWait: 600,
    loadBalance: "fallback" as const,
    fallback: false,
    clock,
    random: () => 0.5,
    ...options,
  };
  return new Scheduler([{ limits: new EndpointLimits(settings, true), weight: 1 }], settings);
}

Deno.test("Scheduler respects the concurrency limit", async () => {
  const clock = new VirtualClock();
  const limited = scheduler(clock);
  let [running, most] = [0, 0];
  await clock.run(Promise.all(Array.from({ length: 7 }, () =>
    limited.run(async () => {
      most = Math.max(most, ++running);
      await clock.sleep(10);
      running--;
    }, {}))));
  assert.equal(most, 2);
  assert.equal(clock.now(), 40);
});

Deno.test("Scheduler doubles the backoff after each failure, then gives up", async () => {
  const clock = new VirtualClock();
  const waits: number[] = [];
  let attempts = 0;
  const work = scheduler(clock).run(() => {
    attempts++;
    return Promise.reject(new ConnectionError("down"));
  }, { hooks: { onRetryWait: ({ wait }) => waits.push(wait) } });
  await assert.rejects(clock.run(work), { code: "connection" });
  assert.equal(attempts, 4);
  assert.deepEqual(waits, [0.5, 1, 2]);
});

Deno.test("Scheduler honors Retry-After", async () => {
  const clock = new VirtualClock();
  const notices: RetryNotice[] = [];
  let attempts = 0;
  const answer = await clock.run(
    scheduler(clock, { random: () => 0 }).run(() => {
      if (attempts++ === 0) throw new RateLimitError("slow down", { status: 429, retryAfter: 17 });
      return Promise.resolve("ok");
    }, { hooks: { onRetryWait: (notice) => notices.push(notice) } }),
  );
  assert.equal(answer, "ok");
  assert.equal(clock.now(), 17_000);
  assert.equal(notices[0].failures, 1);
});

Deno.test("Scheduler does not retry errors that cannot succeed later", async () => {
  for (const error of [new HttpError("bad", { status: 400 }), new InvalidInputError("bad")]) {
    let attempts = 0;
    const work = scheduler(new VirtualClock()).run(() => {
      attempts++;
      return Promise.reject(error);
    }, {});
    await assert.rejects(work, error);
    assert.equal(attempts, 1);
  }
});

Deno.test("Scheduler runs other requests during a backoff", async () => {
  const clock = new VirtualClock();
  const limited = scheduler(clock, { concurrency: 1 });
  const order: string[] = [];
  let failed = false;
  const first = limited.run(() => {
    order.push("first");
    if (failed) return Promise.resolve();
    failed = true;
    return Promise.reject(new ConnectionError("down"));
  }, {});
  const second = limited.run(() => {
    order.push("second");
    return Promise.resolve();
  }, {});
  await clock.run(Promise.all([first, second]));
  assert.deepEqual(order, ["first", "second", "first"]);
});

Deno.test("Scheduler releases the slot after every kind of error", async () => {
  const clock = new VirtualClock();
  const limited = scheduler(clock, { concurrency: 1, retryTimes: 0 });
  await assert.rejects(limited.run(() => Promise.reject(new ConnectionError("down")), {}));
  await assert.rejects(limited.run(() => Promise.reject(new Error("a fault")), {}), /a fault/);
  assert.equal(await limited.run(() => Promise.resolve("next"), {}), "next");
});

Deno.test("an abort ends the wait for a slot and the backoff", async () => {
  const clock = new VirtualClock();
  const limited = scheduler(clock, { concurrency: 1 });
  const finishing = Promise.withResolvers<void>();
  const running = limited.run(() => finishing.promise, {});
  const controller = new AbortController();
  const waiting = limited.run(() => Promise.resolve(), { signal: controller.signal });
  controller.abort();
  await assert.rejects(waiting, { code: "aborted" });
  finishing.resolve();
  await running;
  const retrying = new AbortController();
  const work = limited.run(() => Promise.reject(new ConnectionError("down")), {
    signal: retrying.signal,
    hooks: { onRetryWait: () => setTimeout(() => retrying.abort(), 0) },
  });
  await assert.rejects(work, { code: "aborted" });
  assert.equal(await limited.run(() => Promise.resolve("free"), {}), "free");
});

Deno.test("Scheduler pauses all requests after a 429, without using up retries", async () => {
  const clock = new VirtualClock();
  const limited = scheduler(clock, { concurrency: 1, retryTimes: 1, random: () => 0 });
  const begun: [string, number][] = [];
  let refusals = 0;
  const first = limited.run(() => {
    begun.push(["first", clock.now()]);
    if (refusals++ < 5) throw new RateLimitError("later", { status: 429, retryAfter: 10 });
    return Promise.resolve();
  }, {});
  const second = limited.run(() => {
    begun.push(["second", clock.now()]);
    return Promise.resolve();
  }, {});
  await clock.run(Promise.all([first, second]));
  const times = new Set(begun.map(([, at]) => at));
  assert.deepEqual([...times], [0, 10, 20, 30, 40, 50].map((seconds) => seconds * 1000));
  assert.equal(refusals, 6);
});

Deno.test("Scheduler waits for a rate limit no longer than maxWait", async () => {
  for (const retryAfter of [99_999_999, 200]) {
    const clock = new VirtualClock();
    const work = scheduler(clock).run(() => {
      throw new RateLimitError("later", { status: 429, retryAfter });
    }, {});
    await assert.rejects(clock.run(work), { code: "rate_limit" });
    assert.ok(clock.now() <= 600_000);
  }
});

Deno.test("the backoff after a 429 and the pause of its endpoint are one wait", async () => {
  const clock = new VirtualClock();
  const limited = scheduler(clock, { concurrency: 2 });
  const retries: [wait: number, endedAt: number][] = [];
  const send = async (retryAfter: number | undefined) => {
    let wait = 0;
    let isRefused = false;
    await limited.run(() => {
      if (isRefused) return Promise.resolve();
      isRefused = true;
      return Promise.reject(new RateLimitError("later", { status: 429, retryAfter }));
    }, { hooks: { onRetryWait: (notice) => wait = notice.wait } });
    retries.push([wait, clock.now() / 1000]);
  };
  // The second request alone would back off for 0.5 s, but the first one pauses the endpoint for 10 s.
  await clock.run(Promise.all([send(10), send(undefined)]));
  assert.deepEqual(retries, [[10, 10], [10.5, 10.5]]);
});

Deno.test("a call with waitForRecovery ends as unavailable if the server returns only 429s", async () => {
  const clock = new VirtualClock();
  const limited = scheduler(clock, { maxWait: 30, adaptive: true });
  const later = () => Promise.reject(new RateLimitError("later", { status: 429, retryAfter: 1 }));
  const work = limited.run(later, { hooks: { waitForRecovery: true } });
  await assert.rejects(clock.run(work), {
    code: "unavailable",
    message: "the endpoint returned only rate-limit errors for 30 s: later",
  });
  assert.ok(clock.now() > 28_000 && clock.now() <= 30_000, `${clock.now()} ms`);
});

Deno.test("a call with waitForRecovery ends at once if Retry-After exceeds maxWait", async () => {
  const clock = new VirtualClock();
  const later = new RateLimitError("tomorrow", { status: 429, retryAfter: 7200 });
  const work = scheduler(clock, { maxWait: 30 })
    .run(() => Promise.reject(later), { hooks: { waitForRecovery: true } });
  await assert.rejects(clock.run(work), {
    code: "unavailable",
    message: "the endpoint asks to wait 7200 s, longer than the maximum wait of 30 s: tomorrow",
  });
  assert.equal(clock.now(), 0);
});

Deno.test("an endpoint is asked again after an hour, whatever Retry-After says", async () => {
  const clock = new VirtualClock();
  const one = scheduler(clock, { maxWait: 7200 });
  // The time of day in place of a duration.
  const later = new RateLimitError("later", { status: 429, retryAfter: 1_795_840_000 });
  await assert.rejects(clock.run(one.run(() => Promise.reject(later), {})));
  assert.equal(await clock.run(one.run(() => Promise.resolve("answer"), {})), "answer");
  assert.ok(clock.now() >= 3_600_000 && clock.now() < 3_700_000, `${clock.now()} ms`);
});

Deno.test("a call that is rate-limited for too long while others are answered fails alone", async () => {
  const clock = new VirtualClock();
  const limited = scheduler(clock, { maxWait: 30, concurrency: 2 });
  const later = () => Promise.reject(new RateLimitError("later", { status: 429, retryAfter: 1 }));
  const work = limited.run(later, { hooks: { waitForRecovery: true } });
  const others = (async () => {
    for (let i = 0; i < 20; i++) await limited.run(() => clock.sleep(2000), {});
  })();
  await assert.rejects(clock.run(Promise.all([work, others])), { code: "rate_limit" });
});

Deno.test("waitSignal ends waiting but not the attempts in flight", async () => {
  const clock = new VirtualClock();
  const limited = scheduler(clock, { concurrency: 1 });
  const ending = new AbortController();
  const options = { hooks: { waitSignal: ending.signal } };
  const first = limited.run(() => clock.sleep(100).then(() => "answered"), options);
  const second = limited.run(() => Promise.resolve("sent anyway"), options);
  ending.abort();
  await assert.rejects(second, { code: "aborted" });
  assert.equal(await clock.run(first), "answered");
});

Deno.test("nothing starts when one signal ends the waiting of several requests for money", async () => {
  const clock = new VirtualClock();
  const budget = new CostTracker({ limit: 10 });
  const limited = scheduler(clock, { budget, concurrency: 5 });
  const stopping = new AbortController();
  const hooks = { waitSignal: stopping.signal };
  const started: number[] = [];
  const send = (cost: number) =>
    limited.run(async () => {
      started.push(cost);
      await clock.sleep(1000);
    }, { prepare: () => cost, hooks });
  const first = send(6);
  const waiting = [send(8), send(3), send(1)];
  stopping.abort();
  for (const call of waiting) await assert.rejects(call, { code: "aborted" });
  await clock.run(first);
  assert.deepEqual(started, [6]);
  assert.equal(budget.reserved, 0);
});

Deno.test("Scheduler waits for a server that loads its model, without using up retries", async () => {
  const clock = new VirtualClock();
  const loading = () => new HttpError("Loading model", { status: 503, loading: true });
  const send = () => clock.now() < 90_000 ? Promise.reject(loading()) : Promise.resolve("answer");
  for (const waitForRecovery of [true, false]) {
    const begun = clock.now();
    assert.equal(
      await clock.run(scheduler(clock).run(send, { hooks: { waitForRecovery } })),
      "answer",
    );
    assert.ok(clock.now() - begun < 100_000);
  }
  const other = new VirtualClock();
  const limited = scheduler(other, { maxWait: 30 });
  const work = limited.run(() => Promise.reject(loading()), { hooks: { waitForRecovery: true } });
  await assert.rejects(other.run(work), { code: "unavailable" });
  assert.ok(other.now() >= 25_000 && other.now() < 60_000, `${other.now()}`);
});
