/**
 * Reports what a process uses of one shared limit, by which the other processes know that it is connected.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import type { RedisArgument, RedisConnection } from "../../redis/redis_connection.ts";
import type { RedisScript } from "../../redis/redis_script.ts";
import type { RatesOnStoreLoss } from "../../redis/redis_settings.ts";
import { ExchangeLoop } from "./exchange_loop.ts";
import { FleetState } from "./fleet_mode.ts";
import { leave, type LimitKeys } from "./limit_group.ts";
import { type ReportTime, SYSTEM_TIME } from "./report_time.ts";

/** What shared limits of all kinds need. */
export interface SharedLimitOptions {
  /** What happens while Redis cannot be used. */
  onStoreLoss: RatesOnStoreLoss;
  /** The number of requests that wait for an endpoint. */
  waiting: () => number;
  /** Called when a request that waits may start. */
  onChange: () => void;
  /** Called when the server refuses a report. */
  onError?: (error: unknown) => void;
  /** @default {@link SYSTEM_TIME} */
  time?: ReportTime;
}

/** What a {@link LimitReporter} reports, and what it follows. */
export interface ReporterOptions extends SharedLimitOptions {
  /** The keys of the limit, or of several limits that each request has to keep to. */
  keys: readonly LimitKeys[];
  /** Minimum milliseconds between two reports. */
  gap: number;
  /** Sends a report; it must not change anything if it throws. */
  report: () => Promise<void>;
  /** The server cannot be used, or has lost its data. */
  onLost: () => void;
}

/** Milliseconds between two reports while nothing changes. */
export const REPORT_INTERVAL = 1000;

/** The reports of one process. */
export class LimitReporter {
  readonly #connection: RedisConnection;
  readonly #options: ReporterOptions;
  readonly #time: ReportTime;
  readonly #id = randomUUID();
  readonly #loop: ExchangeLoop;
  readonly #unwatch: () => void;
  /** The number of the last report. */
  #number = 0;
  /** What this process uses: the shared limit, its part, or nothing. */
  readonly state: FleetState;

  constructor(connection: RedisConnection, options: ReporterOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#time = options.time ?? SYSTEM_TIME;
    this.state = new FleetState(connection, options.onStoreLoss);
    this.#loop = new ExchangeLoop(connection, options.report, {
      interval: REPORT_INTERVAL,
      gap: options.gap,
      onError: options.onError,
      time: options.time,
    });
    const onLost = () => this.#lost();
    this.#unwatch = connection.watch({ onDown: onLost, onReset: onLost });
  }

  /**
   * Registers this process, so that the others know of it.
   *
   * @throws {RedisUnavailableError} if the server cannot be used; this process uses a part of the limit then
   */
  async join(): Promise<void> {
    if (!this.#connection.isUp) this.#lost();
    await this.#options.report();
  }

  /** Reports in `delay` milliseconds, or as soon as allowed; earlier requests still count. */
  request(delay = 0): void {
    this.#loop.request(delay);
  }

  /**
   * Runs the script of the limit. Returns `undefined` if its reply is of no use: this process was cut off meanwhile,
   * or a later report has arrived before.
   *
   * @throws {RedisUnavailableError} if the server cannot be used
   */
  async run(script: RedisScript, args: readonly RedisArgument[]): Promise<unknown[] | undefined> {
    if (this.#connection.isUp) this.state.sent(this.#time.now());
    const { known, isCutOff } = this.state;
    const reply = await this.#connection.run(script, this.#options.keys.flat(), [
      this.#id,
      ++this.#number,
      this.#connection.runId,
      known,
      isCutOff ? 1 : 0,
      ...args,
    ]) as [processes: number, ...unknown[]];
    if (!this.#connection.isUp || reply.length === 0) return undefined;
    this.state.replied(reply[0]);
    return reply;
  }

  /** Ends the reports; the others need not keep a part for this process. */
  async close(isFlushed = false): Promise<void> {
    if (isFlushed && this.#connection.isUp) await this.#loop.flush();
    this.#unwatch();
    await this.#loop.close();
    for (const keys of this.#options.keys) await leave(this.#connection, keys, this.#id);
  }

  #lost(): void {
    this.state.lost();
    this.#options.onLost();
    this.#options.onChange();
  }
}
