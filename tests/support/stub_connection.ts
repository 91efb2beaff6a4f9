/** A connection whose replies a test decides, one after the other. */
import type { RedisConnection } from "../../lib/redis/redis_connection.ts";

/** What was sent last, and how to reply to it. */
export class StubConnection {
  isUp = true;
  readonly runId = "run";
  args: readonly unknown[] = [];
  #reply: ((reply: unknown[]) => void) | undefined;

  watch(): () => void {
    return () => {};
  }

  key(...parts: string[]): string {
    return parts.join(":");
  }

  run(_script: unknown, _keys: unknown, args: readonly unknown[]): Promise<unknown> {
    this.args = args;
    return new Promise((resolve) => this.#reply = resolve);
  }

  pipeline(): Promise<unknown[]> {
    return Promise.resolve([]);
  }

  /** Waits until something is sent. */
  async sent(): Promise<void> {
    while (this.#reply === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  /** Replies to what was sent, and lets it be handled. */
  async reply(...values: unknown[]): Promise<void> {
    await this.sent();
    this.#reply!(values);
    this.#reply = undefined;
    await new Promise((resolve) => setTimeout(resolve));
  }

  /** It has all that limits use of a connection. */
  get asConnection(): RedisConnection {
    return this as unknown as RedisConnection;
  }
}
