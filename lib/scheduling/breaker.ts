/**
 * Notices that an endpoint is away, and finds out with single requests whether it is back.
 *
 * @module
 */

/** Seconds between two probes when none are given: the first, and the longest. */
const FIRST_RECOVERY = 1;
const LAST_RECOVERY = 10;
/** Failures in a row, with no answer between, that mean "away" when no number is given. */
const MOST_FAILURES = 10;
const LEAST_FAILURES = 3;

/** When an endpoint counts as away. */
export interface BreakerOptions {
  /** Failures in a row; default as many as there are at once, from 3 up to 10. */
  failureThreshold: number | undefined;
  /** Seconds from one probe to the next; by default 1, doubled each time up to 10. */
  recoveryTime: number | undefined;
  /** How many requests are in flight at most. */
  concurrency: number;
  /** A number from 0 up to 1, for the jitter. */
  random: () => number;
}

/** The health of one endpoint. Times are in milliseconds. */
export class Breaker {
  readonly #options: BreakerOptions;
  readonly #threshold: number;
  #failures = 0;
  #downSince = Infinity;
  #probeAt = -Infinity;
  #probes = 0;
  #probing = false;

  constructor(options: BreakerOptions) {
    this.#options = options;
    this.#threshold = options.failureThreshold ??
      Math.min(MOST_FAILURES, Math.max(LEAST_FAILURES, options.concurrency));
  }

  /** Whether the endpoint is away. */
  get isDown(): boolean {
    return this.#downSince !== Infinity;
  }

  /** Whether a request is finding out if it is back. */
  get isProbing(): boolean {
    return this.#probing;
  }

  /** Since when it is away; `Infinity` when it is not. */
  get downSince(): number {
    return this.#downSince;
  }

  /** When the next request may go: always, after a time, or when the probe has come back. */
  get availableAt(): number {
    if (!this.isDown) return -Infinity;
    return this.#probing ? Infinity : this.#probeAt;
  }

  /** Notes that a request begins. */
  begin(): void {
    if (this.isDown) this.#probing = true;
  }

  /** Notes an answer; tells whether the endpoint was away before it. */
  answered(): boolean {
    const wasDown = this.isDown;
    this.#failures = 0;
    this.#downSince = Infinity;
    this.#probes = 0;
    this.#probing = false;
    return wasDown;
  }

  /** Notes that a request begun at `begun` failed through the endpoint's fault. */
  failed(now: number, begun: number): void {
    this.#failures++;
    // Those that were on their way when it went away say nothing new.
    if (this.isDown && begun < this.#downSince) return;
    if (this.isDown || this.#failures >= this.#threshold) this.open(now);
  }

  /** Takes the endpoint for away, for `seconds` if given. */
  open(now: number, seconds?: number): void {
    if (!this.isDown) this.#downSince = now;
    this.#probing = false;
    const { recoveryTime, random } = this.#options;
    const backoff = Math.min(LAST_RECOVERY, FIRST_RECOVERY * 2 ** this.#probes++);
    // Many processes may watch the same endpoint.
    const wait = seconds ?? recoveryTime ?? backoff * (0.75 + random() / 2);
    this.#probeAt = now + wait * 1000;
  }

  /** Notes that a request ended without telling anything: it was cancelled. */
  cancelled(begun: number): void {
    if (this.isDown && begun >= this.#downSince) this.#probing = false;
  }
}
