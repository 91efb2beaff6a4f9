/**
 * Whatever calls do, and whenever the gateway is killed, a provider never bills more than the budgets of a key, its
 * team and the gateway; and nothing stays reserved.
 */
import assert from "node:assert/strict";
import { copyFileSync, existsSync } from "node:fs";
import { setImmediate } from "node:timers";
import fc from "fast-check";
import type { Admission } from "../../../lib/gateway/access.ts";
import { GatewayError } from "../../../lib/gateway/gateway_error.ts";
import type { KeyAccess } from "../../../lib/gateway/access/key_access.ts";
import { openAccess } from "../../../lib/gateway/access/open_access.ts";
import type { KeyLimits } from "../../../lib/gateway/key_limits.ts";
import { toDollars, toNanos } from "../../../lib/gateway/ledger/money.ts";
import { dayOf, monthOf } from "../../../lib/gateway/ledger/periods.ts";
import { FakeTime } from "../../support/fake_time.ts";
import { memoryFolder, type TemporaryFolder } from "../../support/temporary_folder.ts";

/** What happens to the gateway, in this order of likelihood. */
type Step =
  | { kind: "admit"; key: number; cost: number }
  | { kind: "answer" | "lose"; call: number; share: number }
  | { kind: "abandon"; call: number }
  | { kind: "leave"; call: number }
  | { kind: "pass"; hours: number }
  | { kind: "crash"; share: number };

const index = fc.nat(20);
// Integers, because most doubles are tiny.
const share = fc.oneof(fc.constant(1), fc.nat(1000).map((share) => share / 1000));
const STEPS = fc.array(
  fc.oneof<fc.WeightedArbitrary<Step>[]>(
    {
      weight: 10,
      arbitrary: fc.record({
        kind: fc.constant("admit" as const),
        key: fc.nat(2),
        cost: fc.integer({ min: 1, max: 600_000_007 }).map((nanos) => nanos / 1e9),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constantFrom("answer" as const, "lose" as const),
        call: index,
        share,
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("abandon" as const), call: index }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("leave" as const), call: index }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant("pass" as const),
        hours: fc.integer({ min: 1, max: 300 }).map((tenths) => tenths / 10),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("crash" as const), share }) },
  ),
  { maxLength: 100, size: "max" },
);

const KEYS: Record<string, KeyLimits & { team?: string }> = {
  a: { team: "web", budget: { day: 1, total: 5 } },
  b: { team: "web", concurrent: 4, budget: { month: 1.5 } },
  c: {},
};
const TEAMS = { web: { budget: { day: 1.2 } } };
const LIMITS = { budget: { month: 4, total: 6 } };

/** Bills by scope and period, in nanodollars. */
class ProviderBills {
  readonly #sums = new Map<string, number>();

  add(name: string, day: string, nanos: number): void {
    const scopes = ["all", `key ${name}`];
    if (KEYS[name].team !== undefined) scopes.push(`team ${KEYS[name].team}`);
    for (const scope of scopes) {
      for (const period of [day, monthOf(day), "total"]) {
        const id = `${scope} ${period}`;
        this.#sums.set(id, this.of(id) + nanos);
      }
    }
  }

  of(id: string): number {
    return this.#sums.get(id) ?? 0;
  }

  check(): void {
    const limited: [string, KeyLimits][] = [["all", LIMITS], ["team web", TEAMS.web]];
    for (const [name, limits] of Object.entries(KEYS)) limited.push([`key ${name}`, limits]);
    for (const [scope, { budget = {} }] of limited) {
      for (const [id, nanos] of this.#sums) {
        if (!id.startsWith(`${scope} `)) continue;
        const period = id.slice(scope.length + 1);
        const limit = period === "total"
          ? budget.total
          : period.length === 7
          ? budget.month
          : budget.day;
        if (limit === undefined) continue;
        assert(nanos <= toNanos(limit), `${scope} was billed ${toDollars(nanos)} of ${limit}`);
      }
    }
  }
}

interface Call {
  name: string;
  cost: number;
  day: string;
  admission: Admission;
}

/** A gateway whose calls are sent to a provider that bills them. */
class World {
  readonly time = new FakeTime(Date.UTC(2026, 10, 28, 23));
  readonly bills = new ProviderBills();
  readonly folder: TemporaryFolder | undefined;
  access!: KeyAccess;
  calls: Call[] = [];
  pending: AbortController[] = [];
  secrets: string[] = [];
  crashes = 0;
  #generation = 0;

  constructor(folder: TemporaryFolder | undefined) {
    this.folder = folder;
  }

  async start(): Promise<void> {
    this.access = await this.#open();
    for (const [name, settings] of Object.entries(KEYS)) {
      this.secrets.push((await this.access.keys.create(name, settings)).secret);
    }
  }

  #open(): Promise<KeyAccess> {
    return openAccess({
      database: this.folder?.file(`gateway-${this.#generation}.db`),
      teams: TEAMS,
      limits: LIMITS,
      clock: this.time,
      now: () => this.time.wall(),
      maxBudgetWait: 3600,
    });
  }

  today(): string {
    return dayOf(this.time.wall());
  }

  bill(call: Call, nanos: number): void {
    this.bills.add(call.name, call.day, nanos);
  }

  async turns(): Promise<void> {
    for (let i = 0; i < 3; i++) {
      await this.access.flush();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  admit(key: number, cost: number): void {
    const access = this.access;
    const controller = new AbortController();
    const caller = access.authenticate(this.secrets[key]);
    this.pending.push(controller);
    const demand = { route: "r", promptTokens: 1, completionTokens: 1, cost };
    access.admit(caller, demand, controller.signal).then(
      (admission) => {
        if (access !== this.access) return;
        this.calls.push({ name: caller.name, cost, day: this.today(), admission });
      },
      (error) => {
        assert(error instanceof GatewayError || controller.signal.aborted, String(error));
      },
    ).finally(() => this.pending = this.pending.filter((one) => one !== controller));
  }

  async end(call: Call, share: number, isLost: boolean): Promise<void> {
    const nanos = Math.floor(toNanos(call.cost) * share);
    this.bill(call, nanos);
    const charge = { model: "m", endpoint: "e", usage: null, cost: toDollars(nanos), isLost };
    call.admission.commit(charge);
    if (isLost) {
      const controller = new AbortController();
      let isReady = false;
      const renewal = call.admission.renew(controller.signal)
        .then(() => isReady = true, () => {});
      await this.turns();
      // The client does not wait for long.
      controller.abort();
      await renewal;
      if (isReady) {
        call.day = this.today();
        this.calls.push(call);
        return;
      }
    }
    call.admission.release();
  }

  async crash(share: number): Promise<void> {
    if (this.folder === undefined) return;
    for (const call of this.calls) this.bill(call, Math.floor(toNanos(call.cost) * share));
    const before = this.folder.file(`gateway-${this.#generation}.db`);
    const after = this.folder.file(`gateway-${++this.#generation}.db`);
    // What is in the files at this moment is what a killed process leaves.
    for (const end of ["", "-wal"]) {
      if (existsSync(before + end)) copyFileSync(before + end, after + end);
    }
    const killed = this.access;
    this.access = await this.#open();
    this.crashes++;
    this.calls = [];
    for (const controller of this.pending) controller.abort();
    await killed.close();
  }

  async finish(): Promise<void> {
    for (const controller of this.pending) controller.abort();
    await this.turns();
    for (const call of this.calls) call.admission.release();
    const sums = new Map<string, number>();
    const rows = await this.access.keys.spending();
    for (const { key, cost } of rows) sums.set(key, (sums.get(key) ?? 0) + toNanos(cost));
    const all = Array.from(sums.values()).reduce((sum, cost) => sum + cost, 0);
    const report = this.access.report();
    assert(report.every(({ inFlight }) => inFlight === 0));
    // With open reservations, of which there are none.
    assert.equal(toNanos(report.at(-1)!.spent.total), all);
    for (const key of this.access.keys.list()) {
      const spent = report.find(({ kind, name }) => kind === "key" && name === key.name)!.spent;
      assert.equal(toNanos(spent.total), sums.get(key.id) ?? 0);
    }
    const billed = this.bills.of("all total");
    // Without a crash, the ledger agrees with the provider exactly.
    if (this.crashes === 0) assert.equal(all, billed);
    else assert(all >= billed, `${all} in the ledger, ${billed} billed`);
    await this.access.close();
  }
}

async function run(steps: readonly Step[], folder: TemporaryFolder | undefined): Promise<void> {
  const world = new World(folder);
  await world.start();
  for (const step of steps) {
    await world.turns();
    const call = "call" in step && step.kind !== "leave" && world.calls.length > 0
      ? world.calls.splice(step.call % world.calls.length, 1)[0]
      : undefined;
    if (step.kind === "admit") world.admit(step.key, step.cost);
    else if (step.kind === "leave") world.pending[step.call % world.pending.length]?.abort();
    else if (step.kind === "pass") world.time.advance(step.hours * 3600_000);
    else if (step.kind === "crash") await world.crash(step.share);
    else if (call !== undefined && step.kind === "abandon") call.admission.release();
    else if (call !== undefined && "share" in step) {
      await world.end(call, step.share, step.kind === "lose");
    }
    world.bills.check();
  }
  await world.finish();
}

Deno.test("no interleaving of calls exceeds a budget", async () => {
  await fc.assert(
    fc.asyncProperty(STEPS, (steps) => run(steps, undefined)),
    { seed: 18, numRuns: 150 },
  );
});

Deno.test("no interleaving of calls and kills exceeds a budget", async () => {
  await fc.assert(
    fc.asyncProperty(STEPS, async (steps) => {
      using folder = memoryFolder();
      await run(steps, folder);
    }),
    { seed: 18, numRuns: 40 },
  );
});
