/**
 * A shared rate in virtual time: a process is cut off and returns, data is deleted, the network is slow, and machines
 * are busy. The server that has the limit sees no second with more than it, wherever the second begins.
 */
import assert from "node:assert/strict";
import { RedisConnection } from "../../../lib/redis/redis_connection.ts";
import { seededRandom } from "../../../lib/runtime/random.ts";
import { TRAVEL } from "../../../lib/scheduling/shared/rate_script.ts";
import { SharedRate } from "../../../lib/scheduling/shared/shared_rate.ts";
import { RedisServer, redisServer } from "../../support/redis_server.ts";
import { mostWithin } from "../../support/shared_senders.ts";
import { VirtualConnection, VirtualTime } from "../../support/virtual_fleet.ts";

const ignore = redisServer === undefined;

/** A process that sends as fast as it may. */
class VirtualSender {
  readonly connection: VirtualConnection;
  readonly rate: SharedRate;
  waiting: number;
  readonly errors: unknown[] = [];
  #stop = () => {};

  constructor(
    readonly time: VirtualTime,
    server: RedisConnection,
    perSecond: number,
    latency: () => number,
    readonly arrive: (at: number) => void,
    waiting = Infinity,
  ) {
    this.waiting = waiting;
    this.connection = new VirtualConnection(time, server, latency);
    this.rate = new SharedRate(this.connection.asConnection, [{ group: "g", perSecond }], {
      onStoreLoss: "divide",
      waiting: () => this.waiting,
      onChange: () => this.send(),
      onError: (error) => this.errors.push(error),
      time,
    });
  }

  send(): void {
    this.#stop();
    while (this.waiting > 0) {
      const now = this.time.now();
      const at = this.rate.availableAt(now);
      if (at > now) {
        if (at < Infinity) this.#stop = this.time.after(at - now, () => this.send());
        return;
      }
      this.rate.take(now);
      this.waiting--;
      this.arrive(now);
    }
  }

  async close(): Promise<void> {
    this.waiting = 0;
    this.#stop();
    this.connection.isUp = false;
    await this.rate.close();
  }
}

/** What happens in a run. */
interface Course {
  seed: number;
  perSecond: number;
  /** Milliseconds that a message to Redis takes, more or less. */
  latency: number;
  /** Whether the process that is cut off has sent nothing before. */
  isIdle?: boolean;
}

/** Cuts off one of three processes for `cut` milliseconds. Returns when requests have arrived at the server. */
async function arrivalsOf(
  redis: RedisServer,
  { seed, perSecond, latency, isIdle = false }: Course,
): Promise<{ all: number[]; alone: number[]; errors: unknown[] }> {
  await using server = await RedisConnection.open(
    redis.address(`run-${perSecond}-${latency}-${seed}`),
  );
  const time = new VirtualTime();
  const random = seededRandom(seed);
  const all: number[] = [];
  const alone: number[] = [];
  const senders = [0, 1, 2].map((i) =>
    new VirtualSender(
      time,
      server,
      perSecond,
      () => latency * (0.9 + 0.2 * random()),
      (at) => {
        const arrival = at + random() * TRAVEL / 2;
        all.push(arrival);
        if (i === 2) alone.push(arrival);
      },
      i === 2 && isIdle ? 0 : Infinity,
    )
  );
  const [, , cut] = senders;
  for (const sender of senders) {
    void sender.rate.join().then(() => sender.send());
    await time.pass(random() * 300);
  }
  await time.pass(2000 + random() * 1000);
  cut.connection.cut();
  await time.pass(1000);
  cut.waiting = Infinity;
  cut.send();
  await time.pass(6000 + random() * 1000);
  cut.connection.heal();
  await time.pass(3000);
  const closed = Promise.all(senders.map((sender) => sender.close()));
  await time.pass(3000);
  await closed;
  return { all, alone, errors: senders.flatMap(({ errors }) => errors) };
}

/** A short trip means many reports, which take real time. */
const COURSES = [[2, 20, 6], [2, 100, 6], [60, 20, 1], [60, 100, 6]];

for (const [perSecond, latency, seeds] of COURSES) {
  Deno.test(
    `SharedRate: ${perSecond} a second in virtual time, ${latency} ms to Redis`,
    { ignore },
    async () => {
      await using redis = await RedisServer.start();
      for (let seed = 1; seed <= seeds; seed++) {
        const course = { seed, perSecond, latency, isIdle: seed % 3 === 0 };
        const { all, alone, errors } = await arrivalsOf(redis, course);
        const most = mostWithin(all, 1000);
        assert.deepEqual(errors, []);
        assert(most <= perSecond, `seed ${seed}: ${most} of ${perSecond}`);
        assert(alone.length > 0);
      }
    },
  );
}

Deno.test(
  "SharedRate: data that is deleted gives nothing twice to processes with slower replies",
  { ignore },
  async () => {
    await using redis = await RedisServer.start();
    for (let seed = 1; seed <= 6; seed++) {
      await using server = await RedisConnection.open(redis.address(`deleted-${seed}`));
      const time = new VirtualTime();
      const random = seededRandom(seed);
      const all: number[] = [];
      const senders = [2, 80].map((latency) =>
        new VirtualSender(time, server, 50, () => latency * (0.9 + 0.2 * random()), (at) => {
          all.push(at);
        })
      );
      for (const sender of senders) void sender.rate.join().then(() => sender.send());
      for (let i = 0; i < 5; i++) {
        await time.pass(600 + random() * 200);
        await server.command(["FLUSHALL"]);
      }
      await time.pass(700);
      const closed = Promise.all(senders.map((sender) => sender.close()));
      await time.pass(3000);
      await closed;
      const most = mostWithin(all, 1000);
      assert(most <= 50, `seed ${seed}: ${most}`);
      assert(all.length > 20, `${all.length}`);
      assert.deepEqual(senders.flatMap(({ errors }) => errors), []);
    }
  },
);
