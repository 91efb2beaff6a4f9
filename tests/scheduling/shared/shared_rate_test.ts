/** A rate that several processes share, on a real server; each sender stands for a process. */
import assert from "node:assert/strict";
import { parseRedisAddress } from "../../../lib/redis/redis_address.ts";
import { RedisConnection } from "../../../lib/redis/redis_connection.ts";
import { limitKeys } from "../../../lib/scheduling/shared/limit_group.ts";
import {
  MAX_MOMENTS,
  RATE_SCRIPT,
  TRAVEL,
  VALID_FOR,
} from "../../../lib/scheduling/shared/rate_script.ts";
import { RedisServer, redisServer } from "../../support/redis_server.ts";
import { mostWithin, Sender } from "../../support/shared_senders.ts";
import { TcpProxy } from "../../support/tcp_proxy.ts";

const ignore = redisServer === undefined;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

for (const perSecond of [5, 40, 300, 2500]) {
  Deno.test(`SharedRate: ${perSecond} a second, over three processes`, { ignore }, async () => {
    await using server = await RedisServer.start();
    const [first, second]: number[][] = [[], []];
    const rates = [{ group: "g", perSecond }];
    await using a = await Sender.start(server, rates, first);
    await using b = await Sender.start(server, rates, second);
    await using c = await Sender.start(server, rates, [], { isIdle: true });
    await sleep(4000);
    const log = [...first, ...second];
    assert(first.length > 0 && second.length > 0, `${first.length} ${second.length}`);
    const most = mostWithin(log, 1000);
    assert(most <= perSecond, `${most}`);
    // How much of the limit is used is measured by the benchmark: a busy machine loses moments.
    for (const { errors } of [a, b, c]) assert.deepEqual(errors, []);
  });
}

Deno.test("SharedRate: data that is deleted gives nothing twice", { ignore }, async () => {
  await using server = await RedisServer.start();
  await using operator = await RedisConnection.open(server.address());
  const log: number[] = [];
  const rates = [{ group: "g", perSecond: 50 }];
  await using a = await Sender.start(server, rates, log);
  await using b = await Sender.start(server, rates, log);
  for (let i = 0; i < 5; i++) {
    await sleep(700);
    await operator.command(["FLUSHALL"]);
  }
  await sleep(700);
  // Each loss costs moments. Every single second is checked in virtual time, since a busy machine moves requests.
  assert(mostWithin(log, 2000) <= 90, `${mostWithin(log, 2000)}`);
  assert(log.length > 50, `${log.length}`);
  for (const { errors } of [a, b]) assert.deepEqual(errors, []);
});

Deno.test("SharedRate: the lowest limit of all processes counts", { ignore }, async () => {
  await using server = await RedisServer.start();
  const log: number[] = [];
  await using a = await Sender.start(server, [{ group: "g", perSecond: 200 }], log);
  await using b = await Sender.start(server, [{ group: "g", perSecond: 50 }], log);
  await sleep(1000);
  log.length = 0;
  await sleep(2000);
  assert(mostWithin(log, 1000) <= 50, `${mostWithin(log, 1000)}`);
  assert(log.length > 0);
  for (const { errors } of [a, b]) assert.deepEqual(errors, []);
});

Deno.test(
  "SharedRate: endpoints with limits of their own share one in total",
  { ignore },
  async () => {
    await using server = await RedisServer.start();
    const [first, second]: number[][] = [[], []];
    const all = { group: "all", perSecond: 100 };
    await using a = await Sender.start(server, [{ group: "a", perSecond: 30 }, all], first);
    await using b = await Sender.start(server, [{ group: "b", perSecond: 90 }, all], second);
    await sleep(4000);
    assert(mostWithin(first, 1000) <= 30, `${mostWithin(first, 1000)}`);
    assert(mostWithin(second, 1000) <= 90, `${mostWithin(second, 1000)}`);
    assert(mostWithin([...first, ...second], 1000) <= 100);
    assert(first.length > 0 && second.length > 0, `${first.length} ${second.length}`);
    for (const { errors } of [a, b]) assert.deepEqual(errors, []);
  },
);

for (const failure of ["killed", "frozen"] as const) {
  Deno.test(
    `SharedRate: each process has its part while the server is ${failure}`,
    { ignore },
    async () => {
      await using server = await RedisServer.start();
      const logs: number[][] = [[], [], []];
      const rates = [{ group: "g", perSecond: 60 }];
      await using a = await Sender.start(server, rates, logs[0]);
      await using b = await Sender.start(server, rates, logs[1]);
      await using c = await Sender.start(server, rates, logs[2]);
      await sleep(1200);
      const lostAt = performance.now();
      if (failure === "killed") await server.kill();
      else server.freeze();
      await sleep(7000);
      const backAt = performance.now();
      if (failure === "killed") await server.restart();
      else server.thaw();
      await sleep(3000);
      const all = logs.flat();
      assert(mostWithin(all, 1000) <= 60, `${mostWithin(all, 1000)}`);
      for (const log of logs) {
        const alone = log.filter((at) => at > lostAt + 4500 && at < backAt);
        assert(alone.length > 0, `${alone.length}`);
        assert(mostWithin(alone, 1000) <= 20, `${mostWithin(alone, 1000)}`);
      }
      const after = all.filter((at) => at > backAt + 2000);
      assert(after.length > 0, `${after.length}`);
      for (const { errors } of [a, b, c]) assert.deepEqual(errors, []);
    },
  );
}

Deno.test(
  "SharedRate: a process that is cut off uses its part, and the others theirs",
  { ignore },
  async () => {
    await using server = await RedisServer.start();
    await using proxy = await TcpProxy.start(server.port);
    const logs: number[][] = [[], [], []];
    const rates = [{ group: "g", perSecond: 60 }];
    await using a = await Sender.start(server, rates, logs[0]);
    await using b = await Sender.start(server, rates, logs[1]);
    await using c = await Sender.start(
      { address: () => parseRedisAddress(proxy.redisUrl, "test") },
      rates,
      logs[2],
    );
    await sleep(1200);
    proxy.partition();
    const cutAt = performance.now();
    await sleep(7000);
    const joinedAt = performance.now();
    proxy.heal();
    await sleep(3000);
    assert(mostWithin(logs.flat(), 1000) <= 60, `${mostWithin(logs.flat(), 1000)}`);
    const alone = logs[2].filter((at) => at > cutAt + 4500 && at < joinedAt);
    assert(alone.length > 0, `${alone.length}`);
    assert(logs[2].at(-1)! > joinedAt);
    for (const { errors } of [a, b, c]) assert.deepEqual(errors, []);
  },
);

Deno.test(
  "SharedRate: a process that starts without the server uses a tenth, then the shared limit",
  { ignore },
  async () => {
    await using server = await RedisServer.start();
    await using proxy = await TcpProxy.start(server.port);
    await proxy.refuse();
    const log: number[] = [];
    await using sender = await Sender.start(
      { address: () => parseRedisAddress(proxy.redisUrl, "test") },
      [{ group: "g", perSecond: 60 }],
      log,
      { mayStartDown: true },
    );
    await sleep(2000);
    assert(log.length > 0);
    assert(mostWithin(log, 1000) <= 6, `${mostWithin(log, 1000)}`);
    await proxy.accept();
    const end = performance.now() + 10_000;
    while (!sender.connection.isUp && performance.now() < end) await sleep(5);
    const upAt = performance.now();
    await sleep(2500);
    // It knew of no others, for which it would have to leave anything.
    const after = mostWithin(log.filter((at) => at > upAt), 1000);
    assert(after > 12 && after <= 60, `${after}`);
    assert.deepEqual(sender.errors, []);
  },
);

Deno.test("SharedRate sends nothing without the server if rates=stop", { ignore }, async () => {
  await using server = await RedisServer.start();
  const log: number[] = [];
  const rates = [{ group: "g", perSecond: 60 }];
  await using _ = await Sender.start(server, rates, log, { onStoreLoss: "stop" });
  await sleep(500);
  await server.kill();
  await sleep(300);
  const before = log.length;
  await sleep(4500);
  assert.equal(log.length, before);
  await server.restart();
  const deadline = performance.now() + 5000;
  while (log.length === before) {
    assert(performance.now() < deadline);
    await sleep(20);
  }
});

Deno.test(
  "SharedRate: fractions of a limit are used, and no second has too much",
  { ignore },
  async () => {
    await using server = await RedisServer.start();
    await using connection = await RedisConnection.open(server.address());
    const MINUTE = 60_000_000;
    for (const perSecond of [0.5, 1, 1.5, 1.95, 10, 10.5]) {
      const keys = limitKeys(connection, `g${perSecond}`, "rate");
      const args = ["one", 1, connection.runId, 0, 0, MAX_MOMENTS, 0, MINUTE, 1, 0, perSecond];
      const reply = await connection.run(RATE_SCRIPT, keys, args) as number[];
      const moments = reply.slice(5).map((microseconds) => microseconds / 1000);
      const used = (moments.length - 1) * 1000 / (moments.at(-1)! - moments[0]) / perSecond;
      assert.ok(used > 0.92 && used <= 1, `${perSecond}: ${used}`);
      // The first as late as possible, the last as early as possible.
      const most = mostWithin(moments, 1000 + VALID_FOR + TRAVEL - 0.01);
      assert.ok(most <= Math.ceil(perSecond), `${perSecond}: ${most}`);
    }
  },
);
