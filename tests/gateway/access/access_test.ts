/** Virtual keys: who may call, and at which rates. */
import assert from "node:assert/strict";
import { openAccess } from "../../../lib/gateway/access/open_access.ts";
import type { AccessOptions } from "../../../lib/gateway/access/access_settings.ts";
import type { KeyAccess } from "../../../lib/gateway/access/key_access.ts";
import type { AccessDemand, Admission } from "../../../lib/gateway/access.ts";
import { GatewayError } from "../../../lib/gateway/gateway_error.ts";
import type { LedgerReservation, SpendRow } from "../../../lib/gateway/ledger/ledger.ts";
import { MemoryLedger } from "../../../lib/gateway/ledger/memory_ledger.ts";
import { AbortedError } from "../../../lib/errors.ts";
import { FakeTime } from "../../support/fake_time.ts";

const NEVER = new AbortController().signal;
const NOON = Date.UTC(2026, 10, 28, 12);

function demand(cost: number | null = 0, tokens = 0): AccessDemand {
  return { route: "gpt", promptTokens: tokens, completionTokens: 0, cost };
}

async function access(
  options: AccessOptions = {},
): Promise<{ access: KeyAccess; time: FakeTime }> {
  const time = new FakeTime(NOON);
  return { access: await openAccess({ clock: time, now: () => time.wall(), ...options }), time };
}

function charge(cost: number | null, tokens = 0) {
  const usage = { promptTokens: tokens, completionTokens: 0, totalTokens: tokens };
  return { model: "m", endpoint: "http://e", usage, cost };
}

async function refusal(work: Promise<Admission> | (() => unknown)): Promise<GatewayError> {
  try {
    await (typeof work === "function" ? work() : work);
  } catch (error) {
    assert(error instanceof GatewayError, `not a GatewayError: ${error}`);
    return error;
  }
  throw new Error("it was not refused");
}

Deno.test("identifies a caller by the secret of a key, which is shown only once", async () => {
  const { access: a } = await access();
  const { key, secret } = await a.keys.create("alice", {
    team: "web",
    models: ["gpt", "claude-*"],
  });
  assert.match(secret, /^sk-flexllm-[\w-]{43}$/);
  assert(secret.startsWith(key.prefix));
  assert(!JSON.stringify(a.keys.list()).includes(secret.slice(20)));
  const caller = a.authenticate(secret);
  assert.deepEqual([caller.id, caller.name, caller.team], [key.id, "alice", "web"]);
  assert(caller.mayUse("gpt") && caller.mayUse("claude-haiku") && !caller.mayUse("gpt-5"));
  assert(!caller.isMetered);
});

Deno.test("refuses missing, unknown, disabled and expired keys", async () => {
  const { access: a, time } = await access();
  assert.match((await refusal(() => a.authenticate(undefined))).hint ?? "", /virtual-key create/);
  const { secret } = await a.keys.create("alice", { expiresAt: NOON + 60_000 });
  for (const wrong of [undefined, "", "sk-flexllm-x", secret + "x", secret.slice(0, -1)]) {
    assert.equal((await refusal(() => a.authenticate(wrong))).status, 401);
  }
  a.authenticate(secret);
  await a.keys.disable("alice");
  assert.match((await refusal(() => a.authenticate(secret))).message, /"alice" is disabled/);
  await a.keys.enable("alice");
  a.authenticate(secret);
  time.advance(60_000);
  assert.match((await refusal(() => a.authenticate(secret))).message, /"alice" is expired/);
});

Deno.test("accepts calls without a key only if allowed, and until there is a key", async () => {
  const { access: closed } = await access();
  assert.equal((await refusal(() => closed.authenticate("anything"))).status, 401);
  const { access: open } = await access({ allowAnonymous: true, limits: { concurrent: 1 } });
  const caller = open.authenticate(undefined);
  assert.equal(caller.id, "");
  open.authenticate("a client that has to send something");
  using _ = await open.admit(caller, demand(), NEVER);
  assert.equal((await refusal(open.admit(caller, demand(), NEVER))).status, 429);
  await open.keys.create("alice");
  await open.keys.disable("alice");
  assert.equal((await refusal(() => open.authenticate(undefined))).status, 401);
});

Deno.test("names of keys have no line breaks, control characters or halves of characters", async () => {
  const { access: { keys } } = await access();
  for (
    const name of ["a\nb", "a\u2028b", "a\u2029b", "a\u001bb", "a\u202eb", "a\ud800b", " a", ""]
  ) {
    await assert.rejects(keys.create(name), /not a name for a key/, JSON.stringify(name));
  }
  assert.equal((await keys.create("Zoë 🙂, <b>")).key.name, "Zoë 🙂, <b>");
});

Deno.test("a rotated secret works until the end of its grace period", async () => {
  const { access: a, time } = await access();
  const first = (await a.keys.create("alice")).secret;
  const second = (await a.keys.rotate("alice", 60)).secret;
  assert.equal(a.authenticate(first).id, a.authenticate(second).id);
  time.advance(60_000);
  await refusal(() => a.authenticate(first));
  const third = (await a.keys.rotate("alice")).secret;
  await refusal(() => a.authenticate(second));
  a.authenticate(third);
});

Deno.test("limits requests per minute, and says exactly when the next is allowed", async () => {
  const { access: a, time } = await access();
  const { secret } = await a.keys.create("alice", { rpm: 3 });
  const caller = a.authenticate(secret);
  for (let i = 0; i < 3; i++) (await a.admit(caller, demand(), NEVER)).release();
  const error = await refusal(a.admit(caller, demand(), NEVER));
  assert.deepEqual([error.status, error.reason], [429, "rate_limit_exceeded"]);
  assert.match(error.message, /key "alice" allows 3 requests per minute/);
  assert.equal(error.retryAfter, 20);
  time.advance(19_999);
  await refusal(a.admit(caller, demand(), NEVER));
  time.advance(1);
  const admission = await a.admit(caller, demand(), NEVER);
  assert.equal(admission.limits.requests?.remaining, 0);
  assert.equal(Math.round(admission.limits.requests!.reset), 60);
});

Deno.test("token rates count estimates, then what was used", async () => {
  const { access: a, time } = await access();
  const { secret } = await a.keys.create("alice", { tpm: 1000 });
  const caller = a.authenticate(secret);
  assert(caller.isMetered);
  const first = await a.admit(caller, demand(0, 800), NEVER);
  assert.equal((await refusal(a.admit(caller, demand(0, 300), NEVER))).retryAfter, 6);
  first.commit(charge(0, 100));
  first.release();
  assert.equal(first.limits.tokens?.remaining, 900);
  (await a.admit(caller, demand(0, 300), NEVER)).release();
  assert.equal(first.limits.tokens?.remaining, 900, "what was not used is returned");
  // More than the limit: allowed from a full bucket, and those after it wait for longer.
  time.advance(60_000);
  const large = await a.admit(caller, demand(0, 5000), NEVER);
  large.commit(charge(0, 2000));
  large.release();
  assert.equal((await refusal(a.admit(caller, demand(0, 500), NEVER))).retryAfter, 90);
});

Deno.test("the limits of the key, its team and the gateway apply in one step", async () => {
  const { access: a } = await access({
    teams: { web: { concurrent: 2 } },
    limits: { concurrent: 3 },
  });
  const callers = [];
  for (const name of ["a", "b", "c"]) {
    const { secret } = await a.keys.create(name, {
      team: name === "c" ? undefined : "web",
      rpm: 2,
    });
    callers.push(a.authenticate(secret));
  }
  const held = [];
  for (const i of [0, 1, 2]) held.push(await a.admit(callers[i], demand(), NEVER));
  for (let i = 0; i < 5; i++) {
    const error = await refusal(a.admit(callers[0], demand(), NEVER));
    assert.match(error.message, /team "web" allows 2 concurrent/);
    assert.match(
      (await refusal(a.admit(callers[2], demand(), NEVER))).message,
      /the gateway allows 3/,
    );
  }
  held[0].release();
  held[0].release();
  // The refusals have taken nothing from the rate of the key.
  (await a.admit(callers[0], demand(), NEVER)).release();
  held.forEach((admission) => admission.release());
  assert(a.report().every(({ inFlight }) => inFlight === 0));
});

Deno.test("a used-up budget is refused at once with what is needed to understand it", async () => {
  const { access: a, time } = await access({ teams: { web: { budget: { month: 1.5 } } } });
  const { secret } = await a.keys.create("alice", { team: "web", budget: { day: 1, total: 20 } });
  const caller = a.authenticate(secret);
  const admission = await a.admit(caller, demand(0.9), NEVER);
  admission.commit(charge(0.75));
  admission.release();
  assert.equal(admission.spent, 0.75);
  const error = await refusal(a.admit(caller, demand(0.3), NEVER));
  assert.deepEqual([error.status, error.reason, error.retryAfter], [
    402,
    "budget_exceeded",
    43_200,
  ]);
  assert.equal(
    error.message,
    'the daily budget of key "alice" is $1.00: $0.75 spent, and this request may cost $0.30. ' +
      "It resets at 2026-11-29 00:00 UTC.",
  );
  time.advance(12 * 3600_000);
  (await a.admit(caller, demand(0.7), NEVER)).commit(charge(0.7));
  const month = await refusal(a.admit(caller, demand(0.1), NEVER));
  assert.match(
    month.message,
    /monthly budget of team "web" is \$1\.50: \$1\.45 spent.*2026-12-01 00:00/,
  );
  time.advance(3 * 24 * 3600_000);
  for (let i = 0; i < 18; i++) {
    const next = await a.admit(caller, demand(1), NEVER);
    next.commit(charge(1));
    next.release();
    time.advance(31 * 24 * 3600_000);
  }
  const total = await refusal(a.admit(caller, demand(1), NEVER));
  assert.match(total.message, /total budget of key "alice" is \$20\.00: .*It does not reset\./);
});

Deno.test("calls wait in order while others hold the rest of a budget", async () => {
  const { access: a } = await access({ limits: { budget: { total: 1 } } });
  const { secret } = await a.keys.create("alice");
  const caller = a.authenticate(secret);
  const first = await a.admit(caller, demand(0.8), NEVER);
  const order: string[] = [];
  const big = a.admit(caller, demand(0.5), NEVER).then((
    admission,
  ) => (order.push("big"), admission));
  const small = a.admit(caller, demand(0.1), NEVER).then((one) => (order.push("small"), one));
  first.commit(charge(0.2));
  first.release();
  const [one, two] = await Promise.all([big, small]);
  assert.deepEqual(order, ["big", "small"]);
  one.release();
  two.release();
});

Deno.test("a call waits for a bounded time, and leaves with its client", async () => {
  const { access: a, time } = await access({ limits: { budget: { total: 1 } } });
  const { secret } = await a.keys.create("alice", { concurrent: 3 });
  const caller = a.authenticate(secret);
  const first = await a.admit(caller, demand(0.8), NEVER);
  const client = new AbortController();
  const leaving = a.admit(caller, demand(0.5), client.signal);
  const waiting = refusal(a.admit(caller, demand(0.5), NEVER));
  client.abort();
  await assert.rejects(leaving, AbortedError);
  const error = await time.run(waiting);
  assert.deepEqual([error.status, error.reason, time.now()], [429, "budget_reserved", 10_000]);
  assert.match(error.message, /\$0\.00 spent, \$0\.80 reserved/);
  first.release();
  assert.deepEqual(a.report().map(({ inFlight }) => inFlight), [0, 0]);
});

/** A ledger that two gateways share, each of which hears what the other one releases. */
class SharedLedger extends MemoryLedger {
  readonly #listeners: ((scopes: readonly string[]) => void)[] = [];

  watch(onRelease: (scopes: readonly string[]) => void): void {
    this.#listeners.push(onRelease);
  }

  override commit(row: SpendRow, reservation?: LedgerReservation, remaining?: number): void {
    super.commit(row, reservation, remaining);
    for (const listener of this.#listeners) listener(["all"]);
  }
}

Deno.test("gateways that share a ledger share its budgets, and wait for each other", async () => {
  const options = { ledger: new SharedLedger(), limits: { budget: { day: 1 } } };
  const { access: one } = await access({ ...options, allowAnonymous: true });
  const { access: two } = await access({ ...options, allowAnonymous: true });
  const held = await one.admit(one.authenticate(undefined), demand(0.7), NEVER);
  const waiting = two.admit(two.authenticate(undefined), demand(0.7), NEVER);
  // Until it has found the rest of the budget reserved, twice.
  await new Promise((resolve) => setTimeout(resolve));
  held.commit(charge(0.2));
  held.release();
  const admission = await waiting;
  admission.commit(charge(0.7));
  admission.release();
  const error = await refusal(one.admit(one.authenticate(undefined), demand(0.2), NEVER));
  assert.equal(error.status, 402);
  const { secret } = await two.keys.create("alice");
  assert.equal(one.authenticate(secret).name, "alice");
});

Deno.test("an attempt after a billed one needs its own money", async () => {
  const { access: a } = await access({ limits: { budget: { total: 1 } } });
  const { secret } = await a.keys.create("alice");
  const caller = a.authenticate(secret);
  const admission = await a.admit(caller, demand(0.4), NEVER);
  await admission.renew(NEVER);
  admission.commit({ ...charge(0.4), isLost: true });
  await admission.renew(NEVER);
  assert.equal(a.report().at(-1)!.spent.total, 0.8);
  admission.commit({ ...charge(null), usage: null, isLost: true });
  assert.equal(
    a.report().at(-1)!.spent.total,
    0.8,
    "an unknown cost counts as the reserved amount",
  );
  await assert.rejects(admission.renew(NEVER), { status: 402 });
  admission.release();
  assert.equal(a.report().at(-1)!.requests, 0);
});

Deno.test("models without a price are refused under a budget unless allowed", async () => {
  const { access: a } = await access({ teams: { web: { budget: { day: 1 } } } });
  const { secret } = await a.keys.create("alice", { team: "web" });
  const caller = a.authenticate(secret);
  const error = await refusal(a.admit(caller, demand(null), NEVER));
  assert.deepEqual([error.status, error.param], [400, "model"]);
  assert.match(error.message, /"gpt" has no known price, so the budget of team "web"/);
  a.configure({ teams: { web: { budget: { day: 1 } } }, allowUnpriced: true });
  (await a.admit(a.authenticate(secret), demand(null), NEVER)).release();
});

Deno.test("new settings apply at once, and what is in use stays in use", async () => {
  const { access: a } = await access();
  const { secret } = await a.keys.create("alice", { concurrent: 1 });
  const held = await a.admit(a.authenticate(secret), demand(), NEVER);
  await a.keys.update("alice", { concurrent: 2, name: "bob", team: "web" });
  a.configure({ teams: { web: { concurrent: 1 } } });
  const second = await a.admit(a.authenticate(secret), demand(), NEVER);
  const error = await refusal(a.admit(a.authenticate(secret), demand(), NEVER));
  assert.match(error.message, /"bob" allows 2|team "web" allows 1/);
  held.release();
  second.release();
  assert.throws(
    () => a.configure({ teams: { web: { rpm: -1 } } }),
    /teams.web.rpm: expected a whole/,
  );
  assert.deepEqual(a.report().map(({ name, inFlight }) => [name, inFlight]), [
    ["bob", 0],
    ["web", 0],
    ["", 0],
  ]);
});
