/**
 * Shares rates and slots between gateways: takes blocks of quota ahead, so that calls rarely wait for the server.
 *
 * @module
 */
import { clearInterval, setImmediate, setInterval } from "node:timers";
import type { RedisConnection } from "../../../redis/redis_connection.ts";
import { RedisUnavailableError } from "../../../redis/redis_error.ts";
import type { RatesOnStoreLoss } from "../../../redis/redis_settings.ts";
import type { Clock } from "../../../runtime/clock.ts";
import type { FleetMember } from "../../ledger/shared/fleet_member.ts";
import type { LimitScope } from "../limit_scope.ts";
import type { CallSlots, RateBucket, RateSource } from "../rate_bucket.ts";
import { EXCHANGE_QUOTA, type RateOrder, type RateReply } from "./rate_script.ts";
import { SharedBucket } from "./shared_bucket.ts";
import type { RateFleet, SharedLimit } from "./shared_limit.ts";
import { SharedSlots } from "./shared_slots.ts";

/** Milliseconds between two regular exchanges. */
const INTERVAL = 250;

/** What shared rates consist of. */
export interface SharedRatesOptions {
  connection: RedisConnection;
  member: FleetMember;
  /** What happens while the server cannot be used. */
  onStoreLoss: RatesOnStoreLoss;
  clock: Clock;
  onWarning: (message: string) => void;
}

/** The rates and slots of all scopes. */
export class SharedRates implements RateSource, RateFleet {
  readonly #options: SharedRatesOptions;
  readonly #limits = new Map<string, SharedBucket | SharedSlots>();
  readonly #active = new Set<SharedLimit>();
  readonly #urgent = new Set<SharedLimit>();
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #isSoon = false;
  /** Whether the next exchange is a regular one, of all limits that are in use. */
  #isRegular = false;
  #hasFailed = false;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(options: SharedRatesOptions) {
    this.#options = options;
    this.#timer = setInterval(() => {
      this.#isRegular = true;
      if (this.isShared && this.#running === undefined) void this.#exchange();
    }, INTERVAL);
  }

  get isShared(): boolean {
    return this.#options.connection.isUp;
  }

  get downFor(): number {
    return this.#options.connection.downFor;
  }

  get size(): number {
    return this.#options.member.size;
  }

  get share(): number {
    return this.#options.onStoreLoss === "full" ? 1 : 1 / this.size;
  }

  /** Whether calls under a limit are refused, since the server cannot be used. */
  get isStopped(): boolean {
    return this.#options.onStoreLoss === "stop" && !this.isShared;
  }

  bucket(scope: string, kind: "rpm" | "tpm", perMinute: number, now: number): RateBucket {
    const name = `${kind}:${scope}`;
    let bucket = this.#limits.get(name) as SharedBucket | undefined;
    if (bucket === undefined) {
      this.#limits.set(name, bucket = new SharedBucket(this, scope, kind, perMinute, now));
    } else if (bucket.perMinute !== perMinute) bucket.resize(perMinute, now);
    return bucket;
  }

  slots(scope: string): CallSlots {
    const name = `slots:${scope}`;
    let slots = this.#limits.get(name) as SharedSlots | undefined;
    if (slots === undefined) this.#limits.set(name, slots = new SharedSlots(this, scope));
    return slots;
  }

  touch(limit: SharedLimit, isUrgent: boolean): void {
    this.#active.add(limit);
    if (!isUrgent) return;
    this.#urgent.add(limit);
    if (this.#isSoon || !this.isShared) return;
    this.#isSoon = true;
    setImmediate(() => {
      this.#isSoon = false;
      void this.#exchangeNext();
    });
  }

  /**
   * Fetches what a call of `tokens` tokens lacks; one exchange serves all calls that wait. Returns whether there was
   * anything to fetch.
   */
  async fetch(scopes: readonly LimitScope[], tokens: number): Promise<boolean> {
    if (!this.isShared) return false;
    const now = this.#options.clock.now();
    let isWanted = false;
    for (const { requests, tokens: tokenBucket, slots, limits: { concurrent } } of scopes) {
      for (const [bucket, amount] of [[requests, 1], [tokenBucket, tokens]] as const) {
        if (bucket instanceof SharedBucket && bucket.want(amount, now)) {
          this.#want(bucket);
          isWanted = true;
        }
      }
      if (concurrent !== undefined && slots instanceof SharedSlots && slots.want(concurrent, now)) {
        this.#want(slots);
        isWanted = true;
      }
    }
    if (isWanted) await this.#exchangeNext();
    return isWanted;
  }

  /** Gives back what this gateway holds, and stops. */
  close(): void {
    clearInterval(this.#timer);
  }

  #want(limit: SharedLimit): void {
    this.#active.add(limit);
    this.#urgent.add(limit);
  }

  /** Runs one more exchange after the current one. */
  #exchangeNext(): Promise<void> {
    if (this.#running === undefined) return this.#exchange();
    return this.#next ??= this.#running.then(async () => {
      // Calls take what they have waited for before the rest is given back.
      await new Promise<void>((resolve) => setImmediate(resolve));
      this.#next = undefined;
      return await this.#exchangeNext();
    });
  }

  #exchange(): Promise<void> {
    const isRegular = this.#isRegular;
    this.#isRegular = false;
    const limits = Array.from(isRegular ? this.#active : this.#urgent);
    this.#urgent.clear();
    if (limits.length === 0) return Promise.resolve();
    return this.#running = this.#run(limits, isRegular).finally(() => this.#running = undefined);
  }

  async #run(limits: readonly SharedLimit[], isRegular: boolean): Promise<void> {
    const { connection, member, clock, onWarning } = this.#options;
    const now = clock.now();
    const sent: [SharedLimit, RateOrder][] = [];
    for (const limit of limits) {
      const order = limit.order(now, isRegular);
      if (order === undefined) this.#active.delete(limit);
      else sent.push([limit, order]);
    }
    if (sent.length === 0) return;
    try {
      const limits = sent.map(([, order]) => order);
      const order = { instance: member.instance, run: connection.runId, limits };
      const replies = await connection.run(EXCHANGE_QUOTA, [connection.key("gateway")], [
        JSON.stringify(order),
      ]) as RateReply[];
      const loaded = clock.now();
      for (const [i, [limit, order]] of sent.entries()) {
        limit.load(order, Number(replies[i][0]), Number(replies[i][1]), loaded);
        if (limit.isIdle) this.#active.delete(limit);
      }
      this.#hasFailed = false;
    } catch (error) {
      if (error instanceof RedisUnavailableError || this.#hasFailed) return;
      this.#hasFailed = true;
      onWarning(`rate limits cannot be shared through Redis: ${error}`);
    }
  }
}
