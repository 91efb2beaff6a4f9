/** A budget that several processes share, on a real server; each tracker stands for a process. */
import assert from "node:assert/strict";
import { CostTracker } from "../../../lib/pricing/cost_tracker.ts";
import { RedisConnection } from "../../../lib/redis/redis_connection.ts";
import {
  SharedBudget,
  type SharedBudgetOptions,
} from "../../../lib/scheduling/shared/shared_budget.ts";
import { BudgetExceededError } from "../../../lib/errors.ts";
import { RedisServer, redisServer } from "../../support/redis_server.ts";

const ignore = redisServer === undefined;

interface Member extends AsyncDisposable {
  connection: RedisConnection;
  budget: SharedBudget;
  tracker: CostTracker;
}

async function join(
  server: RedisServer,
  limit: number,
  options: Partial<SharedBudgetOptions> = {},
): Promise<Member> {
  const connection = await RedisConnection.open(server.address());
  const errors: unknown[] = [];
  const budget = await SharedBudget.open(connection, {
    name: "test",
    limit,
    onStoreLoss: "stop",
    onError: (error) => errors.push(error),
    ...options,
  });
  const tracker = new CostTracker({ limit });
  tracker.share(budget);
  return {
    connection,
    budget,
    tracker,
    async [Symbol.asyncDispose]() {
      await budget.close();
      await connection.close();
      assert.deepEqual(errors, []);
    },
  };
}

/** Pays for one request: reserves its maximum, "sends" it, and commits what it cost. */
async function pay(tracker: CostTracker, reserve: number, cost: number): Promise<void> {
  using reservation = await tracker.reserve(reserve);
  await new Promise((resolve) => setTimeout(resolve, 1));
  reservation.commit({ model: "m", endpoint: "e", usage: null, cost });
}

/** Pays for requests until the budget is used up. Returns the sum that was paid. */
async function payAll(tracker: CostTracker, reserve: number, cost: number): Promise<number> {
  let paid = 0;
  const lanes = Array.from({ length: 8 }, async () => {
    while (true) {
      try {
        await pay(tracker, reserve, cost);
      } catch (error) {
        assert(error instanceof BudgetExceededError, String(error));
        return;
      }
      paid += cost;
    }
  });
  await Promise.all(lanes);
  return paid;
}

Deno.test(
  "SharedBudget: processes together spend the budget, and not more",
  { ignore },
  async () => {
    await using server = await RedisServer.start();
    await using a = await join(server, 1);
    await using b = await join(server, 1);
    await using c = await join(server, 1);
    const paid = await Promise.all(
      [a, b, c].map(({ tracker }) => payAll(tracker, 0.004, 0.003)),
    );
    const sum = paid.reduce((x, y) => x + y);
    assert(sum <= 1 + 1e-9, `${sum}`);
    // A request that reserves 0.004 does not fit into what is left.
    assert(sum > 1 - 0.004 - 1e-9, `${sum}`);
    for (const part of paid) assert(part > 0, `${paid}`);
  },
);

Deno.test("SharedBudget counts what a killed process held as spent", { ignore }, async () => {
  await using server = await RedisServer.start();
  const killed = await join(server, 1);
  await killed.tracker.reserve(0.4);
  await pay(killed.tracker, 0.2, 0.2);
  await killed.budget.flush();
  // Nothing is returned: the connection is lost with the process.
  await killed.connection.close();
  await using other = await join(server, 1);
  assert(other.budget.total >= 0.6 - 1e-9, `${other.budget.total}`);
  await pay(other.tracker, 0.35, 0.35);
});

Deno.test("SharedBudget returns what a process does not use", { ignore }, async () => {
  await using server = await RedisServer.start();
  const first = await join(server, 1);
  await pay(first.tracker, 0.9, 0.1);
  await first.budget.close();
  await using second = await join(server, 1);
  assert(Math.abs(second.budget.total - 0.1) < 1e-9, `${second.budget.total}`);
  await pay(second.tracker, 0.9, 0.9);
  await assert.rejects(second.tracker.reserve(0.01), BudgetExceededError);
  await first.connection.close();
});

Deno.test(
  "SharedBudget: a request waits for money that another process holds",
  { ignore },
  async () => {
    await using server = await RedisServer.start();
    await using a = await join(server, 1);
    await using b = await join(server, 1);
    const held = await a.tracker.reserve(0.8);
    let isPaid = false;
    const waiting = pay(b.tracker, 0.5, 0.5).then(() => isPaid = true);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert(!isPaid);
    held.release();
    await waiting;
  },
);

Deno.test("SharedBudget survives a server that loses its data", { ignore }, async () => {
  await using server = await RedisServer.start();
  await using gone = await join(server, 1);
  await pay(gone.tracker, 0.3, 0.3);
  await gone.budget.close();
  await using a = await join(server, 1);
  await using b = await join(server, 1);
  await pay(a.tracker, 0.2, 0.2);
  await a.budget.flush();
  await b.budget.flush();
  await server.kill();
  await server.restart();
  const deadline = performance.now() + 10_000;
  while (!a.connection.isUp || !b.connection.isUp) {
    assert(performance.now() < deadline);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await a.budget.flush();
  await b.budget.flush();
  const paid = await Promise.all([a, b].map(({ tracker }) => payAll(tracker, 0.01, 0.01)));
  const sum = 0.5 + paid[0] + paid[1];
  assert(sum <= 1 + 1e-9, `${sum}`);
  assert(sum > 0.95, `${sum}`);
});

Deno.test("SharedBudget counts what was spent before, once", { ignore }, async () => {
  await using server = await RedisServer.start();
  await using a = await join(server, 1, { minimum: 0.4 });
  await using b = await join(server, 1, { minimum: 0.4 });
  assert(Math.abs(b.budget.total - 0.4) < 0.05, `${b.budget.total}`);
  await pay(a.tracker, 0.5, 0.5);
});
