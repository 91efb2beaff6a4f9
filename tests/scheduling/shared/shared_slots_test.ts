/** Slots that several processes share, on a real server; each limit stands for a process. */
import assert from "node:assert/strict";
import { RedisConnection } from "../../../lib/redis/redis_connection.ts";
import { SharedSlots } from "../../../lib/scheduling/shared/shared_slots.ts";
import { RedisServer, redisServer } from "../../support/redis_server.ts";

const ignore = redisServer === undefined;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The requests in flight at the server. */
class Meter {
  inFlight = 0;
  most = 0;

  begin(): void {
    this.most = Math.max(this.most, ++this.inFlight);
  }

  end(): void {
    this.inFlight--;
  }
}

class SlotUser implements AsyncDisposable {
  done = 0;
  waiting: number;
  inFlight = 0;
  #isOpen = true;

  private constructor(
    readonly connection: RedisConnection,
    readonly slots: SharedSlots,
    readonly meter: Meter,
    readonly latency: number,
    waiting: number,
  ) {
    this.waiting = waiting;
  }

  static async start(
    server: RedisServer,
    max: number,
    meter: Meter,
    { latency = 10, waiting = Infinity } = {},
  ): Promise<SlotUser> {
    const connection = await RedisConnection.open(server.address());
    const options = {
      onStoreLoss: "divide" as const,
      waiting: () => user.waiting,
      onChange: () => user.send(),
    };
    const slots = new SharedSlots(connection, { group: "g", max }, options);
    const user: SlotUser = new SlotUser(connection, slots, meter, latency, waiting);
    await slots.join();
    user.send();
    return user;
  }

  send(): void {
    while (this.#isOpen && this.waiting > 0 && this.slots.isAvailable()) {
      this.slots.take();
      this.waiting--;
      this.inFlight++;
      this.meter.begin();
      setTimeout(() => {
        this.meter.end();
        this.inFlight--;
        this.done++;
        this.slots.release();
        this.send();
      }, this.latency);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOpen = false;
    while (this.inFlight > 0) await sleep(5);
    await this.slots.close();
    await this.connection.close();
  }
}

Deno.test(
  "SharedSlots: processes share the slots evenly, and idle ones have none",
  { ignore },
  async () => {
    await using server = await RedisServer.start();
    const meter = new Meter();
    await using a = await SlotUser.start(server, 12, meter);
    await using _idle = await SlotUser.start(server, 12, meter, { waiting: 0 });
    await sleep(500);
    assert.equal(meter.most, 12);
    await using b = await SlotUser.start(server, 12, meter);
    await using c = await SlotUser.start(server, 12, meter);
    await sleep(1500);
    const before = [a, b, c].map(({ done }) => done);
    await sleep(1500);
    const done = [a, b, c].map(({ done }, i) => done - before[i]);
    for (const each of done) assert(each > 0, `${done}`);
    assert.equal(meter.most, 12);
  },
);

Deno.test("SharedSlots: with fewer slots than processes, they take turns", { ignore }, async () => {
  await using server = await RedisServer.start();
  const meter = new Meter();
  await using a = await SlotUser.start(server, 2, meter);
  await using b = await SlotUser.start(server, 2, meter);
  await sleep(300);
  await using c = await SlotUser.start(server, 2, meter);
  const end = performance.now() + 10_000;
  while (c.done === 0 && performance.now() < end) await sleep(50);
  assert.ok(c.done > 0, "the third process has waited in vain");
  // Nor do the others wait forever then.
  const before = [a.done, b.done, c.done];
  const users = [a, b, c];
  while (!users.every(({ done }, i) => done > before[i]) && performance.now() < end) {
    await sleep(50);
  }
  assert.ok(
    users.every(({ done }, i) => done > before[i]),
    `${before} ${users.map((u) => u.done)}`,
  );
  assert.ok(meter.most <= 2, `${meter.most} in flight`);
});
