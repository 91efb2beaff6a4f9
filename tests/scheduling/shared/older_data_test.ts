/** Redis comes back with older data: what was granted since still counts. */
import assert from "node:assert/strict";
import { parseRedisAddress, type RedisAddress } from "../../../lib/redis/redis_address.ts";
import { RedisConnection } from "../../../lib/redis/redis_connection.ts";
import { SharedBudget } from "../../../lib/scheduling/shared/shared_budget.ts";
import { SharedSlots } from "../../../lib/scheduling/shared/shared_slots.ts";
import { SharedTokens } from "../../../lib/scheduling/shared/shared_tokens.ts";
import { RedisServer, redisServer } from "../../support/redis_server.ts";
import { mostWithin, Sender } from "../../support/shared_senders.ts";
import { TcpProxy } from "../../support/tcp_proxy.ts";

const ignore = redisServer === undefined;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function save(server: RedisServer): Promise<void> {
  await using connection = await RedisConnection.open(server.address());
  await connection.command(["SAVE"]);
}

/** Kills the server, and starts it with the data that was saved, or with none. */
async function rewind(
  server: RedisServer,
  connections: readonly RedisConnection[],
  isEmpty = false,
): Promise<void> {
  await server.kill();
  await server.restart(isEmpty);
  await until(() => connections.every(({ isUp, failure }) => isUp && failure === undefined));
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !condition(); i++) await sleep(5);
  assert(condition(), "in vain");
}

Deno.test("SharedRate: older data grants nothing twice", { ignore }, async () => {
  await using server = await RedisServer.start();
  const log: number[] = [];
  const rates = [{ group: "g", perSecond: 1 }];
  await using a = await Sender.start(server, rates, log);
  await save(server);
  await using b = await Sender.start(server, rates, log);
  await until(() => log.length === 3);
  await rewind(server, [a.connection, b.connection]);
  await until(() => log.length === 4);
  assert.equal(mostWithin(log, 1000), 1);
  for (const { errors } of [a, b]) assert.deepEqual(errors, []);
});

for (const isEmpty of [false, true]) {
  const data = isEmpty ? "lost" : "older";

  Deno.test(`SharedSlots: slots in use count after data is ${data}`, { ignore }, async () => {
    await using server = await RedisServer.start();
    await using proxy = await TcpProxy.start(server.port);
    const errors: unknown[] = [];
    const join = async (address: RedisAddress) => {
      const connection = await RedisConnection.open(address);
      const slots = new SharedSlots(connection, { group: "g", max: 6 }, {
        onStoreLoss: "divide",
        waiting: () => 6,
        onChange: () => {},
        onError: (error) => errors.push(error),
      });
      await slots.join();
      const take = () => {
        for (; slots.isAvailable(); user.inUse++) slots.take();
      };
      const user = { connection, slots, take, inUse: 0 };
      return user;
    };
    const a = await join(parseRedisAddress(proxy.redisUrl, "test"));
    const b = await join(server.address());
    await save(server);
    await until(() => {
      a.take();
      return a.inUse === 6;
    });
    // The other one is the first to return.
    await proxy.refuse();
    await rewind(server, [b.connection], isEmpty);
    for (let i = 0; i < 50; i++) {
      b.take();
      await sleep(10);
    }
    assert.equal(b.inUse, 0);
    await proxy.accept();
    await until(() => a.connection.isUp);
    for (; a.inUse > 3; a.inUse--) a.slots.release();
    await until(() => {
      a.take();
      b.take();
      return a.inUse + b.inUse === 6 && b.inUse > 0;
    });
    for (const { slots, connection } of [a, b]) {
      await slots.close();
      await connection.close();
    }
    assert.deepEqual(errors, []);
  });

  Deno.test(`SharedTokens: a minute's use counts after data is ${data}`, { ignore }, async () => {
    await using server = await RedisServer.start();
    await using proxy = await TcpProxy.start(server.port);
    const errors: unknown[] = [];
    const demand = { prompt: 400, maxCompletion: 0 };
    const join = async (address: RedisAddress) => {
      const connection = await RedisConnection.open(address);
      const tokens = new SharedTokens(connection, { group: "g", perMinute: 2000 }, {
        onStoreLoss: "divide",
        waiting: () => 1,
        onChange: () => {},
        onError: (error) => errors.push(error),
      });
      await tokens.join();
      return { connection, tokens };
    };
    const a = await join(parseRedisAddress(proxy.redisUrl, "test"));
    const b = await join(server.address());
    await save(server);
    await until(() => a.tokens.nextAt(performance.now(), demand) === -Infinity);
    // It takes nearly all of the minute.
    a.tokens.commit(0, a.tokens.take(performance.now(), demand), 1900, 0);
    await a.tokens.join();
    await b.tokens.join();
    await proxy.refuse();
    await rewind(server, [b.connection], isEmpty);
    for (let i = 0; i < 50; i++) {
      assert(b.tokens.nextAt(performance.now(), demand) > performance.now());
      await sleep(10);
    }
    await proxy.accept();
    for (const { connection, tokens } of [a, b]) {
      await tokens.close();
      await connection.close();
    }
    assert.deepEqual(errors, []);
  });

  Deno.test(`SharedBudget: no money is spent twice if data is ${data}`, { ignore }, async () => {
    await using server = await RedisServer.start();
    await using proxy = await TcpProxy.start(server.port);
    const errors: unknown[] = [];
    const join = async (address = server.address()) => {
      const connection = await RedisConnection.open(address);
      const budget = await SharedBudget.open(connection, {
        name: "test",
        limit: 10,
        onStoreLoss: "stop",
        onError: (error) => errors.push(error),
      });
      return { connection, budget };
    };
    /** Pays as long as the budget allows; returns the sum. */
    const pay = async ({ budget }: { budget: SharedBudget }, most: number) => {
      let paid = 0;
      for (let i = 0; i < 1000 && paid < most; i++) {
        const answer = budget.afford(0.5);
        if (answer === "never") break;
        if (answer === "now") {
          budget.reserve(0.5);
          budget.spend(0.5);
          budget.release(0.5);
          paid += 0.5;
        } else await sleep(5);
      }
      return paid;
    };
    const a = await join();
    const b = await join(parseRedisAddress(proxy.redisUrl, "test"));
    const gone = await join();
    let sum = await pay(a, 1);
    await a.budget.flush();
    await save(server);
    // Since then, each of them spends money, and one leaves.
    for (const each of [a, b, gone]) sum += await pay(each, 2);
    await gone.budget.close();
    await gone.connection.close();
    // Each knows the sum at another moment.
    await a.budget.flush();
    sum += await pay(b, 1.5);
    await b.budget.flush();
    await proxy.refuse();
    await rewind(server, [a.connection], isEmpty);
    const paying = pay(a, 10);
    await sleep(500);
    await proxy.accept();
    await until(() => b.connection.isUp);
    const late = await join();
    const paid = await Promise.all([paying, pay(b, 10), pay(late, 10)]);
    sum += paid.reduce((x, y) => x + y);
    assert(sum <= 10 + 1e-9, `${sum}`);
    assert(sum >= 9, `${sum}`);
    for (const { connection, budget } of [a, b, late]) {
      await budget.close();
      await connection.close();
    }
    assert.deepEqual(errors, []);
  });
}
