/** Processes that share limits in virtual time: their clocks, their network, and the clock of a real Redis server. */
import { setImmediate } from "node:timers";
import { parseRedisAddress } from "../../lib/redis/redis_address.ts";
import type {
  RedisCommand,
  RedisConnection,
  RedisWatcher,
} from "../../lib/redis/redis_connection.ts";
import { RedisUnavailableError } from "../../lib/redis/redis_error.ts";
import type { RedisArgument } from "../../lib/redis/redis_command.ts";
import type { RedisScript } from "../../lib/redis/redis_script.ts";
import type { ReportTime } from "../../lib/scheduling/shared/report_time.ts";

/** Milliseconds since 1970 at which virtual time starts. */
const EPOCH = 1_800_000_000_000;
const COMMAND_TIMEOUT = 2000;
const PROBE_INTERVAL = 250;
const ADDRESS = parseRedisAddress("redis://127.0.0.1:1", "test");

interface Timer {
  at: number;
  number: number;
  run: () => void;
}

/** Time that passes only when all work waits for it. */
export class VirtualTime implements ReportTime {
  #now = 0;
  #number = 0;
  readonly #timers: Timer[] = [];
  /** Real work, during which no virtual time passes. */
  #pending = 0;

  now(): number {
    return this.#now;
  }

  after(delay: number, run: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, delay), number: this.#number++, run };
    this.#timers.push(timer);
    return () => {
      const index = this.#timers.indexOf(timer);
      if (index >= 0) this.#timers.splice(index, 1);
    };
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.after(ms, resolve));
  }

  async real<T>(work: () => Promise<T>): Promise<T> {
    this.#pending++;
    try {
      return await work();
    } finally {
      this.#pending--;
    }
  }

  /** Lets `ms` pass. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    while (true) {
      do await new Promise((resolve) => setImmediate(resolve)); while (this.#pending > 0);
      const [next] = this.#timers.toSorted((a, b) => a.at - b.at || a.number - b.number);
      if (next === undefined || next.at > end) break;
      this.#timers.splice(this.#timers.indexOf(next), 1);
      this.#now = next.at;
      next.run();
    }
    this.#now = end;
  }
}

/** The connection of one process, with a network of its own. Scripts run on a real server, at the virtual time. */
export class VirtualConnection {
  isUp = true;
  readonly runId = "run";
  #isCut = false;
  readonly #watchers = new Set<RedisWatcher>();

  /** @param latency milliseconds that the next message takes */
  constructor(
    readonly time: VirtualTime,
    readonly server: RedisConnection,
    readonly latency: () => number,
  ) {}

  get asConnection(): RedisConnection {
    return this as unknown as RedisConnection;
  }

  key(...parts: string[]): string {
    return this.server.key(...parts);
  }

  watch(watcher: RedisWatcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Lets no message pass, in either direction. */
  cut(): void {
    this.#isCut = true;
  }

  heal(): void {
    this.#isCut = false;
  }

  async run(
    { source }: RedisScript,
    keys: readonly string[],
    args: readonly RedisArgument[],
  ): Promise<unknown> {
    return await this.#within(async () => {
      if (!await this.#transmit()) return;
      const now = EPOCH + this.time.now();
      const [seconds, micros] = [Math.floor(now / 1000), Math.floor(now % 1000 * 1000)];
      const script = source.replaceAll(`redis.call("TIME")`, `{${seconds}, ${micros}}`);
      const reply = await this.time.real(() =>
        this.server.command(["EVAL", script, keys.length, ...keys, ...args])
      );
      return await this.#transmit() ? { reply } : undefined;
    });
  }

  async pipeline(commands: readonly RedisCommand[]): Promise<unknown[]> {
    return await this.time.real(() => this.server.pipeline(commands));
  }

  /** Whether a message arrives. */
  async #transmit(): Promise<boolean> {
    if (this.#isCut) return false;
    await this.time.sleep(this.latency());
    return !this.#isCut;
  }

  #within(exchange: () => Promise<{ reply: unknown } | undefined>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const stop = this.time.after(COMMAND_TIMEOUT, () => {
        const error = new RedisUnavailableError(ADDRESS, "it does not answer");
        if (this.isUp) {
          this.isUp = false;
          for (const watcher of [...this.#watchers]) watcher.onDown?.(error);
          this.#probe();
        }
        reject(error);
      });
      exchange().then((result) => {
        if (result === undefined) return;
        stop();
        resolve(result.reply);
      }, reject);
    });
  }

  #probe(): void {
    this.time.after(PROBE_INTERVAL, () => {
      if (this.#isCut) return this.#probe();
      this.isUp = true;
      for (const watcher of [...this.#watchers]) watcher.onUp?.();
    });
  }
}
