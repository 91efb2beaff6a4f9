/** The database file of a ledger: who may use it, what it survives, and what is reported. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import type { KeyAccess } from "../../../lib/gateway/access/key_access.ts";
import { openAccess } from "../../../lib/gateway/access/open_access.ts";
import { GatewayError } from "../../../lib/gateway/gateway_error.ts";
import { openKeyStore } from "../../../lib/gateway/access/open_key_store.ts";
import { memoryFolder } from "../../support/temporary_folder.ts";
import { FakeTime } from "../../support/fake_time.ts";

const NEVER = new AbortController().signal;

async function spend(access: KeyAccess, secret: string, cost: number): Promise<void> {
  const demand = { route: "r", promptTokens: 1, completionTokens: 1, cost };
  using admission = await access.admit(access.authenticate(secret), demand, NEVER);
  admission.commit({ model: "m", endpoint: "e", usage: null, cost });
}

Deno.test("a second gateway on the same database is refused by name", async () => {
  using folder = memoryFolder();
  const database = folder.file("gateway.db");
  const first = await openAccess({ database });
  await assert.rejects(openAccess({ database }), {
    name: "ConfigurationError",
    message: `another gateway is using the database ${database}`,
  });
  await first.close();
  await (await openAccess({ database })).close();
});

Deno.test("the database is private, and contains no secret", async () => {
  using folder = memoryFolder();
  const database = folder.file("new/folder/gateway.db");
  using keys = await openKeyStore(database);
  const { secret } = await keys.create("alice");
  if (process.platform !== "win32") assert.equal(statSync(database).mode & 0o077, 0);
  for (const file of [database, `${database}-wal`]) {
    assert(!readFileSync(file).includes(secret.slice("sk-flexllm-".length + 4)));
  }
});

Deno.test("a running gateway notices keys that another process changes", async () => {
  using folder = memoryFolder();
  const database = folder.file("gateway.db");
  await using access = await openAccess({ database });
  using keys = await openKeyStore(database);
  const { secret } = await keys.create("alice", { budget: { total: 1 } });
  // At once, because an unknown key is looked up again.
  assert.equal(access.authenticate(secret).name, "alice");
  await spend(access, secret, 0.25);
  await access.flush();
  const [listed] = keys.listWithSpending();
  assert.deepEqual([listed.name, listed.state, listed.spent.total], ["alice", "active", 0.25]);
  await keys.disable("alice");
  const start = performance.now();
  let isRefused = false;
  while (!isRefused && performance.now() - start < 20_000) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    try {
      access.authenticate(secret);
    } catch {
      isRefused = true;
    }
  }
  assert(isRefused);
  assert.equal(access.report()[0].state, "disabled");
});

Deno.test("balances and budgets survive a restart, by day and month", async () => {
  using folder = memoryFolder();
  const database = folder.file("gateway.db");
  const time = new FakeTime(Date.UTC(2026, 10, 29));
  const options = { database, clock: time, now: () => time.wall() };
  let access = await openAccess(options);
  const { secret } = await access.keys.create("alice", { budget: { month: 1 }, team: "web" });
  for (const cost of [0.1, 0.2, 0.3]) {
    await spend(access, secret, cost);
    time.advance(12 * 3600_000);
    await access.close();
    access = await openAccess(options);
  }
  const spent = { day: 0.3, month: 0.6, total: 0.6 };
  assert.deepEqual(access.report().map(({ spent }) => spent), [spent, spent, spent]);
  assert.match(String(await spend(access, secret, 0.5).catch(String)), /\$0\.60 spent/);
  time.advance(24 * 3600_000);
  await spend(access, secret, 0.5);
  await access.keys.delete("alice");
  assert.equal(access.report().at(-1)!.spent.total, 1.1, "the spending of deleted keys stays");
  await access.close();
});

Deno.test("files that are no ledger are refused, and not changed", async () => {
  using folder = memoryFolder();
  const text = folder.write("notes.txt", "These are notes, not a database. ".repeat(100));
  await assert.rejects(openAccess({ database: text }), /notes.txt is damaged, or not a database/);
  assert.match(readFileSync(text, "utf8"), /^These are notes/);
  const foreign = folder.file("foreign.db");
  const database = new DatabaseSync(foreign);
  database.exec("CREATE TABLE theirs (x)");
  database.close();
  await assert.rejects(openAccess({ database: foreign }), /not one of flexllm serve/);
  const newer = folder.file("newer.db");
  (await openKeyStore(newer)).close();
  const changed = new DatabaseSync(newer);
  changed.exec("PRAGMA user_version = 99");
  changed.close();
  await assert.rejects(openKeyStore(newer), /newer version of flexllm \(format 99, expected 1\)/);
  mkdirSync(folder.file("folder"));
  await assert.rejects(openAccess({ database: folder.file("folder") }), /cannot be opened/);
  writeFileSync(folder.file("file"), "");
  await assert.rejects(openAccess({ database: folder.file("file/x.db") }), /cannot be opened/);
});

Deno.test("a failure to write refuses new money only, and loses nothing", async () => {
  using folder = memoryFolder();
  const database = folder.file("gateway.db");
  const warnings: string[] = [];
  await using access = await openAccess({
    database,
    onWarning: (message) => warnings.push(message),
  });
  const limited = (await access.keys.create("limited", { budget: { total: 10 } })).secret;
  const free = (await access.keys.create("free")).secret;
  const demand = { route: "r", promptTokens: 1, completionTokens: 1, cost: 1 };
  const open = await access.admit(access.authenticate(limited), demand, NEVER);
  const other = new DatabaseSync(database);
  other.exec("ALTER TABLE spend RENAME TO gone");
  open.commit({ model: "m", endpoint: "e", usage: null, cost: 0.5 });
  open.release();
  await spend(access, free, 0.25);
  await access.flush();
  await assert.rejects(spend(access, limited, 1), { status: 503, reason: "ledger_unavailable" });
  assert.equal(warnings.length, 1);
  assert.match(warnings[0], /database .*gateway.db failed: .*; retrying/);
  assert.equal(access.report().at(-1)!.spent.total, 0.75, "nothing is reserved any more");
  other.exec("ALTER TABLE gone RENAME TO spend");
  other.close();
  await spend(access, limited, 1);
  const rows = await access.keys.spending();
  assert.deepEqual(rows.map(({ cost }) => cost).sort(), [0.25, 1.5]);
});

Deno.test("impossible numbers of a provider stop neither the ledger nor its next start", async () => {
  using folder = memoryFolder();
  const database = folder.file("gateway.db");
  const warnings: string[] = [];
  const options = { database, onWarning: (message: string) => warnings.push(message) };
  let access = await openAccess(options);
  const limited = (await access.keys.create("limited", { budget: { total: 1 } })).secret;
  const free = (await access.keys.create("free")).secret;
  const demand = { route: "r", promptTokens: 1, completionTokens: 1, cost: 0 };
  const commit = async (model: string, tokens: number, cost: number) => {
    using admission = await access.admit(access.authenticate(free), demand, NEVER);
    const usage = { promptTokens: tokens, completionTokens: tokens, totalTokens: tokens };
    admission.commit({ model, endpoint: "e", usage, cost });
    await access.flush();
  };
  for (const tokens of [1e300, 1.5, Number.MAX_SAFE_INTEGER, 2 ** 63, NaN, -1]) {
    await commit("m", tokens, 0);
  }
  // Their sums are larger than any number that can be read.
  for (let i = 0; i < 20; i++) await commit(`model ${i % 2}`, 1, 1e12);
  await spend(access, limited, 0.5);
  await access.flush();
  assert.deepEqual(warnings, []);
  await access.close();
  access = await openAccess(options);
  const rows = await access.keys.spending();
  assert.equal(rows.find(({ model, cost }) => model === "m" && cost === 0.5)?.requests, 1);
  assert.equal(rows.find(({ model, cost }) => model === "m" && cost === 0)?.requests, 6);
  assert.equal(
    access.report().find(({ name }) => name === "free")?.spent.total,
    Number.MAX_SAFE_INTEGER / 1e9,
  );
  await access.close();
});

Deno.test("a database that is deleted or replaced admits no more money, until it is back", async () => {
  if (process.platform === "win32") return;
  using folder = memoryFolder();
  const database = folder.file("gateway.db");
  const warnings: string[] = [];
  await using access = await openAccess({
    database,
    onWarning: (message) => warnings.push(message),
  });
  const { secret } = await access.keys.create("alice", { budget: { total: 1000 } });
  const settled = async (isRefused: boolean) => {
    for (let i = 0; i < 1000; i++) {
      try {
        await spend(access, secret, 0.25);
        if (!isRefused) return;
      } catch (error) {
        assert(error instanceof GatewayError && error.status === 503, String(error));
        assert.match(error.message, /was deleted or replaced/);
        if (isRefused) return;
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.fail(`still ${isRefused ? "accepted" : "refused"}`);
  };
  renameSync(database, `${database}.moved`);
  await settled(true);
  writeFileSync(database, "");
  await settled(true);
  renameSync(`${database}.moved`, database);
  await settled(false);
  await access.flush();
  const [{ cost }] = await access.keys.spending();
  assert.equal(cost, access.report().at(-1)!.spent.total);
  assert.match(
    warnings.join(),
    /^(the gateway's database .*gateway.db was deleted or replaced.*)?$/,
  );
});

Deno.test("a lock of another process delays calls, and does not fail them", async () => {
  using folder = memoryFolder();
  const database = folder.file("gateway.db");
  await using access = await openAccess({ database });
  const { secret } = await access.keys.create("alice", { budget: { total: 10 } });
  const other = new DatabaseSync(database);
  other.exec("BEGIN IMMEDIATE");
  const work = Promise.all([spend(access, secret, 1), spend(access, secret, 2)]);
  let isDone = false;
  work.then(() => isDone = true);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert(!isDone, "money is stored before a call goes out");
  other.exec("COMMIT");
  other.close();
  await work;
  assert.equal((await access.keys.spending())[0].cost, 3);
});
