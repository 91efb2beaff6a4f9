/** What every ledger must do: keys, reservations, spending. */
import assert from "node:assert/strict";
import {
  ALL_SCOPE,
  keyScope,
  type Ledger,
  type LedgerReservation,
  type ReserveRequest,
  type ScopeBudget,
  type SpendRow,
  type StoredKey,
  teamScope,
} from "../../../lib/gateway/ledger/ledger.ts";
import { MemoryLedger } from "../../../lib/gateway/ledger/memory_ledger.ts";
import { openSharedLedger } from "../../../lib/gateway/ledger/shared/open_shared_ledger.ts";
import { openSqliteLedger } from "../../../lib/gateway/ledger/sqlite_ledger.ts";
import { DEFAULT_STORE_LOSS } from "../../../lib/redis/redis_settings.ts";
import { RedisServer, redisServer } from "../../support/redis_server.ts";
import { memoryFolder } from "../../support/temporary_folder.ts";

const DAY = "2026-11-30";
const NEXT = "2026-12-01";

function key(name: string, rest: Partial<StoredKey> = {}): StoredKey {
  return { id: `id-${name}`, name, prefix: "sk", hash: `hash-${name}`, createdAt: 1, ...rest };
}

function request(amount: number, budget: Omit<ScopeBudget, "scope">, day = DAY): ReserveRequest {
  const budgets = [{ scope: ALL_SCOPE, ...budget }];
  return { key: "k", team: "t", route: "r", day, amount, budgets };
}

function row(cost: number, rest: Partial<SpendRow> = {}): SpendRow {
  return {
    day: DAY,
    key: "k",
    team: "t",
    model: "m",
    endpoint: "e",
    requests: 1,
    unpriced: 0,
    promptTokens: 10,
    cachedTokens: 4,
    cacheWriteTokens: 3,
    completionTokens: 5,
    reasoningTokens: 2,
    cost,
    ...rest,
  };
}

async function reserved(ledger: Ledger, request: ReserveRequest): Promise<LedgerReservation> {
  const { reservation, shortage } = await ledger.reserve(request);
  assert(reservation !== undefined, JSON.stringify(shortage));
  return reservation;
}

function totals(ledger: Ledger, scope = ALL_SCOPE, day = DAY) {
  const { spent, reserved } = ledger.balance(scope, day);
  return { spent: { ...spent }, reserved: { ...reserved } };
}

function testLedger(name: string, test: (ledger: Ledger) => Promise<void>): void {
  Deno.test(`memory: ${name}`, async () => {
    const ledger = new MemoryLedger();
    await test(ledger);
    await ledger.close();
  });
  Deno.test(`SQLite: ${name}`, async () => {
    using folder = memoryFolder();
    const ledger = await openSqliteLedger(folder.file("gateway.db"), DAY);
    try {
      await test(ledger);
    } finally {
      await ledger.close();
    }
  });
  Deno.test({
    name: `Redis: ${name}`,
    ignore: redisServer === undefined,
    async fn() {
      using folder = memoryFolder();
      await using server = await RedisServer.start();
      const { ledger } = await openSharedLedger({
        redis: { address: server.address(), onStoreLoss: DEFAULT_STORE_LOSS },
        database: folder.file("gateway.db"),
        isDatabaseRequired: true,
      });
      try {
        await test(ledger);
      } finally {
        await ledger.close();
      }
    },
  });
}

testLedger("keeps keys, sorted by name, each with its own", async (ledger) => {
  assert.deepEqual(ledger.currentKeys(), []);
  const full = key("b", {
    team: "web",
    models: ["gpt-*"],
    rpm: 1,
    tpm: 2,
    concurrent: 3,
    budget: { day: 0.1, month: 5, total: 1e6 },
    expiresAt: 10,
    disabledAt: 11,
    oldHash: "old",
    oldUntil: 12,
  });
  await ledger.changeKeys(() => ({ put: full }));
  await ledger.changeKeys(() => ({ put: key("a") }));
  assert.deepEqual(ledger.currentKeys(), [key("a"), full]);
  assert.equal(ledger.currentKeys(true), ledger.currentKeys(), "the same array until it changes");
  await assert.rejects(
    ledger.changeKeys(() => ({ put: { ...key("a"), id: "other" } })),
    /there is already a key named "a"/,
  );
  await ledger.changeKeys(() => ({ put: { ...full, name: "c", team: undefined } }));
  await ledger.changeKeys((keys) => ({ remove: keys.find(({ name }) => name === "a")!.id }));
  assert.deepEqual(ledger.currentKeys().map(({ id, name }) => [id, name]), [["id-b", "c"]]);
});

testLedger("reserves in the key, the team and the gateway at once, or in none", async (ledger) => {
  const budgets = [
    { scope: keyScope("k"), day: 100 },
    { scope: teamScope("t"), day: 60 },
    { scope: ALL_SCOPE, month: 1000 },
  ];
  const asked = { ...request(50, {}), budgets };
  const reservation = await reserved(ledger, asked);
  for (const scope of [keyScope("k"), teamScope("t"), ALL_SCOPE]) {
    assert.deepEqual(totals(ledger, scope).reserved, { day: 50, month: 50, total: 50 });
  }
  const refused = await ledger.reserve({ ...asked, amount: 20 });
  assert.deepEqual(refused.shortage, {
    scope: teamScope("t"),
    period: "day",
    limit: 60,
    spent: 0,
    reserved: 50,
    isFinal: false,
  });
  assert.equal(totals(ledger, keyScope("k")).reserved.day, 50, "nothing of it was taken");
  assert.equal((await ledger.reserve({ ...asked, amount: 61 })).shortage?.isFinal, true);
  await reserved(ledger, { ...asked, amount: 10 });
  ledger.release(reservation);
  assert.equal(totals(ledger).reserved.total, 10);
  await reserved(ledger, { ...asked, amount: 50 });
});

testLedger("a commit replaces what was reserved", async (ledger) => {
  const reservation = await reserved(ledger, request(50, { day: 50 }));
  ledger.commit(row(20, { requests: 0 }), reservation, 30);
  assert.deepEqual(totals(ledger).spent.day, 20);
  assert.deepEqual(totals(ledger).reserved.day, 30);
  ledger.commit(row(25), reservation, 0);
  ledger.release(reservation);
  ledger.release(reservation);
  assert.deepEqual(totals(ledger), {
    spent: { day: 45, month: 45, total: 45 },
    reserved: { day: 0, month: 0, total: 0 },
  });
  assert.deepEqual(await ledger.spend(), [
    row(45, {
      promptTokens: 20,
      cachedTokens: 8,
      cacheWriteTokens: 6,
      completionTokens: 10,
      reasoningTokens: 4,
    }),
  ]);
});

testLedger("a day and a month end, also for what was reserved before", async (ledger) => {
  const budget = { day: 50, month: 70, total: 90 };
  const before = await reserved(ledger, request(50, budget));
  assert.equal((await ledger.reserve(request(1, budget))).shortage?.period, "day");
  const after = await ledger.reserve(request(45, budget, NEXT));
  assert.equal(
    after.shortage?.period,
    "total",
    "the reservation of the day before counts in total",
  );
  const next = await reserved(ledger, request(40, budget, NEXT));
  ledger.commit(row(30), before, 0);
  assert.deepEqual(totals(ledger, ALL_SCOPE, NEXT), {
    spent: { day: 0, month: 0, total: 30 },
    reserved: { day: 40, month: 40, total: 40 },
  });
  ledger.commit(row(40, { day: NEXT }), next, 0);
  const rows = await ledger.spend();
  assert.deepEqual(rows.map(({ day, cost }) => [day, cost]), [[DAY, 30], [NEXT, 40]]);
  assert.deepEqual((await ledger.spend({ from: NEXT })).map(({ cost }) => cost), [40]);
  assert.deepEqual(await ledger.spend({ key: "other" }), []);
});

testLedger("days of more than a year ago are added up", async (ledger) => {
  for (const day of ["2024-01-01", "2024-01-02", "2025-10-28", DAY]) {
    ledger.commit(row(10, { day }));
    ledger.commit(row(5, { day, model: "other" }));
    await ledger.flush();
  }
  ledger.commit(row(1, { day: NEXT }));
  const rows = await ledger.spend();
  assert.deepEqual(rows.map(({ day, model, cost }) => [day, model, cost]), [
    ["", "m", 20],
    ["", "other", 10],
    ["2025-10-28", "m", 10],
    ["2025-10-28", "other", 5],
    [DAY, "m", 10],
    [DAY, "other", 5],
    [NEXT, "m", 1],
  ]);
});

testLedger("amounts up to millions of dollars are exact", async (ledger) => {
  const large = 4_000_000 * 1e9;
  ledger.commit(row(large));
  for (let i = 0; i < 10; i++) ledger.commit(row(1));
  await ledger.flush();
  assert.equal((await ledger.spend())[0].cost, large + 10);
  assert.equal(totals(ledger).spent.total, large + 10);
});
