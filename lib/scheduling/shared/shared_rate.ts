/**
 * Limits requests per second over several processes.
 *
 * The server grants moments at which this process may send a request. They are taken ahead while requests wait,
 * so that none waits for a round trip. A moment that is not used is lost; nothing is made up for, so a process
 * that was suspended sends nothing late.
 *
 * @module
 */
import type { RedisConnection } from "../../redis/redis_connection.ts";
import { RateLimiter, type RequestRate } from "../rate_limiter.ts";
import { limitKeys } from "./limit_group.ts";
import { LimitReporter, REPORT_INTERVAL, type SharedLimitOptions } from "./limit_reporter.ts";
import { MAX_MOMENTS, RATE_SCRIPT, TRAVEL, VALID_FOR } from "./rate_script.ts";
import { Pace } from "./pace.ts";
import { type ReportTime, SYSTEM_TIME } from "./report_time.ts";
import { ServerClock } from "./server_clock.ts";

/** One limit that a request has to keep to. */
export interface GroupRate {
  /** See {@link limitGroup}. */
  group: string;
  /** Requests per second. */
  perSecond: number;
}

/** See {@link RATE_SCRIPT}. */
type RateReply = [number, string, string, number, string, ...number[]];

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
  readonly #rates: readonly GroupRate[];
  readonly #options: SharedLimitOptions;
  readonly #time: ReportTime;
  readonly #clock = new ServerClock();
  readonly #part: RateLimiter;
  readonly #reporter: LimitReporter;
  readonly #perSecond: number;
  /** Granted moments, in order, from `#first` on. */
  #moments: number[] = [];
  #first = 0;
  #effective: number;
  #wanted = false;
  #retryAt = -Infinity;
  /** Microseconds up to the furthest moment of any process, as the server last said. */
  #furthest = "0";
  readonly #pace = new Pace();
  /** Whether all processes together stayed below the limit at the last report: then moments may be lost. */
  #isPlenty = false;

  /** @param rates the limits that each request has to keep to; at least one */
  constructor(
    connection: RedisConnection,
    rates: readonly GroupRate[],
    options: SharedLimitOptions,
  ) {
    this.#rates = rates;
    this.#options = options;
    this.#time = options.time ?? SYSTEM_TIME;
    this.#perSecond = Math.min(...rates.map(({ perSecond }) => perSecond));
    this.#effective = this.#perSecond;
    this.#part = new RateLimiter(this.#perSecond, TRAVEL);
    this.#reporter = new LimitReporter(connection, {
      ...options,
      keys: rates.map(({ group }) => limitKeys(connection, group, "rate")),
      gap: GAP,
      report: () => this.#report(),
      onLost: () => this.#lost(),
    });
  }

  /**
   * Registers this process, so that the others know of it.
   *
   * @throws {RedisUnavailableError} if the server cannot be used; this process uses a part of the limit then
   */
  async join(): Promise<void> {
    await this.#reporter.join();
  }

  availableAt(now: number): number {
    const mode = this.#reporter.state.modeAt(now);
    if (mode === "part") return this.#part.nextAt;
    if (mode === "wait") {
      return this.#options.onStoreLoss === "stop" ? Infinity : this.#reporter.state.partAt;
    }
    this.#dropExpired(now);
    this.#wanted = true;
    this.#refill(now);
    // The reply dispatches the requests that wait.
    return this.#moments[this.#first] ?? Math.max(this.#retryAt, now + REPORT_INTERVAL);
  }

  take(now: number): void {
    if (this.#reporter.state.modeAt(now) === "part") return this.#part.take(now);
    this.#first++;
    this.#pace.count++;
    this.#refill(now);
  }

  /** Leaves the group. */
  async close(): Promise<void> {
    await this.#reporter.close();
  }

  #lost(): void {
    this.#moments = [];
    this.#first = 0;
    const { state } = this.#reporter;
    const part = state.partOf(this.#perSecond);
    // Rounded up, the parts of all processes together would exceed the limit.
    this.#part.setRate(part < 1 || part === this.#perSecond ? part : Math.floor(part));
    // The others may have been granted the moments just after.
    this.#part.take(state.partAt);
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
    this.#reporter.request(this.#retryAt - now);
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
    const sent = this.#time.now();
    this.#pace.measure(sent);
    this.#dropExpired(sent);
    const held = this.#moments.length - this.#first;
    const wanted = Math.max(0, this.#target() - held);
    // A process without any may look further ahead than one that has some left.
    const ahead = held === 0 ? AHEAD : AHEAD / 2;
    this.#wanted = false;
    const reply = await this.#reporter.run(RATE_SCRIPT, [
      wanted,
      Math.round(lead * 1000),
      Math.round((lead + ahead + 2 * roundTrip) * 1000),
      held === 0 ? 1 : 0,
      this.#furthest,
      ...this.#rates.map(({ perSecond }) => perSecond),
    ]);
    if (reply === undefined) return;
    const received = this.#time.now();
    const [, time, effective, wait, furthest, ...moments] = reply as RateReply;
    const serverTime = Number(time) / 1000;
    this.#clock.learn(sent, received, serverTime);
    this.#effective = Number(effective);
    this.#furthest = furthest;
    this.#retryAt = wait > 0 ? received + wait / 1000 - roundTrip / 2 : -Infinity;
    if (moments.length > 0) {
      this.#isPlenty = wait === 0 && moments[0] / 1000 <= lead + LEAD;
    }
    const now = this.#clock.toLocal(serverTime);
    for (const moment of moments) this.#moments.push(now + moment / 1000);
    if (wanted > 0) this.#options.onChange();
  }
}
