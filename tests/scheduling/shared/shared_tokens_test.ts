/** A limit on tokens that several processes share, on a real server; each limit stands for a process. */
import assert from "node:assert/strict";
import { RedisConnection } from "../../../lib/redis/redis_connection.ts";
import { SharedTokens } from "../../../lib/scheduling/shared/shared_tokens.ts";
import { RedisServer, redisServer } from "../../support/redis_server.ts";

const ignore = redisServer === undefined;

/** A process that sends requests of `tokens` tokens as fast as its limit allows, each answered after `latency`. */
class TokenSender implements AsyncDisposable {
  sent = 0;
  waiting = Infinity;
  readonly errors: unknown[] = [];
  #isOpen = true;
  #timer: ReturnType<typeof setTimeout> | undefined;

  private constructor(
    readonly connection: RedisConnection,
    readonly limit: SharedTokens,
    readonly log: { at: number; tokens: number }[],
    readonly tokens: number,
    readonly latency: number,
  ) {}

  static async start(
    server: RedisServer,
    perMinute: number,
    log: { at: number; tokens: number }[],
    { tokens = 100, latency = 20, waiting = Infinity } = {},
  ): Promise<TokenSender> {
    const connection = await RedisConnection.open(server.address());
    const options = {
      onStoreLoss: "divide" as const,
      waiting: () => sender.waiting,
      onChange: () => sender.send(),
      onError: (error: unknown) => sender.errors.push(error),
    };
    const limit = new SharedTokens(connection, { group: "g", perMinute }, options);
    const sender: TokenSender = new TokenSender(connection, limit, log, tokens, latency);
    sender.waiting = waiting;
    await limit.join();
    sender.send();
    return sender;
  }

  send(): void {
    clearTimeout(this.#timer);
    const demand = { prompt: this.tokens / 2, maxCompletion: 2 * this.tokens };
    while (this.#isOpen && this.waiting > 0) {
      const now = performance.now();
      const at = this.limit.nextAt(now, demand);
      if (at > now) {
        if (at < Infinity) this.#timer = setTimeout(() => this.send(), at - now);
        return;
      }
      const hold = this.limit.take(now, demand);
      this.waiting--;
      this.sent++;
      this.log.push({ at: now, tokens: this.tokens });
      setTimeout(() => {
        this.limit.commit(performance.now(), hold, this.tokens / 2, this.tokens / 2);
        this.send();
      }, this.latency);
    }
  }

  stop(): void {
    this.#isOpen = false;
    clearTimeout(this.#timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await new Promise((resolve) => setTimeout(resolve, this.latency + 20));
    await this.limit.close();
    await this.connection.close();
  }
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const sumOf = (log: readonly { tokens: number }[]) =>
  log.reduce((sum, { tokens }) => sum + tokens, 0);

Deno.test(
  "SharedTokens: processes together spread the limit over the minute",
  { ignore },
  async () => {
    await using server = await RedisServer.start();
    const log: { at: number; tokens: number }[] = [];
    const perMinute = 600_000;
    await using a = await TokenSender.start(server, perMinute, log);
    await using b = await TokenSender.start(server, perMinute, log);
    await using c = await TokenSender.start(server, perMinute, log, { waiting: 0 });
    await sleep(1000);
    const before = sumOf(log);
    await sleep(3000);
    const perSecond = (sumOf(log) - before) / 3;
    // 10,000 a second.
    assert(perSecond < 10_000 * 1.1, `${perSecond}`);
    assert(perSecond > 10_000 * 0.8, `${perSecond}`);
    assert(Math.min(a.sent, b.sent) > 0, `${a.sent} ${b.sent}`);
    for (const { errors } of [a, b, c]) assert.deepEqual(errors, []);
  },
);

Deno.test("SharedTokens: no minute has more than the limit", { ignore }, async () => {
  await using server = await RedisServer.start();
  const log: { at: number; tokens: number }[] = [];
  // Less than one second's worth of requests fits into the minute.
  const perMinute = 3000;
  await using a = await TokenSender.start(server, perMinute, log, { tokens: 500 });
  await using b = await TokenSender.start(server, perMinute, log, { tokens: 500 });
  await sleep(3000);
  assert(sumOf(log) <= perMinute, `${sumOf(log)}`);
  assert(sumOf(log) >= 500, `${sumOf(log)}`);
  for (const { errors } of [a, b]) assert.deepEqual(errors, []);
});

Deno.test("SharedTokens counts what a killed process may have used", { ignore }, async () => {
  await using server = await RedisServer.start();
  const log: { at: number; tokens: number }[] = [];
  const killed = await TokenSender.start(server, 1000, log, {
    tokens: 800,
    latency: 600_000,
    waiting: 1,
  });
  const deadline = performance.now() + 5000;
  while (killed.sent === 0) {
    assert(performance.now() < deadline);
    await sleep(10);
  }
  killed.stop();
  await killed.connection.close();
  await using other = await TokenSender.start(server, 1000, log, { tokens: 400, waiting: 1 });
  await sleep(1000);
  assert.equal(other.sent, 0);
});
