/**
 * Tests whether a lower rate reduces the share of refused requests. If it does not, refusals are random.
 *
 * @module
 */
import { Outcomes } from "./outcomes.ts";

/** Refusals and outcomes needed to end a trial as noise. */
const MIN_REFUSALS = 3;
const MIN_OUTCOMES = 8;
/** Outcomes after which a trial ends without a result. */
const MAX_OUTCOMES = 100;
/** The share of requests that must succeed for refusals to count as random. */
const RANDOM_SHARE = 0.4;

/** The outcomes of requests after the rate was lowered. */
export class RateTrial {
  readonly #outcomes: Outcomes;
  #sent = 0;
  #accepted = 0;

  /**
   * @param rate the lowered rate, in requests per second
   * @param from when it took effect, in milliseconds
   */
  constructor(readonly rate: number, from: number) {
    this.#outcomes = new Outcomes(from);
  }

  /** Adds a wave that was sent at the higher rate. Most waves are small, so one alone proves little. */
  addWave(sent: number, acceptedShare: number): void {
    this.#sent += sent;
    this.#accepted += sent * acceptedShare;
  }

  /** Records an outcome. Returns the share of random refusals if the trial proved that they are random. */
  count(sentAt: number, isAccepted: boolean): number | undefined {
    this.#outcomes.count(sentAt, isAccepted);
    const { refused, accepted, total } = this.#outcomes;
    if (refused < MIN_REFUSALS || total < MIN_OUTCOMES || this.isOver) return undefined;
    const before = this.#sent === 0 ? RANDOM_SHARE : this.#accepted / this.#sent;
    const share = accepted / total;
    // With a real limit, nearly everything would succeed by now.
    return share >= RANDOM_SHARE && share < (1 + before) / 2 ? refused / total : undefined;
  }

  /** Whether there have been enough outcomes without proof that refusals are random. */
  get isOver(): boolean {
    return this.#outcomes.total >= MAX_OUTCOMES;
  }
}
