/** Servers that live in a virtual clock: what a client does to them can be counted to the millisecond. */
import type { VirtualClock } from "./virtual_clock.ts";
import { ConnectionError, RateLimitError } from "../../lib/errors.ts";

/** A server with a hidden limit of requests in any second, which says `Retry-After` above it. */
export class LimitedServer {
  readonly #clock: VirtualClock;
  readonly #taken: number[] = [];
  /** Requests a second; may be changed. */
  limit: number;
  /** Milliseconds of an answer. */
  latency: number;
  /** Seconds to wait, as it says; `undefined` for a server that does not say. */
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

  /** How many requests were taken from `from` up to `to`, in milliseconds. */
  takenBetween(from: number, to: number): number {
    return this.#taken.filter((at) => at >= from && at < to).length;
  }

  async ask(): Promise<string> {
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

/** A server that takes only so many requests at once. */
export class NarrowServer {
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

  async ask(): Promise<string> {
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

/** A server that is away for a time: connections are refused. */
export class AbsentServer {
  readonly #clock: VirtualClock;
  readonly #from: number;
  readonly #to: number;
  readonly #latency: number;
  taken = 0;
  /** When it was asked while it was away. */
  readonly knocks: number[] = [];
  /** When it was asked. */
  readonly asked: number[] = [];

  constructor(clock: VirtualClock, from: number, to: number, latency: number) {
    this.#clock = clock;
    this.#from = from;
    this.#to = to;
    this.#latency = latency;
  }

  async ask(): Promise<string> {
    const now = this.#clock.now();
    this.asked.push(now);
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

/** A server that refuses by chance, however slowly it is asked. */
export class MoodyServer {
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

  async ask(): Promise<string> {
    await this.#clock.sleep(20);
    if (this.#random() < this.#chance) {
      throw new RateLimitError("not now", { status: 429, retryAfter: this.#retryAfter });
    }
    this.taken++;
    return "answer";
  }
}
