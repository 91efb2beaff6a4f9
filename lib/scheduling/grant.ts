/**
 * Represents an endpoint granted to a request, with everything reserved for it.
 *
 * @module
 */
import type { Clock } from "../runtime/clock.ts";
import type { RequestReservation } from "./limits.ts";
import type { Target } from "./load_balancer.ts";

/** One request at one endpoint. */
export class Grant<T extends Target> {
  readonly #clock: Clock;
  readonly #queues: { dispatch(): void };
  #isAnswered = false;

  constructor(
    readonly target: T,
    readonly reservation: RequestReservation,
    clock: Clock,
    queues: { dispatch(): void },
  ) {
    this.#clock = clock;
    this.#queues = queues;
  }

  /** Whether the endpoint has answered. From then on the request is not retried. */
  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  /** Records that the endpoint has answered; for a stream, with its first event. */
  answered(): void {
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    this.target.limits.answered(this.#clock.now(), this.reservation);
  }

  /** Records that the request failed before the endpoint answered. */
  failed(error: unknown): void {
    this.target.limits.failed(this.#clock.now(), this.reservation, error);
  }

  /** Releases the reservation and dispatches waiting requests. Call it once, whatever the outcome. */
  release(): void {
    this.reservation.release();
    this.#queues.dispatch();
  }
}
