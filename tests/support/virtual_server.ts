/** Servers on a virtual clock, which record requests to the millisecond. */
import type { VirtualClock } from "./virtual_clock.ts";
import { ConnectionError, RateLimitError } from "../../lib/errors.ts";

/** A server with a hidden rate limit, which sends `Retry-After` above it. */
export class LimitedServer {
  readonly #clock: VirtualClock;
  readonly #taken: number[] = [];
  /** Requests per second. Can be changed. */
  limit: number;
  /** Latency in milliseconds. */
  latency: number;
  /** The value of `Retry-After` in seconds; `undefined` to send none. */
  retryAfter: number | undefined;
  refused = 0;
  inFlight = 0;
  mostInFlight = 0;

  constructor(clock: VirtualClock, limit: number, latency: number, retryAfter?: number) {
    this.#clock = clock;
    this.limit = limit;
    this.latency = latency;
    this.retryAfter = retryAfter;
  }

  get taken(): number {
    return this.#taken.length;
  }

  /** The number of requests accepted between `from` and `to`, in milliseconds. */
  takenBetween(from: number, to: number): number {
    return this.#taken.filter((at) => at >= from && at < to).length;
  }

  async send(): Promise<string> {
    const now = this.#clock.now();
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight);
    try {
      const recent = this.#taken.findLastIndex((at) => at <= now - 1000);
      if (this.#taken.length - 1 - recent >= this.limit) {
        this.refused++;
        await this.#clock.sleep(Math.min(this.latency, 1));
        throw new RateLimitError("too fast", { status: 429, retryAfter: this.retryAfter });
      }
      this.#taken.push(now);
      await this.#clock.sleep(this.latency);
      return "answer";
    } finally {
      this.inFlight--;
    }
  }
}

/** A server with a limit on concurrent requests. */
export class BusyServer {
  readonly #clock: VirtualClock;
  readonly #width: number;
  readonly #latency: number;
  refused = 0;
  taken = 0;
  inFlight = 0;

  constructor(clock: VirtualClock, width: number, latency: number) {
    this.#clock = clock;
    this.#width = width;
    this.#latency = latency;
  }

  async send(): Promise<string> {
    if (this.inFlight >= this.#width) {
      this.refused++;
      throw new RateLimitError("too many concurrent requests", { status: 429, concurrent: true });
    }
    this.inFlight++;
    await this.#clock.sleep(this.#latency);
    this.inFlight--;
    this.taken++;
    return "answer";
  }
}

/** A server that is down for a time and refuses connections. */
export class UnreachableServer {
  readonly #clock: VirtualClock;
  readonly #from: number;
  readonly #to: number;
  readonly #latency: number;
  taken = 0;
  /** The times of the requests while it was down. */
  readonly knocks: number[] = [];
  /** The times of all requests. */
  readonly requestTimes: number[] = [];

  constructor(clock: VirtualClock, from: number, to: number, latency: number) {
    this.#clock = clock;
    this.#from = from;
    this.#to = to;
    this.#latency = latency;
  }

  async send(): Promise<string> {
    const now = this.#clock.now();
    this.requestTimes.push(now);
    await this.#clock.sleep(this.#latency);
    const then = this.#clock.now();
    if ((now >= this.#from && now < this.#to) || (then >= this.#from && then < this.#to)) {
      this.knocks.push(now);
      throw new ConnectionError("connection refused");
    }
    this.taken++;
    return "answer";
  }
}

/** A server that rejects requests at random, whatever the rate. */
export class UnreliableServer {
  readonly #clock: VirtualClock;
  readonly #random: () => number;
  readonly #chance: number;
  readonly #retryAfter: number | undefined;
  taken = 0;

  constructor(clock: VirtualClock, random: () => number, chance: number, retryAfter?: number) {
    this.#clock = clock;
    this.#random = random;
    this.#chance = chance;
    this.#retryAfter = retryAfter;
  }

  async send(): Promise<string> {
    await this.#clock.sleep(20);
    if (this.#random() < this.#chance) {
      throw new RateLimitError("not now", { status: 429, retryAfter: this.#retryAfter });
    }
    this.taken++;
    return "answer";
  }
}
