/**
 * Limits tokens per minute over several processes.
 *
 * A process holds tokens for its requests in flight, and some ahead. What a request may use counts until its
 * answer reports what it has used, and that counts for a minute.
 *
 * @module
 */
import type { RedisConnection } from "../../redis/redis_connection.ts";
import {
  type TokenDemand,
  TokenForecast,
  type TokenHold,
  TokenLimiter,
  type TokenRate,
} from "../token_limiter.ts";
import { limitKeys } from "./limit_group.ts";
import { LimitReporter, REPORT_INTERVAL, type SharedLimitOptions } from "./limit_reporter.ts";
import { Pace } from "./pace.ts";
import { type ReportTime, SYSTEM_TIME } from "./report_time.ts";
import { TOKENS_SCRIPT } from "./tokens_script.ts";

/** One limit on tokens. */
export interface GroupTokens {
  /** See {@link limitGroup}. */
  group: string;
  /** Tokens per minute. */
  perMinute: number;
}

/** Minimum milliseconds between two reports. */
const GAP = 20;
/** Milliseconds of the flow of tokens that are taken ahead, beyond the time that a reply takes. */
const AHEAD = 200;
/** Milliseconds of the process's own pace for which tokens are taken ahead while no request waits. */
const PACE_AHEAD = 50;
/** Maximum milliseconds that a round trip counts. */
const MAX_ROUND_TRIP = 500;
/** Milliseconds for which tokens count. */
const WINDOW = 60_000;
/** The weight of the newest round trip in the average. */
const NEWEST = 0.2;

/** Tokens that were reserved from the shared limit, or from the part of this process. */
interface SharedHold extends TokenHold {
  part: TokenHold | undefined;
}

/** Tokens per minute that several processes share. Times are in milliseconds. */
export class SharedTokens implements TokenRate {
  readonly #limit: GroupTokens;
  readonly #options: SharedLimitOptions;
  readonly #time: ReportTime;
  readonly #forecast = new TokenForecast();
  readonly #reporter: LimitReporter;
  #part: TokenLimiter;
  /** Tokens that answers have used, now and at the last report. */
  #used = 0;
  #usedBefore = 0;
  /** Tokens of requests in flight. */
  #inFlight = 0;
  /** Tokens held beyond those. */
  #free = 0;
  /** Tokens of the flow: used so far, granted so far. */
  #flowed = 0;
  #granted = 0;
  /** What the first request that waits needs. */
  #need = 0;
  #flowNeed = 0;
  /** Tokens that count, over all processes; those of them that were used; and when that was known. */
  #counted = 0;
  #countedUse = 0;
  #countedAt = -Infinity;
  #retryAt = -Infinity;
  #roundTrip = 0;
  readonly #pace = new Pace();
  /** Tokens that were taken ahead at the last report. */
  #ahead = 0;

  constructor(connection: RedisConnection, limit: GroupTokens, options: SharedLimitOptions) {
    this.#limit = limit;
    this.#options = options;
    this.#time = options.time ?? SYSTEM_TIME;
    this.#part = new TokenLimiter(limit.perMinute, this.#forecast);
    this.#reporter = new LimitReporter(connection, {
      ...options,
      keys: [limitKeys(connection, limit.group, "tokens")],
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

  nextAt(now: number, demand: TokenDemand): number {
    const mode = this.#reporter.state.modeAt(now);
    if (mode === "part") return this.#part.nextAt(now, demand);
    if (mode === "wait") {
      return this.#options.onStoreLoss === "stop" ? Infinity : this.#reporter.state.partAt;
    }
    const need = this.#bound(demand);
    const expected = Math.min(need, this.#forecast.expected(demand));
    if (this.#free >= need && this.#granted - this.#flowed >= expected) return -Infinity;
    this.#need = need;
    this.#flowNeed = expected;
    this.#reporter.request(this.#retryAt - now);
    return Math.max(this.#retryAt, now + REPORT_INTERVAL);
  }

  take(now: number, demand: TokenDemand): TokenHold {
    if (this.#reporter.state.modeAt(now) === "part") {
      const part = this.#part.take(now, demand);
      const hold: SharedHold = { ...part, part };
      return hold;
    }
    const reserved = this.#bound(demand);
    const expected = Math.min(reserved, this.#forecast.expected(demand));
    this.#free -= reserved;
    this.#inFlight += reserved;
    this.#flowed += expected;
    this.#need = reserved;
    this.#flowNeed = expected;
    this.#pace.count++;
    const low = Math.max(2 * reserved, this.#ahead / 2);
    if (this.#free < low && this.#expected > 1) this.#reporter.request();
    const hold: SharedHold = { expected, reserved, part: undefined };
    return hold;
  }

  commit(now: number, hold: TokenHold, prompt: number, completion: number): void {
    const { part } = hold as SharedHold;
    if (part !== undefined) this.#part.commit(now, part, prompt, completion);
    else this.#forecast.learn(completion);
    this.#end(hold as SharedHold, prompt + completion);
  }

  release(now: number, hold: TokenHold, tokens = 0): void {
    const { part } = hold as SharedHold;
    if (part !== undefined) this.#part.release(now, part, tokens);
    this.#end(hold as SharedHold, tokens);
  }

  /** Leaves the group. Requests that are still in flight count as if they used all that they may. */
  async close(): Promise<void> {
    this.#used += this.#inFlight;
    this.#inFlight = 0;
    this.#need = this.#flowNeed = 0;
    await this.#reporter.close(true);
  }

  /** The requests that wait, or that will come soon. */
  get #expected(): number {
    return Math.max(this.#options.waiting(), this.#pace.during(PACE_AHEAD));
  }

  /** A request above the limit needs all of it. */
  #bound(demand: TokenDemand): number {
    return Math.min(this.#limit.perMinute, this.#forecast.bound(demand));
  }

  #end({ part, reserved, expected }: SharedHold, tokens: number): void {
    this.#used += tokens;
    if (part !== undefined) return;
    this.#inFlight = Math.max(0, this.#inFlight - reserved);
    this.#free += reserved - tokens;
    this.#flowed += tokens - expected;
  }

  #lost(): void {
    const { processes } = this.#reporter.state;
    this.#free = 0;
    this.#part = new TokenLimiter(
      this.#reporter.state.partOf(this.#limit.perMinute),
      this.#forecast,
    );
    // What all of them have used in the last minute still counts.
    const share = this.#options.onStoreLoss === "full" ? 1 : processes;
    this.#part.release(this.#time.now(), { expected: 0, reserved: 0 }, this.#counted / share);
  }

  async #report(): Promise<void> {
    const sent = this.#time.now();
    this.#pace.measure(sent);
    const waiting = this.#expected;
    if (waiting === 0) this.#need = this.#flowNeed = 0;
    const used = this.#used;
    const { perMinute } = this.#limit;
    const perMillisecond = perMinute / 60_000;
    const flowAhead = waiting > 1 ? perMillisecond * (AHEAD + 2 * this.#roundTrip) : 0;
    // Enough requests to use that much of the flow, but not all of the limit.
    const requests = this.#flowNeed === 0 ? 0 : Math.min(waiting, flowAhead / this.#flowNeed);
    const ahead = Math.min(requests * this.#need, perMinute / 4);
    this.#ahead = ahead;
    // What is returned must not be used before the reply: another process may have it by then.
    this.#free = Math.min(this.#free, this.#need + ahead);
    this.#granted = Math.min(this.#granted, this.#flowed + this.#flowNeed + flowAhead);
    const [inFlightThen, flowedThen] = [this.#inFlight, this.#flowed];
    const freeThen = this.#free;
    const reply = await this.#reporter.run(TOKENS_SCRIPT, [
      perMinute,
      used,
      this.#usedBefore,
      inFlightThen,
      Math.max(0, freeThen),
      this.#need,
      ahead,
      flowedThen,
      this.#granted,
      this.#flowNeed,
      flowAhead,
      Math.round(this.#roundTrip * 1000),
      sent - this.#countedAt < WINDOW ? this.#countedUse : 0,
    ]);
    if (reply === undefined) return;
    const [, extra, credit, wait, countedUse, counted] = reply as [
      ...[processes: number, extra: string, credit: string, wait: number],
      ...[countedUse: string, counted: string],
    ];
    const received = this.#time.now();
    // A process that was suspended meanwhile has learned nothing about the network.
    this.#roundTrip += (Math.min(received - sent, MAX_ROUND_TRIP) - this.#roundTrip) * NEWEST;
    this.#usedBefore = used;
    this.#counted = Number(counted);
    this.#countedUse = Number(countedUse);
    this.#countedAt = sent;
    // Requests that have started or ended meanwhile have changed it.
    this.#free = Number(extra) + this.#free - freeThen;
    this.#granted = flowedThen + Number(credit);
    this.#retryAt = wait > 0 ? received + wait : -Infinity;
    if (this.#need > 0) this.#options.onChange();
  }
}
