/**
 * Circuit breaker: detects that an endpoint is down, and probes with single requests until it is back.
 *
 * @module
 */

/** Default seconds between two probes: the first interval, and the maximum. */
const FIRST_RECOVERY = 1;
const MAX_RECOVERY = 10;
/** The range of the default failure threshold. */
const MIN_THRESHOLD = 3;
const MAX_THRESHOLD = 10;

/** When an endpoint counts as down. */
export interface BreakerOptions {
  /** Consecutive failures; by default the endpoint's concurrency, between 3 and 10. */
  failureThreshold: number | undefined;
  /** Seconds from one probe to the next; by default 1, doubled each time up to 10. */
  recoveryTime: number | undefined;
  /** Maximum requests in flight. */
  concurrency: number;
  /** A number from 0 up to 1, for jitter. */
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
      Math.min(MAX_THRESHOLD, Math.max(MIN_THRESHOLD, options.concurrency));
  }

  /** Whether the endpoint is down. */
  get isDown(): boolean {
    return this.#downSince !== Infinity;
  }

  /** Whether a probe is in flight. */
  get isProbing(): boolean {
    return this.#probing;
  }

  /** Since when the endpoint has been down; `Infinity` if it is up. */
  get downSince(): number {
    return this.#downSince;
  }

  /** When the next request can be sent: in the past if it is up, `Infinity` while a probe is in flight. */
  get availableAt(): number {
    if (!this.isDown) return -Infinity;
    return this.#probing ? Infinity : this.#probeAt;
  }

  /** Records that a request is sent. */
  begin(): void {
    if (this.isDown) this.#probing = true;
  }

  /** Records an answer; returns whether the endpoint was down before it. */
  answered(): boolean {
    const wasDown = this.isDown;
    this.#failures = 0;
    this.#downSince = Infinity;
    this.#probes = 0;
    this.#probing = false;
    return wasDown;
  }

  /** Records that a request sent at `sentAt` failed, and that the endpoint was at fault. */
  failed(now: number, sentAt: number): void {
    this.#failures++;
    // Requests that were in flight when the endpoint went down prove nothing new.
    if (this.isDown && sentAt < this.#downSince) return;
    if (this.isDown || this.#failures >= this.#threshold) this.open(now);
  }

  /** Marks the endpoint as down, for `seconds` if given. */
  open(now: number, seconds?: number): void {
    if (!this.isDown) this.#downSince = now;
    this.#probing = false;
    const { recoveryTime, random } = this.#options;
    const backoff = Math.min(MAX_RECOVERY, FIRST_RECOVERY * 2 ** this.#probes++);
    // Jitter, because many processes may watch the same endpoint.
    const wait = seconds ?? recoveryTime ?? backoff * (0.75 + random() / 2);
    this.#probeAt = now + wait * 1000;
  }

  /** Records that a request ended without evidence about the endpoint, for example because it was aborted. */
  inconclusive(sentAt: number): void {
    if (this.isDown && sentAt >= this.#downSince) this.#probing = false;
  }
}
