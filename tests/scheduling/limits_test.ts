import assert from "node:assert/strict";
import { CostTracker } from "../../lib/pricing/cost_tracker.ts";
import type { Charge } from "../../lib/scheduling/budget.ts";
import { EndpointLimits } from "../../lib/scheduling/endpoint_limits.ts";
import type { Demand, Limits, RequestReservation } from "../../lib/scheduling/limits.ts";
import { LocalLimits } from "../../lib/scheduling/local_limits.ts";
import { Scheduler } from "../../lib/scheduling/scheduler.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

const OPTIONS = {
  concurrency: 2,
  maxQps: undefined,
  maxTpm: 1000,
  adaptive: false,
  failureThreshold: undefined,
  recoveryTime: undefined,
  random: () => 0.5,
};

function demand(cost: number, tokens = 100, wake = () => {}): Demand {
  return { cost, tokens: { prompt: tokens, maxCompletion: 0 }, wake };
}

function charge(cost: number | null, tokens = 10): Charge {
  const usage = { promptTokens: tokens, completionTokens: 0, totalTokens: tokens };
  return { model: "m", endpoint: "http://h/v1", usage, cost };
}

Deno.test("LocalLimits reserves a slot, tokens and money in one step, and commits what was used", () => {
  const clock = new VirtualClock();
  const tracker = new CostTracker({ limit: 10 });
  const endpoint = new EndpointLimits(OPTIONS, true);
  const limits = new LocalLimits(clock, tracker);
  const reservation = limits.reserve(endpoint, 0, demand(4, 900))!;
  assert.deepEqual([endpoint.inFlight, tracker.reserved, reservation.cost], [1, 4, 4]);
  // The tokens are reserved, so that the next request depends on this one's answer.
  assert.equal(limits.availableAt(endpoint, 0, demand(1, 200), false), Infinity);
  reservation.commit(charge(3));
  reservation.release();
  reservation.release();
  assert.deepEqual([endpoint.inFlight, tracker.reserved, tracker.spent], [0, 0, 3]);
  assert.ok(limits.availableAt(endpoint, 1000, demand(1, 200), false) <= 1000);
});

Deno.test("a released reservation that was not committed costs nothing", () => {
  const tracker = new CostTracker({ limit: 10 });
  const endpoint = new EndpointLimits(OPTIONS, true);
  const limits = new LocalLimits(new VirtualClock(), tracker);
  limits.reserve(endpoint, 0, demand(10, 1000))!.release();
  assert.deepEqual([endpoint.inFlight, tracker.reserved, tracker.spent], [0, 0, 0]);
  assert.ok(limits.availableAt(endpoint, 0, demand(10, 1000), false) <= 0);
});

Deno.test("an answer of unknown cost and usage counts as what was reserved", () => {
  const tracker = new CostTracker({ limit: 10 });
  const endpoint = new EndpointLimits(OPTIONS, true);
  const limits = new LocalLimits(new VirtualClock(), tracker);
  const reservation = limits.reserve(endpoint, 0, demand(4, 900))!;
  reservation.commit({ ...charge(null), usage: null });
  reservation.release();
  assert.equal(tracker.spent, 4);
  assert.ok(limits.availableAt(endpoint, 1000, demand(1, 200), false) > 50_000);
});

Deno.test("while money is short, nothing is reserved and the request is woken later", () => {
  const tracker = new CostTracker({ limit: 10 });
  const endpoint = new EndpointLimits(OPTIONS, true);
  const limits = new LocalLimits(new VirtualClock(), tracker);
  const first = limits.reserve(endpoint, 0, demand(8))!;
  let woken = 0;
  const waiting = demand(5, 100, () => woken++);
  assert.equal(limits.reserve(endpoint, 0, waiting), undefined);
  assert.equal(endpoint.inFlight, 1);
  first.commit(charge(2));
  first.release();
  assert.equal(woken, 1);
  assert.throws(() => limits.reserve(endpoint, 0, demand(9)), { code: "budget_exceeded" });
});

/** Limits as several processes would share them: a block of requests is fetched before it is used up. */
class BlockLimits implements Limits {
  readonly #local: LocalLimits;
  readonly #clock: VirtualClock;
  readonly #waiting = new Set<Demand>();
  #left = 0;
  #isFetching = false;
  blocks = 0;

  constructor(clock: VirtualClock) {
    this.#local = new LocalLimits(clock, undefined);
    this.#clock = clock;
  }

  availableAt(endpoint: EndpointLimits, now: number, demand: Demand, evenIfDown: boolean): number {
    return this.#local.availableAt(endpoint, now, demand, evenIfDown);
  }

  reserve(endpoint: EndpointLimits, now: number, demand: Demand): RequestReservation | undefined {
    if (this.#left > 0) {
      this.#left--;
      this.#waiting.delete(demand);
      return this.#local.reserve(endpoint, now, demand);
    }
    this.#waiting.add(demand);
    this.#fetch();
    return undefined;
  }

  cancel(demand: Demand): void {
    this.#waiting.delete(demand);
  }

  async #fetch(): Promise<void> {
    if (this.#isFetching) return;
    this.#isFetching = true;
    await this.#clock.sleep(1000);
    this.#isFetching = false;
    this.#left = 5;
    this.blocks++;
    for (const demand of [...this.#waiting]) demand.wake();
  }
}

Deno.test("Scheduler works with limits that are fetched in blocks", async () => {
  const clock = new VirtualClock();
  const limits = new BlockLimits(clock);
  const endpoint = new EndpointLimits({ ...OPTIONS, maxTpm: undefined, concurrency: 100 }, true);
  const scheduler = new Scheduler([{ limits: endpoint, weight: 1 }], {
    retryTimes: 3,
    retryDelay: 1,
    maxWait: 600,
    loadBalance: "fallback",
    fallback: false,
    clock,
    random: () => 0.5,
    limits,
  });
  const controller = new AbortController();
  const starts: number[] = [];
  const send = (signal?: AbortSignal) =>
    scheduler.run(() => {
      starts.push(clock.now());
      return Promise.resolve();
    }, { signal });
  const aborted = send(controller.signal);
  const calls = Array.from({ length: 12 }, () => send());
  controller.abort();
  await assert.rejects(aborted, { code: "aborted" });
  await clock.run(Promise.all(calls));
  const expected = [1000, 1000, 1000, 1000, 1000, 2000, 2000, 2000, 2000, 2000, 3000, 3000];
  assert.deepEqual(starts, expected);
  assert.deepEqual([limits.blocks, endpoint.inFlight], [3, 0]);
});
