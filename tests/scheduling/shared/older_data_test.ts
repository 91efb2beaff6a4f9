/** Redis comes back with older data: what was granted since still counts. */
import assert from "node:assert/strict";
import { RedisConnection } from "../../../lib/redis/redis_connection.ts";
import { SharedBudget } from "../../../lib/scheduling/shared/shared_budget.ts";
import { SharedSlots } from "../../../lib/scheduling/shared/shared_slots.ts";
import { SharedTokens } from "../../../lib/scheduling/shared/shared_tokens.ts";
import { RedisServer, redisServer } from "../../support/redis_server.ts";
import { mostWithin, Sender } from "../../support/shared_senders.ts";

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
  const rates = [{ group: "g", perSecond: 2 }];
  await using a = await Sender.start(server, rates, log);
  await using b = await Sender.start(server, rates, log);
  await save(server);
  await sleep(1200);
  await rewind(server, [a.connection, b.connection]);
  await sleep(1200);
  assert(mostWithin(log, 1000) <= 2, `${mostWithin(log, 1000)}`);
  assert(log.length > 2, `${log.length}`);
  for (const { errors } of [a, b]) assert.deepEqual(errors, []);
});

for (const isEmpty of [false, true]) {
  const data = isEmpty ? "lost" : "older";

  Deno.test(`SharedSlots: slots in use count after data is ${data}`, { ignore }, async () => {
    await using server = await RedisServer.start();
    const errors: unknown[] = [];
    const join = async () => {
      const connection = await RedisConnection.open(server.address());
      const slots = new SharedSlots(connection, { group: "g", max: 6 }, {
        onStoreLoss: "divide",
        waiting: () => 6,
        onChange: () => {},
        onError: (error) => errors.push(error),
      });
      await slots.join();
      return { connection, slots, inUse: 0 };
    };
    const [a, b] = [await join(), await join()];
    const take = () => {
      for (const each of [a, b]) {
        while (each.slots.isAvailable()) {
          each.slots.take();
          each.inUse++;
        }
      }
    };
    await save(server);
    // One has all of the slots, and the other one is the first to return.
    while (a.slots.isAvailable() || a.inUse < 6) {
      if (a.slots.isAvailable()) {
        a.slots.take();
        a.inUse++;
      } else await sleep(5);
    }
    await rewind(server, [a.connection, b.connection], isEmpty);
    for (let i = 0; i < 40; i++) {
      take();
      await sleep(10);
    }
    assert.equal(a.inUse + b.inUse, 6);
    for (; a.inUse > 3; a.inUse--) a.slots.release();
    await until(() => {
      take();
      return a.inUse + b.inUse === 6 && b.inUse > 0;
    });
    for (const each of [a, b]) {
      await each.slots.close();
      await each.connection.close();
    }
    assert.deepEqual(errors, []);
  });

  Deno.test(`SharedTokens: a minute's use counts after data is ${data}`, { ignore }, async () => {
    await using server = await RedisServer.start();
    const errors: unknown[] = [];
    const demand = { prompt: 400, maxCompletion: 0 };
    const join = async () => {
      const connection = await RedisConnection.open(server.address());
      const tokens = new SharedTokens(connection, { group: "g", perMinute: 2000 }, {
        onStoreLoss: "divide",
        waiting: () => 1,
        onChange: () => {},
        onError: (error) => errors.push(error),
      });
      await tokens.join();
      return { connection, tokens };
    };
    const [a, b] = [await join(), await join()];
    await save(server);
    let sum = 0;
    // A request that takes the rest of the minute.
    await until(() => a.tokens.nextAt(performance.now(), demand) === -Infinity);
    a.tokens.commit(0, a.tokens.take(performance.now(), demand), 1900, 0);
    sum += 1900;
    await a.tokens.join();
    await b.tokens.join();
    await rewind(server, [a.connection, b.connection], isEmpty);
    for (let i = 0; i < 60; i++) {
      for (const { tokens } of [b, a]) {
        const now = performance.now();
        if (tokens.nextAt(now, demand) > now) continue;
        tokens.commit(now, tokens.take(now, demand), 400, 0);
        sum += 400;
      }
      await sleep(10);
    }
    assert(sum <= 2000, `${sum}`);
    for (const { connection, tokens } of [a, b]) {
      await tokens.close();
      await connection.close();
    }
    assert.deepEqual(errors, []);
  });

  Deno.test(`SharedBudget: no money is spent twice if data is ${data}`, { ignore }, async () => {
    await using server = await RedisServer.start();
    const errors: unknown[] = [];
    const join = async () => {
      const connection = await RedisConnection.open(server.address());
      const budget = await SharedBudget.open(connection, {
        name: "test",
        limit: 10,
        onStoreLoss: "stop",
        onError: (error) => errors.push(error),
      });
      return { connection, budget };
    };
    /** Pays as long as the budget allows; returns the sum. */
    const pay = async (budget: SharedBudget, most: number) => {
      let paid = 0;
      for (let i = 0; i < 400 && paid < most; i++) {
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
    const [a, b, gone] = [await join(), await join(), await join()];
    let sum = await pay(a.budget, 1);
    await a.budget.flush();
    await save(server);
    // Since then, each of them spends money, and one leaves.
    for (const each of [a, b, gone]) sum += await pay(each.budget, 2);
    await gone.budget.close();
    await gone.connection.close();
    // Each knows the sum at another moment.
    await a.budget.flush();
    sum += await pay(b.budget, 1);
    await b.budget.flush();
    await rewind(server, [a.connection, b.connection], isEmpty);
    const late = await join();
    const paid = await Promise.all([late, a, b].map(({ budget }) => pay(budget, 10)));
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
