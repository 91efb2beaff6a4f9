/**
 * Represents a request in the queue: what it needs, and which endpoints it can use.
 *
 * @module
 */
import { abortedBy } from "../errors.ts";
import { type Cancellable, type Cancellation, cancelledBy } from "../transport/cancellation.ts";
import type { CallHooks } from "./call_hooks.ts";
import type { Grant } from "./grant.ts";
import type { Demand } from "./limits.ts";
import type { Target } from "./load_balancer.ts";
import type { TokenDemand } from "./token_limiter.ts";

/** The parts of a call that the scheduler uses. */
export interface RunOptions<T> {
  /** Aborts the call, also while it waits. */
  signal?: AbortSignal;
  hooks?: CallHooks;
  /**
   * The tokens that it needs.
   *
   * @default none
   */
  tokens?: TokenDemand;
  /**
   * Prepares the request for an endpoint before it is granted. Returns its maximum cost there in USD; 0 if
   * nothing limits the cost. Throws if the endpoint cannot take the request; another one is then used.
   */
  prepare?(target: T): number;
  /** Converts the error that ends the request. */
  failure?(error: unknown): unknown;
  /** The endpoint to use if it is available, whatever the strategy. */
  readonly prefers?: T;
  /** Called when an attempt has to wait for an endpoint; an error that it throws ends the request. */
  onWait?(isRetry: boolean): void;
}

/** The queue that a ticket waits in. */
export interface TicketQueue<T extends Target> {
  /** Dispatches every request that can start. */
  dispatch(): void;
  /** Removes a waiting ticket. */
  remove(ticket: Ticket<T>): void;
}

const NO_TOKENS: TokenDemand = { prompt: 0, maxCompletion: 0 };

/** One request, for all its attempts. */
export class Ticket<T extends Target> implements Demand, Cancellable {
  readonly call: RunOptions<T>;
  readonly tokens: TokenDemand;
  /** Its maximum cost in USD at the endpoint that it was prepared for last. */
  cost = 0;
  /** Endpoints where it failed. They are used again once it has failed at all others. */
  exclude: Set<T> | undefined = undefined;
  /** Endpoints that cannot take it. */
  unfit: Set<T> | undefined = undefined;
  /** Whether an attempt has failed: retries start before requests that have not been sent. */
  isRetry = false;
  /** Whether it waits for the recovery of an endpoint that is down, rather than trying it anyway. */
  waitForRecovery = false;
  readonly #queue: TicketQueue<T>;
  #waiting: PromiseWithResolvers<Grant<T>> | undefined = undefined;
  /** What cancels it while it waits. */
  #cancellation: Cancellation | undefined = undefined;
  #waitCancellation: Cancellation | undefined = undefined;

  constructor(call: RunOptions<T>, queue: TicketQueue<T>) {
    this.call = call;
    this.tokens = call.tokens ?? NO_TOKENS;
    this.#queue = queue;
  }

  /** The signal that ends its waiting, once it has fired. */
  get firedSignal(): AbortSignal | undefined {
    const { signal, hooks } = this.call;
    if (signal?.aborted) return signal;
    return hooks?.waitSignal?.aborted ? hooks.waitSignal : undefined;
  }

  /** Waits for {@link Ticket.grant} or {@link Ticket.reject}. */
  wait(): Promise<Grant<T>> {
    const { signal, hooks } = this.call;
    const waitSignal = hooks?.waitSignal;
    if (signal !== undefined) this.#cancellation = cancelledBy(signal, this);
    if (waitSignal !== undefined) this.#waitCancellation = cancelledBy(waitSignal, this);
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  /** Ends the waiting with an endpoint. */
  grant(grant: Grant<T>): void {
    this.#leave();
    this.#waiting!.resolve(grant);
  }

  /** Ends the waiting with an error. */
  reject(error: unknown): void {
    this.#leave();
    this.#waiting!.reject(error);
  }

  /** Dispatches the queue: this request may fit now. */
  wake(): void {
    this.#queue.dispatch();
  }

  /** Ends the waiting because a signal has fired. */
  cancel(): void {
    this.reject(abortedBy(this.firedSignal));
    this.#queue.dispatch();
  }

  #leave(): void {
    this.#cancellation?.remove();
    this.#waitCancellation?.remove();
    this.#queue.remove(this);
  }
}
