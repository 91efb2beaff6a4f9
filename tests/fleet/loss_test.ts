/** Workers, coordinators and Redis may be lost at any time: every record once, and little paid twice. */
import assert from "node:assert/strict";
import { systemClock } from "../../lib/runtime/clock.ts";
import type { Outcome } from "../../lib/batch/executor.ts";
import { collect, Fleet, numbered, wrongAnswers } from "../support/fleet.ts";
import { RedisConnection } from "../../lib/redis/redis_connection.ts";
import { parseRedisAddress } from "../../lib/redis/redis_address.ts";
import { RedisServer, redisServer } from "../support/redis_server.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";

const ignore = redisServer === undefined;

/** Waits until `condition` holds. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await systemClock.sleep(10);
}

Deno.test("the records of a worker that is lost go to another one", { ignore }, async () => {
  await using server = await RedisServer.start();
  await using fleet = new Fleet(server);
  fleet.model.latency = 20;
  const lost = await fleet.worker();
  const coordinator = await fleet.coordinator({ lease: 1 });
  const collecting = collect(coordinator.run(numbered(200)));
  await until(() => fleet.model.total > 20);
  // Like a kill: nothing more reaches Redis.
  await lost.connection.close();
  lost.worker.abort();
  const total = fleet.model.total;
  await fleet.worker();
  const outcomes = await collecting;
  assert.deepEqual(wrongAnswers(outcomes, 200), []);
  assert.ok(fleet.model.total <= 200 + 16, `paid ${fleet.model.total}, ${total} before the loss`);
  assert.ok(coordinator.view.reassigned > 0);
});

Deno.test("a record that outlives three workers fails with the reason", { ignore }, async () => {
  await using server = await RedisServer.start();
  await using fleet = new Fleet(server);
  const lost: { close(): unknown }[] = [];
  const coordinator = await fleet.coordinator({ lease: 0.6 });
  const collecting = collect(coordinator.run(numbered(1)));
  for (let i = 1; i <= 3; i++) {
    const { worker, connection } = await fleet.worker();
    fleet.model.onCall = () => new Promise(() => {});
    await until(() => fleet.model.total === i);
    lost.push(connection);
    await connection.close();
    worker.abort();
  }
  await fleet.worker();
  const outcome = (await collecting).get(0)!;
  assert.ok(!outcome.ok);
  assert.match(String(outcome.error), /3 workers were lost while they worked on it/);
});

Deno.test(
  "a coordinator that is killed is continued: nothing is sent twice",
  { ignore },
  async () => {
    await using server = await RedisServer.start();
    await using fleet = new Fleet(server);
    fleet.model.latency = 20;
    await fleet.worker();
    await fleet.worker();
    const outcomes = new Map<number, Outcome>();
    const connection = await fleet.connect();
    const first = await fleet.coordinator({ connection });
    for await (const group of first.run(numbered(300))) {
      for (const outcome of group) outcomes.set(outcome.record.index, outcome);
      if (outcomes.size > 60) break;
    }
    // Its lock expires.
    await connection.close();
    const second = await fleet.coordinator();
    const rest = [...numbered(300)].filter(({ index }) => !outcomes.has(index));
    await collect(second.run(rest), outcomes);
    assert.deepEqual(wrongAnswers(outcomes, 300), []);
    assert.deepEqual(fleet.model.repeated, []);
  },
);

Deno.test("a second coordinator is refused while the first lives", { ignore }, async () => {
  await using server = await RedisServer.start();
  await using fleet = new Fleet(server);
  const first = await fleet.coordinator();
  const running = collect(first.run(numbered(5)));
  await assert.rejects(fleet.coordinator(), {
    name: "ConfigurationError",
    message: /job test is already being run by process \d+ on /,
  });
  await fleet.worker();
  assert.equal((await running).size, 5);
});

Deno.test(
  "Redis comes back empty: the window is sent again, but not what workers have",
  { ignore },
  async () => {
    await using server = await RedisServer.start();
    await using fleet = new Fleet(server);
    fleet.model.latency = 100;
    await fleet.worker();
    await fleet.worker();
    const coordinator = await fleet.coordinator();
    const collecting = collect(coordinator.run(numbered(200)));
    await until(() => fleet.model.total > 50);
    await server.kill();
    await systemClock.sleep(300);
    await server.restart();
    const outcomes = await collecting;
    assert.deepEqual(wrongAnswers(outcomes, 200), []);
    // Results that Redis had and the coordinator had not read are lost.
    assert.ok(fleet.model.repeated.length <= 16, `sent twice: ${fleet.model.repeated}`);
  },
);

Deno.test("a frozen Redis delays a batch, and nothing else", { ignore }, async () => {
  await using server = await RedisServer.start();
  await using fleet = new Fleet(server);
  fleet.model.latency = 20;
  await fleet.worker();
  await fleet.worker();
  const coordinator = await fleet.coordinator({ lease: 6 });
  const collecting = collect(coordinator.run(numbered(300)));
  await until(() => fleet.model.total > 50);
  server.freeze();
  await systemClock.sleep(3500);
  server.thaw();
  const outcomes = await collecting;
  assert.deepEqual(wrongAnswers(outcomes, 300), []);
  assert.deepEqual(fleet.model.repeated, []);
});

Deno.test(
  "Redis comes back with an older state: what was answered since is not sent again",
  { ignore },
  async () => {
    await using server = await RedisServer.start();
    await using fleet = new Fleet(server);
    fleet.model.latency = 150;
    const { connection } = await fleet.worker();
    await fleet.worker();
    const coordinator = await fleet.coordinator({ lease: 6 });
    const collecting = collect(coordinator.run(numbered(200)));
    await until(() => fleet.model.total > 30);
    await connection.command(["SAVE"]);
    await until(() => fleet.model.total > 90);
    await server.kill();
    await server.restart();
    const outcomes = await collecting;
    assert.deepEqual(wrongAnswers(outcomes, 200), []);
    // Answers that nobody had read yet.
    assert.ok(fleet.model.repeated.length <= 4, `${fleet.model.repeated.length} sent again`);
  },
);

Deno.test(
  "Redis comes back with an older state and is lost again during the comparison: nothing is sent twice",
  { ignore },
  async () => {
    await using server = await RedisServer.start();
    await using proxy = await TcpProxy.start(server.port);
    await using fleet = new Fleet(server);
    const gate = Promise.withResolvers<void>();
    fleet.model.onCall = () => gate.promise;
    await using connection = await RedisConnection.open(parseRedisAddress(proxy.redisUrl, "test"));
    const coordinator = await fleet.coordinator({ connection });
    const collecting = collect(coordinator.run(numbered(8)));
    const operator = await fleet.connect();
    const work = () => operator.command(["KEYS", "*:work"]) as Promise<string[]>;
    const length = async () => Number(await operator.command(["XLEN", (await work())[0] ?? "-"]));
    while (await length() < 8) await systemClock.sleep(10);
    // In this state, no worker has the records.
    await operator.command(["SAVE"]);
    await fleet.worker();
    await until(() => fleet.model.inFlight === 8);
    await server.kill();
    await server.restart();
    await until(() => connection.isUp);
    // The comparison waits for the reports of workers, and then fails.
    await proxy.refuse();
    await systemClock.sleep(4500);
    await fleet.worker();
    await proxy.accept();
    await until(() => connection.isUp);
    await systemClock.sleep(3000);
    gate.resolve();
    const outcomes = await collecting;
    assert.deepEqual(wrongAnswers(outcomes, 8), []);
    assert.deepEqual(fleet.model.repeated, []);
  },
);
