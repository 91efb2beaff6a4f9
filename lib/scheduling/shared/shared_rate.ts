/**
 * Limits requests per second over several processes.
 *
 * The server grants moments at which this process may send a request. They are taken ahead while requests wait,
 * so that none waits for a round trip. A moment that is not used is lost; nothing is made up for, so a process
 * that was suspended sends nothing late.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import type { RedisConnection } from "../../redis/redis_connection.ts";
import type { RatesOnStoreLoss } from "../../redis/redis_settings.ts";
import { RateLimiter, type RequestRate } from "../rate_limiter.ts";
import { ExchangeLoop } from "./exchange_loop.ts";
import { FleetState } from "./fleet_mode.ts";
import { MAX_MOMENTS, RATE_SCRIPT, TRAVEL, VALID_FOR } from "./rate_script.ts";
import { Pace } from "./pace.ts";
import { ServerClock } from "./server_clock.ts";
import { leave, limitKeys } from "./limit_group.ts";

/** One limit that a request has to keep to. */
export interface GroupRate {
  /** See {@link limitGroup}. */
  group: string;
  /** Requests per second. */
  perSecond: number;
}

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
}

/** Milliseconds between two reports while no request is sent, by which the others know this process. */
const INTERVAL = 1000;
/** Minimum milliseconds between two reports. */
const GAP = 15;
/** Milliseconds that moments are taken ahead, beyond the time that a reply takes. */
const AHEAD = 100;
/** Milliseconds of the process's own pace for which moments are taken ahead while the limit is not reached. */
const PACE_AHEAD = 50;
/** Milliseconds added to the time that a reply takes. */
const LEAD = 3;
const MAX_LEAD = 1000;

/** A rate of requests that several processes share. Times are in milliseconds. */
export class SharedRate implements RequestRate {
  readonly #connection: RedisConnection;
  readonly #rates: readonly GroupRate[];
  readonly #options: SharedLimitOptions;
  readonly #id = randomUUID();
  readonly #clock = new ServerClock();
  readonly #state: FleetState;
  readonly #part: RateLimiter;
  readonly #loop: ExchangeLoop;
  readonly #unwatch: () => void;
  readonly #perSecond: number;
  /** Granted moments, in order, from `#first` on. */
  #moments: number[] = [];
  #first = 0;
  #effective: number;
  #wanted = false;
  #hasBeenGranted = false;
  #retryAt = -Infinity;
  readonly #pace = new Pace();
  /** Whether all processes together stayed below the limit at the last report: then moments may be lost. */
  #isPlenty = false;

  /** @param rates the limits that each request has to keep to; at least one */
  constructor(
    connection: RedisConnection,
    rates: readonly GroupRate[],
    options: SharedLimitOptions,
  ) {
    this.#connection = connection;
    this.#rates = rates;
    this.#options = options;
    this.#state = new FleetState(connection, options.onStoreLoss);
    this.#perSecond = Math.min(...rates.map(({ perSecond }) => perSecond));
    this.#effective = this.#perSecond;
    this.#part = new RateLimiter(this.#perSecond, TRAVEL);
    this.#loop = new ExchangeLoop(connection, () => this.#report(), {
      interval: INTERVAL,
      gap: GAP,
      onError: options.onError,
    });
    this.#unwatch = connection.watch({
      onDown: () => this.#lost(),
      onReset: () => this.#lost(),
    });
  }

  /**
   * Registers this process, so that the others know of it.
   *
   * @throws {RedisUnavailableError} if the server cannot be used; this process uses a part of the limit then
   */
  async join(): Promise<void> {
    if (!this.#connection.isUp) this.#lost();
    await this.#report();
  }

  availableAt(now: number): number {
    const mode = this.#state.modeAt(now);
    if (mode === "part") return this.#part.nextAt;
    if (mode === "wait") {
      return this.#options.onStoreLoss === "stop" ? Infinity : this.#state.partAt;
    }
    this.#dropExpired(now);
    this.#wanted = true;
    this.#refill(now);
    // The reply dispatches the requests that wait.
    return this.#moments[this.#first] ?? Math.max(this.#retryAt, now + INTERVAL);
  }

  take(now: number): void {
    if (this.#state.modeAt(now) === "part") return this.#part.take(now);
    this.#first++;
    this.#pace.count++;
    this.#refill(now);
  }

  /** Leaves the group. */
  async close(): Promise<void> {
    this.#unwatch();
    await this.#loop.close();
    for (const { group } of this.#rates) {
      await leave(this.#connection, limitKeys(this.#connection, group, "rate"), this.#id);
    }
  }

  #lost(): void {
    this.#state.lost();
    this.#moments = [];
    this.#first = 0;
    const part = this.#state.partOf(this.#perSecond);
    // Rounded up, the parts of all processes together would exceed the limit.
    this.#part.setRate(part < 1 || part === this.#perSecond ? part : Math.floor(part));
    this.#options.onChange();
  }

  #dropExpired(now: number): void {
    const moments = this.#moments;
    while (this.#first < moments.length && moments[this.#first] + VALID_FOR < now) this.#first++;
    if (this.#first > 1000 || this.#first === moments.length) {
      this.#moments = moments.slice(this.#first);
      this.#first = 0;
    }
  }

  /** Requests more moments before the last ones are used up, while requests wait. */
  #refill(now: number): void {
    const held = this.#moments.length - this.#first;
    const target = this.#target();
    if (held * 2 > target || held >= target) return;
    this.#loop.request(this.#retryAt - now);
  }

  /** The number of moments to hold: for the requests that wait, but not for long. */
  #target(): number {
    const ahead = (AHEAD + 2 * this.#clock.roundTrip) / 1000;
    const most = Math.min(MAX_MOMENTS, Math.max(1, Math.ceil(this.#effective * ahead)));
    const soon = this.#isPlenty ? this.#pace.during(PACE_AHEAD) : 0;
    return Math.min(most, Math.max(this.#options.waiting(), soon, this.#wanted ? 1 : 0));
  }

  async #report(): Promise<void> {
    const { roundTrip } = this.#clock;
    const lead = Math.min(MAX_LEAD, roundTrip + LEAD);
    const sent = performance.now();
    this.#pace.measure(sent);
    this.#dropExpired(sent);
    const held = this.#moments.length - this.#first;
    const wanted = Math.max(0, this.#target() - held);
    // A process without any may look further ahead than one that has some left.
    const ahead = held === 0 ? AHEAD : AHEAD / 2;
    this.#wanted = false;
    const [time, processes, effective, wait, ...moments] = await this.#connection.run(
      RATE_SCRIPT,
      this.#rates.flatMap(({ group }) => limitKeys(this.#connection, group, "rate")),
      [
        this.#id,
        this.#state.known,
        wanted,
        Math.round(lead * 1000),
        Math.round((lead + ahead + 2 * roundTrip) * 1000),
        held === 0 ? 1 : 0,
        this.#hasBeenGranted ? 1 : 0,
        ...this.#rates.map(({ perSecond }) => perSecond),
      ],
    ) as [string, number, string, number, ...number[]];
    const received = performance.now();
    // Cut off meanwhile: this process uses its own part now.
    if (!this.#connection.isUp) return;
    const serverTime = Number(time) / 1000;
    this.#clock.learn(sent, received, serverTime);
    this.#state.reported(sent, processes);
    this.#effective = Number(effective);
    this.#retryAt = wait > 0 ? received + wait / 1000 - roundTrip / 2 : -Infinity;
    if (moments.length > 0) {
      this.#hasBeenGranted = true;
      this.#isPlenty = wait === 0 && moments[0] / 1000 <= lead + LEAD;
    }
    const now = this.#clock.toLocal(serverTime);
    for (const moment of moments) this.#moments.push(now + moment / 1000);
    if (wanted > 0) this.#options.onChange();
  }
}
