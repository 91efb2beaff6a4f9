/** Redis comes back with older data: no money is spent twice, and no key is valid again. */
import assert from "node:assert/strict";
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
import { temporaryFolder } from "../../support/temporary_folder.ts";

function isNear(a: number, b: number): boolean {
  return Math.abs(a - b) < 1e-9;
}

async function balanceOf(server: RedisServer): Promise<number[]> {
  const name = "flexllm:gateway:balance:all";
  const sums = await redisCommand(server, "HMGET", name, "s:total", "r:total") as string[];
  return sums.map((sum) => Number(sum) / 1e9);
}

gatewayTest("older data: no spending is forgotten, nor counted twice", async (server) => {
  using folder = temporaryFolder();
  const limits = { budget: { total: 1 } };
  const database = folder.file("gateway.db");
  await using first = await openGateway(server, { limits, database, isDatabaseRequired: true });
  await using second = await openGateway(server, { limits });
  const ended = await openGateway(server, { limits });
  const [settled, reduced] = [await admit(second, 0.1), await admit(ended, 0.05)];
  for (const each of [first, second, ended]) (await admit(each, 0.1)).commit(charge(0.1));
  for (const each of [first, second, ended]) await each.flush();
  await redisCommand(server, "SAVE");
  for (const each of [first, second, ended]) (await admit(each, 0.1)).commit(charge(0.1));
  settled.commit(charge(0.02));
  reduced.commit(charge(0.03));
  await ended.close();
  const open = await admit(second, 0.1);
  for (const each of [first, second]) {
    await until(() => isNear(spentOf(each), 0.75), `all know it: ${spentOf(each)}`);
  }
  await until(async () => (await instances(server)).length === 2, "one has ended");
  await new Promise((resolve) => setTimeout(resolve, 300));
  await server.kill();
  await server.restart();
  await until(() => [first, second].every((each) => each.store()!.up), "Redis is back");
  // It waits until all have reported.
  await assert.rejects(admit(first, 0.26), /total budget/);
  for (const each of [first, second]) {
    await until(() => isNear(spentOf(each), 0.75), `nothing is forgotten: ${spentOf(each)}`);
  }
  const [spent, reserved] = await balanceOf(server);
  assert(isNear(spent, 0.65) && isNear(reserved, 0.1), `${spent} ${reserved}`);
  assert.equal((await instances(server)).length, 2);
  open.commit(charge(0.05));
  await second.flush();
  const [after, rest] = await balanceOf(server);
  assert(isNear(after, 0.7) && rest === 0, `${after} ${rest}`);
  (await admit(first, 0.3)).release();
});

gatewayTest("older data: a key that was disabled since stays disabled", async (server) => {
  using folder = temporaryFolder();
  const database = folder.file("gateway.db");
  const publisher = await openGateway(server, { database, isDatabaseRequired: true });
  const { secret } = await publisher.keys.create("alice");
  await using follower = await openGateway(server);
  await until(() => follower.hasKeys, "the follower has the key");
  await redisCommand(server, "SAVE");
  await publisher.keys.disable("alice");
  const isRefused = (access = follower) => {
    try {
      return access.authenticate(secret) === undefined;
    } catch {
      return true;
    }
  };
  await until(() => isRefused(), "it is disabled everywhere");
  await publisher.close();
  await server.kill();
  await server.restart();
  await until(() => follower.store()!.up, "Redis is back");
  await until(async () => {
    const keys = await redisCommand(server, "HGET", "flexllm:gateway:keys", "keys");
    assert(isRefused());
    return /"disabledAt":\d/.test(String(keys));
  }, "the keys are restored");
  await using late = await openGateway(server);
  assert(isRefused(late));
});

gatewayTest(
  "lost data: a call at once does not hide what ended gateways have spent",
  async (server) => {
    const limits = { budget: { total: 1 } };
    await using gateway = await openGateway(server, { limits });
    const ended = await openGateway(server, { limits });
    (await admit(ended, 0.4)).commit(charge(0.4));
    await ended.close();
    await until(() => isNear(spentOf(gateway), 0.4), "it is known");
    await until(async () => (await instances(server)).length === 1, "it has ended");
    await new Promise((resolve) => setTimeout(resolve, 300));
    await redisCommand(server, "FLUSHALL");
    (await admit(gateway, 0.1)).commit(charge(0.1));
    await gateway.flush();
    assert.deepEqual(await balanceOf(server), [0.5, 0]);
  },
);
