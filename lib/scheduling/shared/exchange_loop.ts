/**
 * Repeats an exchange with the server: regularly, and soon after a change; never two at a time.
 *
 * @module
 */
import type { RedisConnection } from "../../redis/redis_connection.ts";
import { RedisUnavailableError } from "../../redis/redis_error.ts";
import { type ReportTime, SYSTEM_TIME } from "./report_time.ts";

/** The options of an {@link ExchangeLoop}. Times are in milliseconds. */
export interface ExchangeOptions {
  /** Time between two exchanges if nothing asks for an earlier one. */
  interval: number;
  /** Minimum time between the starts of two exchanges. */
  gap: number;
  /** Called when the server refuses an exchange, which means that the server is configured wrongly, or a bug. */
  onError?: (error: unknown) => void;
  /** @default {@link SYSTEM_TIME} */
  time?: ReportTime;
}

/** Repeats one exchange with the server for as long as the connection is up. */
export class ExchangeLoop {
  readonly #connection: RedisConnection;
  readonly #exchange: () => Promise<void>;
  readonly #options: ExchangeOptions;
  readonly #unwatch: () => void;
  readonly #time: ReportTime;
  #stopTimer: () => void = () => {};
  #dueAt = Infinity;
  #startedAt = -Infinity;
  #running: Promise<void> | undefined;
  /** When the next exchange is wanted, while one is running. */
  #wantedAt = Infinity;
  #isClosed = false;

  /** @param exchange must not change anything if it throws */
  constructor(
    connection: RedisConnection,
    exchange: () => Promise<void>,
    options: ExchangeOptions,
  ) {
    this.#connection = connection;
    this.#exchange = exchange;
    this.#options = options;
    this.#time = options.time ?? SYSTEM_TIME;
    this.#unwatch = connection.watch({ onUp: () => this.request() });
    this.#setTimer(this.#time.now() + options.interval);
  }

  /** Whether an exchange is running. */
  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Exchanges in `delay` milliseconds, or as soon as allowed; earlier requests still count. */
  request(delay = 0): void {
    if (this.#isClosed) return;
    const at = this.#time.now() + delay;
    if (this.#running !== undefined) {
      this.#wantedAt = Math.min(this.#wantedAt, at);
      return;
    }
    const earliest = Math.max(at, this.#startedAt + this.#options.gap);
    if (earliest >= this.#dueAt) return;
    if (earliest <= this.#time.now()) this.#start();
    else this.#setTimer(earliest);
  }

  /** Exchanges now, after the one that is running. Never rejects. */
  async flush(): Promise<void> {
    await this.#running;
    if (!this.#isClosed) this.#start();
    await this.#running;
  }

  /** Ends the loop, after the exchange that is running. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#unwatch();
    this.#stopTimer();
    await this.#running;
  }

  #setTimer(at: number): void {
    this.#stopTimer();
    this.#dueAt = at;
    this.#stopTimer = this.#time.after(at - this.#time.now(), () => this.#start());
  }

  #start(): void {
    if (this.#running !== undefined) return;
    this.#stopTimer();
    this.#dueAt = Infinity;
    this.#startedAt = this.#time.now();
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      if (this.#isClosed) return;
      const next = Math.min(this.#wantedAt, this.#startedAt + this.#options.interval);
      this.#wantedAt = Infinity;
      const at = Math.max(next, this.#startedAt + this.#options.gap);
      if (at <= this.#time.now()) this.#start();
      else this.#setTimer(at);
    });
  }

  async #run(): Promise<void> {
    // Without the server, nothing is sent until the connection reports that it is up.
    if (!this.#connection.isUp) return;
    try {
      await this.#exchange();
    } catch (error) {
      if (!(error instanceof RedisUnavailableError)) this.#options.onError?.(error);
    }
  }
}
