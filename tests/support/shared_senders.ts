/** Senders that stand for processes under shared limits, and the log of a virtual server that they send to. */
import { RedisConnection } from "../../lib/redis/redis_connection.ts";
import type { RatesOnStoreLoss } from "../../lib/redis/redis_settings.ts";
import { type GroupRate, SharedRate } from "../../lib/scheduling/shared/shared_rate.ts";
import type { RedisAddress } from "../../lib/redis/redis_address.ts";

/** The largest number of `times` in any window of `length` milliseconds. */
export function mostWithin(times: readonly number[], length: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  let most = 0;
  for (let first = 0, last = 0; last < sorted.length; last++) {
    while (sorted[first] <= sorted[last] - length) first++;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

/** One process that sends as fast as its limit allows. */
export class Sender implements AsyncDisposable {
  readonly connection: RedisConnection;
  readonly rate: SharedRate;
  readonly errors: unknown[] = [];
  /** Requests that wait; `Infinity` for always. */
  waiting = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOpen = true;

  private constructor(
    connection: RedisConnection,
    rates: readonly GroupRate[],
    readonly log: number[],
    onStoreLoss: RatesOnStoreLoss,
  ) {
    this.connection = connection;
    this.rate = new SharedRate(connection, rates, {
      onStoreLoss,
      waiting: () => this.waiting,
      onChange: () => this.send(),
      onError: (error) => this.errors.push(error),
    });
  }

  static async start(
    server: { address(): RedisAddress },
    rates: readonly GroupRate[],
    log: number[],
    { isIdle = false, mayStartDown = false, onStoreLoss = "divide" as RatesOnStoreLoss } = {},
  ): Promise<Sender> {
    const connection = await RedisConnection.open(server.address(), { mayStartDown });
    const sender = new Sender(connection, rates, log, onStoreLoss);
    if (isIdle) sender.waiting = 0;
    await sender.rate.join().catch((error) => {
      if (!mayStartDown) throw error;
    });
    sender.send();
    return sender;
  }

  /** Sends what may be sent now. */
  send(): void {
    clearTimeout(this.#timer);
    while (this.#isOpen && this.waiting > 0) {
      const now = performance.now();
      const at = this.rate.availableAt(now);
      if (at > now) {
        if (at < Infinity) this.#timer = setTimeout(() => this.send(), at - now);
        return;
      }
      this.rate.take(now);
      this.waiting--;
      this.log.push(now);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOpen = false;
    clearTimeout(this.#timer);
    await this.rate.close();
    await this.connection.close();
  }
}
