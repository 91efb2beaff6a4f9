/**
 * How many requests may be in flight: as many as asked for, or, when adaptive, as many as the server
 * takes.
 *
 * Adaptive: 20 at first, or an eighth of many, doubled in each round of answers until the server first
 * says that it is too much; from then on one more a round, and a part less when it says so to more than
 * one in ten.
 *
 * @module
 */

/** How many an adaptive limit begins with: so many, or so large a part of what is asked for. */
const START = 20;
const START_SHARE = 1 / 8;
/** Milliseconds between two doublings, at least: a server that answers at once has not been tried yet. */
const ROUND = 100;
/** How often it must be too much before it counts: so many times, and for so many of the answers. */
const FEW = 3;
const SPARSE = 0.1;
/** What is left of the number in flight when it was too much. */
const DECREASE = 0.7;

/** The limit of requests in flight of one endpoint. */
export class ConcurrencyLimit {
  readonly #most: number;
  readonly #adaptive: boolean;
  #current: number;
  #doubling: boolean;
  /** Answers since the last change. */
  #answers = 0;
  /** What became of requests since the last decrease. */
  #tookSince = 0;
  #refusedSince = 0;
  #changedAt = -Infinity;
  #decreasedAt = -Infinity;

  constructor(most: number, adaptive: boolean) {
    this.#most = most;
    this.#adaptive = adaptive;
    this.#doubling = adaptive;
    this.#current = adaptive
      ? Math.min(most, Math.max(START, Math.floor(most * START_SHARE)))
      : most;
  }

  /** How many requests may be in flight now. */
  get current(): number {
    return this.#current;
  }

  /** Notes an answer at `now`; `full` says whether the limit was reached. */
  answered(now: number, full: boolean): void {
    this.#tookSince++;
    if (this.#current >= this.#most || !full) return;
    if (++this.#answers < this.#current || now - this.#changedAt < ROUND) return;
    this.#change(this.#doubling ? this.#current * 2 : this.#current + 1, now);
  }

  /**
   * Notes that a request begun at `begun` was one too many, with `inFlight` at work. Unless the server
   * says `surely` that this is the reason, it must be more than chance.
   */
  tooMany(now: number, begun: number, inFlight: number, surely: boolean): void {
    // Those that were on their way already are the same occasion.
    if (!this.#adaptive || begun < this.#decreasedAt) return;
    this.#doubling = false;
    this.#refusedSince++;
    if (!surely && this.#refusedSince < Math.max(FEW, this.#tookSince * SPARSE)) return;
    this.#tookSince = this.#refusedSince = 0;
    this.#decreasedAt = now;
    this.#change(Math.floor(Math.min(inFlight, this.#current) * DECREASE), now);
  }

  /** Begins anew with few: the server was away, and all who waited are here. */
  restart(now: number): void {
    this.#doubling = true;
    this.#change(Math.min(START, Math.ceil(this.#most / 4)), now);
  }

  #change(limit: number, now: number): void {
    this.#current = Math.min(Math.max(limit, 1), this.#most);
    this.#answers = 0;
    this.#changedAt = now;
  }
}
