import assert from "node:assert/strict";
import { GatewayError } from "../../lib/gateway/gateway_error.ts";
import { DispatchGroup } from "../../lib/scheduling/dispatch_group.ts";
import { EndpointLimits } from "../../lib/scheduling/endpoint_limits.ts";
import type { LoadBalance, Target } from "../../lib/scheduling/load_balancer.ts";
import { Scheduler } from "../../lib/scheduling/scheduler.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

const LIMITS = {
  concurrency: 1,
  maxQps: undefined,
  maxTpm: undefined,
  adaptive: false,
  failureThreshold: undefined,
  recoveryTime: undefined,
  random: () => 0.5,
};

function target(): Target {
  return { limits: new EndpointLimits(LIMITS, false), weight: 1 };
}

function schedulerOf(
  targets: readonly Target[],
  clock: VirtualClock,
  group?: DispatchGroup,
  loadBalance: LoadBalance = "fallback",
): Scheduler<Target> {
  return new Scheduler(targets, {
    ...LIMITS,
    retryTimes: 0,
    retryDelay: 1,
    maxWait: 600,
    loadBalance,
    fallback: true,
    clock,
    group,
  });
}

Deno.test("A slot that one queue releases wakes the requests of another one", async () => {
  const clock = new VirtualClock();
  const group = new DispatchGroup();
  const shared = target();
  const [a, b] = [schedulerOf([shared], clock, group), schedulerOf([shared], clock, group)];
  const order: string[] = [];
  const run = (scheduler: Scheduler<Target>, name: string) =>
    scheduler.run(async () => {
      order.push(name);
      await clock.sleep(10);
    }, {});
  await clock.run(Promise.all([run(a, "a"), run(b, "b"), run(b, "b"), run(a, "a")]));
  assert.deepEqual([...order].sort(), ["a", "a", "b", "b"]);
  assert.equal(clock.now(), 40);
  assert.equal(shared.limits.inFlight, 0);
  assert.equal(group.size, 0);
});

Deno.test("Queues over the same endpoint take turns", async () => {
  const clock = new VirtualClock();
  const group = new DispatchGroup();
  const shared = target();
  const schedulers = ["a", "b", "c"].map((name) => ({
    name,
    scheduler: schedulerOf([shared], clock, group),
  }));
  const order: string[] = [];
  const work = schedulers.flatMap(({ name, scheduler }) =>
    Array.from({ length: 3 }, () =>
      scheduler.run(async () => {
        order.push(name);
        await clock.sleep(1);
      }, {}))
  );
  await clock.run(Promise.all(work));
  // The first one starts at once.
  assert.deepEqual(order.slice(1, 4).sort(), ["a", "b", "c"], order.join(""));
  assert.deepEqual(order.slice(4, 7).sort(), ["a", "b", "c"], order.join(""));
});

Deno.test("A preferred endpoint is used while it is free, another one otherwise", async () => {
  for (const strategy of ["fallback", "round_robin", "least_busy"] as const) {
    const clock = new VirtualClock();
    const targets = [target(), target(), target()];
    const scheduler = schedulerOf(targets, clock, undefined, strategy);
    const used: number[] = [];
    const run = (prefers: Target) =>
      scheduler.run(async (grant) => {
        used.push(targets.indexOf(grant.target));
        await clock.sleep(10);
      }, { prefers });
    await clock.run(run(targets[2]));
    await clock.run(run(targets[2]));
    await clock.run(Promise.all([run(targets[1]), run(targets[1])]));
    assert.deepEqual(used.slice(0, 3), [2, 2, 1], strategy);
    assert.notEqual(used[3], 1, strategy);
  }
});

Deno.test("A retry does not go back to a preferred endpoint that has just failed", async () => {
  const clock = new VirtualClock();
  const targets = [target(), target()];
  const { ConnectionError } = await import("../../lib/errors.ts");
  const used: number[] = [];
  await clock.run(
    schedulerOf(targets, clock).run((grant) => {
      used.push(targets.indexOf(grant.target));
      return used.length === 1 ? Promise.reject(new ConnectionError("down")) : Promise.resolve();
    }, { prefers: targets[1] }),
  );
  assert.deepEqual(used, [1, 0]);
});

Deno.test("A request can refuse to wait", async () => {
  const clock = new VirtualClock();
  const scheduler = schedulerOf([target()], clock);
  const first = scheduler.run(() => clock.sleep(10), {});
  const refusal = new GatewayError(429, "too many", { reason: "queue_full" });
  const second = scheduler.run(() => Promise.resolve(), {
    onWait() {
      throw refusal;
    },
  });
  await assert.rejects(second, refusal);
  await clock.run(first);
  let isCalled = false;
  await scheduler.run(() => Promise.resolve(), { onWait: () => isCalled = true });
  assert.equal(isCalled, false);
});

Deno.test("Another model at a server shares its slots, but not its health", async () => {
  const clock = new VirtualClock();
  const limits = new EndpointLimits(LIMITS, false);
  const other = limits.forAnotherModel();
  const first = limits.begin(0);
  assert.equal(other.inFlight, 1);
  assert.equal(other.availableAt(0, { prompt: 0, maxCompletion: 0 }, false), Infinity);
  const { HttpError } = await import("../../lib/errors.ts");
  const missing = new HttpError("no such model", { status: 404 });
  limits.failed(clock.now(), { at: 0, order: first }, missing);
  limits.end();
  assert.equal(limits.isDown, true);
  assert.equal(other.isDown, false);
  assert.equal(other.inFlight, 0);
});
