/** Several gateways share spending and keys through Redis: also when one dies, and when Redis loses everything. */
import assert from "node:assert/strict";
import { openKeyStore } from "../../../lib/gateway/access/open_key_store.ts";
import { TICK } from "../../../lib/gateway/ledger/shared/ledger_scripts.ts";
import { shareConnection } from "../../../lib/redis/shared_connection.ts";
import type { RedisServer } from "../../support/redis_server.ts";
import {
  admit,
  charge,
  gatewayTest,
  instances,
  openGateway,
  redisCommand,
  spentOf,
  until,
} from "../../support/shared_gateways.ts";
import { memoryFolder, temporaryFolder } from "../../support/temporary_folder.ts";

/** Makes the others take a gateway for dead, as if it had been silent for long. */
async function expire(server: RedisServer, instance: string): Promise<unknown[]> {
  await using share = await shareConnection(server.address());
  const { runId } = share.connection;
  // In one step, since it is alive and would say so.
  const [, tick] = await share.connection.transaction([
    ["ZADD", "flexllm:gateway:instances", 1, instance],
    ["EVAL", TICK.source, 1, "flexllm:gateway", "observer", '{"source":"observer"}', 1, 0, runId],
  ]) as [unknown, unknown[]];
  return tick.slice(3, 5);
}

gatewayTest("a budget holds for all gateways together", async (server) => {
  // Long enough for money that another gateway holds, also on a slow machine.
  const options = { limits: { budget: { total: 1 } }, maxBudgetWait: 10 };
  const gateways = await Promise.all([1, 2, 3].map(() => openGateway(server, options)));
  let sent = 0;
  let refused = 0;
  await Promise.all(Array.from({ length: 120 }, async (_, i) => {
    try {
      using admission = await admit(gateways[i % 3], 0.02);
      sent += 0.015;
      await new Promise((resolve) => setTimeout(resolve, i % 7));
      admission.commit(charge(0.015));
    } catch (error) {
      assert.match(String(error), /budget/);
      refused++;
    }
  }));
  assert(sent <= 1 + 1e-9, `${sent} USD at the server`);
  assert(sent > 0.9, `only ${sent} USD were spent`);
  assert(refused > 0);
  await until(() => gateways.every((each) => Math.abs(spentOf(each) - sent) < 1e-9), "one balance");
  const rows = await gateways[1].keys.spending();
  assert.equal(rows.length, 1);
  assert(Math.abs(rows[0].cost - sent) < 1e-9);
  for (const each of gateways) await each.close();
});

gatewayTest("a call that waits for money gets what another gateway releases", async (server) => {
  const options = { limits: { budget: { total: 1 } }, maxBudgetWait: 5 };
  await using first = await openGateway(server, options);
  await using second = await openGateway(server, options);
  const held = await admit(first, 0.8);
  const waiting = admit(second, 0.8);
  setTimeout(() => held.release(), 50);
  (await waiting).release();
});

gatewayTest("keys come from one file, and reach all gateways within a second", async (server) => {
  using folder = temporaryFolder();
  const database = folder.file("gateway.db");
  using file = await openKeyStore(database);
  const { secret } = await file.create("alice");
  await using publisher = await openGateway(server, { database, isDatabaseRequired: true });
  await using follower = await openGateway(server, { database: folder.file("none.db") });
  await until(() => follower.hasKeys, "the follower has keys");
  assert.equal(follower.authenticate(secret).name, "alice");
  assert.equal(publisher.store()?.publishesKeys, true);
  assert.deepEqual(
    [follower.store()?.publishesKeys, follower.store()?.gateways],
    [false, 2],
  );
  // By another process, in the file.
  await file.disable("alice");
  const before = performance.now();
  await until(() => {
    try {
      return follower.authenticate(secret) === undefined;
    } catch {
      return true;
    }
  }, "the key is disabled everywhere");
  assert(performance.now() - before < 2000, "within a second, and some for a busy machine");
  await assert.rejects(follower.keys.create("bob"), /takes its keys from another one/);
  const stored = await redisCommand(server, "HGET", "flexllm:gateway:keys", "keys");
  assert(!String(stored).includes(secret), "no secret leaves the machine");
});

gatewayTest("a second file with keys is refused, a default one is not used", async (server) => {
  using folder = temporaryFolder();
  const database = folder.file("gateway.db");
  const other = folder.file("other.db");
  for (const path of [database, other]) {
    using file = await openKeyStore(path);
    await file.create(path === database ? "alice" : "bob");
  }
  await using publisher = await openGateway(server, { database, isDatabaseRequired: true });
  await assert.rejects(
    openGateway(server, { database: other, isDatabaseRequired: true }),
    /take their keys from another database: .*gateway\.db/,
  );
  await using follower = await openGateway(server, { database: other });
  await until(() => follower.hasKeys, "the follower has keys");
  assert.deepEqual(follower.report().map(({ name }) => name).sort(), ["", "alice"]);
  await publisher.keys.rotate("alice");
});

gatewayTest("what a killed gateway has reserved counts as spent, once", async (server) => {
  const limits = { budget: { total: 1 } };
  const killed = await openGateway(server, { limits });
  const [instance] = await instances(server);
  const admission = await admit(killed, 0.3);
  await admit(killed, 0.2);
  await using other = await openGateway(server, { limits });
  (await admit(other, 0.1)).commit(charge(0.1));
  assert.deepEqual(await expire(server, instance), [2, "500000000"]);
  await until(async () => (await other.keys.spending()).length === 2, "it counts as spent");
  assert(Math.abs(spentOf(other) - 0.6) < 1e-9, `${spentOf(other)}`);
  // It was only slow: what it really spent replaces what was assumed.
  admission.commit(charge(0.05));
  await killed.flush();
  await until(() => Math.abs(spentOf(other) - 0.35) < 1e-9, "the real cost");
  await until(async () => {
    const cost = (await other.keys.spending()).reduce((sum, row) => sum + row.cost, 0);
    return Math.abs(cost - 0.15) < 1e-9;
  }, "the other reservation is open again");
  await killed.close();
  await until(() => Math.abs(spentOf(other) - 0.35) < 1e-9, "an end in between changes nothing");
});

gatewayTest(
  "Redis comes back empty: no spending is forgotten, nor counted twice",
  async (server) => {
    using folder = temporaryFolder();
    const limits = { budget: { total: 1 } };
    const database = folder.file("gateway.db");
    await using first = await openGateway(server, { limits, database, isDatabaseRequired: true });
    await using second = await openGateway(server, { limits });
    const ended = await openGateway(server, { limits });
    (await admit(first, 0.2)).commit(charge(0.1));
    (await admit(second, 0.2)).commit(charge(0.2));
    (await admit(ended, 0.2)).commit(charge(0.15));
    await ended.close();
    const open1 = await admit(second, 0.1);
    for (const each of [first, second]) {
      await until(() => Math.abs(spentOf(each) - 0.55) < 1e-9, `all know it: ${spentOf(each)}`);
    }
    await until(async () => (await instances(server)).length === 2, "one has ended");
    await server.kill();
    await until(() => first.store()?.up === false, "Redis is away");
    open1.commit(charge(0.07));
    await server.restart();
    await until(() => first.store()?.up === true, "Redis is back");
    for (const each of [first, second]) {
      await until(() => Math.abs(spentOf(each) - 0.52) < 1e-9, `nothing is forgotten`);
    }
    await assert.rejects(admit(first, 0.5), /total budget/);
    (await admit(first, 0.48)).release();
  },
);

gatewayTest("a deleted database of Redis is noticed as well", async (server) => {
  const limits = { budget: { total: 1 } };
  await using gateway = await openGateway(server, { limits });
  for (let i = 0; i < 5; i++) (await admit(gateway, 0.1)).commit(charge(0.1));
  await gateway.flush();
  await redisCommand(server, "FLUSHALL");
  await until(
    async () =>
      Number(await redisCommand(server, "HGET", "flexllm:gateway:balance:all", "s:total")) === 5e8,
    "it is reported again",
  );
  await assert.rejects(admit(gateway, 0.6), /total budget/);
});

gatewayTest("spending of a file outlives its gateway and Redis", async (server) => {
  using folder = temporaryFolder();
  const database = folder.file("gateway.db");
  const options = { database, isDatabaseRequired: true, limits: { budget: { total: 1 } } };
  const before = await openGateway(server, options);
  (await admit(before, 0.4)).commit(charge(0.4));
  await before.close();
  await server.kill();
  await server.restart();
  await using after = await openGateway(server, options);
  assert(Math.abs(spentOf(after) - 0.4) < 1e-9);
  (await admit(after, 0.1)).commit(charge(0.1));
  await after.flush();
  await using again = await openGateway(server, { limits: { budget: { total: 1 } } });
  assert(Math.abs(spentOf(again) - 0.5) < 1e-9, "reported once");
});

gatewayTest("without Redis each gateway spends its part, and nothing later on", async (server) => {
  const limits = { budget: { total: 1 } };
  const options = { limits, maxStoreLoss: 1 };
  const warnings: string[] = [];
  await using first = await openGateway(server, {
    ...options,
    onWarning: (text) => warnings.push(text),
  });
  await using second = await openGateway(server, options);
  (await admit(first, 0.2)).commit(charge(0.2));
  await until(
    () => first.store()?.gateways === 2 && spentOf(second) > 0.19,
    "they know each other",
  );
  await server.kill();
  await until(() => first.store()?.up === false, "Redis is away");
  let sent = 0.2;
  for (const gateway of [first, second]) {
    for (let i = 0; i < 10; i++) {
      try {
        (await admit(gateway, 0.1)).commit(charge(0.1));
        sent += 0.1;
      } catch (error) {
        assert.match(String(error), /budget/);
        break;
      }
    }
  }
  assert(sent <= 1 + 1e-9 && sent >= 0.99, `${sent} USD at the server`);
  await until(() => (first.store()?.downFor ?? 0) >= 1, "it is away for too long");
  await assert.rejects(admit(first, 0.01), (error: { status?: number; retryAfter?: number }) => {
    assert.deepEqual([error.status, error.retryAfter], [503, 5]);
    return true;
  });
  await server.restart();
  await until(() => first.store()?.up === true, "Redis is back");
  await until(() => Math.abs(spentOf(first) - sent) < 1e-9, "everything is known");
  await until(() => warnings.length === 2, `a line each way: ${warnings}`);
  assert.match(
    warnings[0],
    /cannot be used: .*Until it can be used again, this gateway keeps to 1\/2/,
  );
  assert.match(warnings[1], /can be used again/);
});

gatewayTest("a frozen Redis delays a call by seconds at most", async (server) => {
  using folder = memoryFolder();
  const database = folder.file("gateway.db");
  const options = { database, isDatabaseRequired: true, limits: { budget: { total: 1 } } };
  await using gateway = await openGateway(server, options);
  (await admit(gateway, 0.1)).commit(charge(0.1));
  await gateway.flush();
  server.freeze();
  (await admit(gateway, 0.1)).commit(charge(0.1));
  server.thaw();
  await until(() => gateway.store()?.up === true, "Redis is back");
  await gateway.flush();
  await until(
    async () =>
      Number(await redisCommand(server, "HGET", "flexllm:gateway:balance:all", "s:total")) === 2e8,
    "nothing is lost",
  );
  assert.equal(await redisCommand(server, "HGET", "flexllm:gateway:balance:all", "r:total"), "0");
});
