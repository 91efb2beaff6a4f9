/**
 * Runs identical work once: callers that arrive while it is in progress wait for it.
 *
 * @module
 */
import { AbortedError } from "../errors.ts";
import { abortable } from "../runtime/abortable.ts";

/** The outcome of shared work, for one caller. */
export interface Flight<T> {
  value: T;
  /** Whether another caller did the work. */
  isShared: boolean;
}

/** Shares work in progress by key. */
export class SingleFlight<T> {
  readonly #inProgress = new Map<string, Promise<T>>();
  readonly #toFollowerError: (error: unknown) => unknown;

  /** @param toFollowerError converts the error of the caller that did the work for those that waited */
  constructor(toFollowerError: (error: unknown) => unknown) {
    this.#toFollowerError = toFollowerError;
  }

  /**
   * Runs `work`, or waits for another caller that already runs it. If that caller aborts, one of the waiting
   * callers runs its own `work`. `signal` only ends the waiting; `work` must respect it by itself.
   *
   * @throws {AbortedError} when `signal` fires while waiting, and any error of the work
   */
  async run(key: string, work: () => Promise<T>, signal?: AbortSignal): Promise<Flight<T>> {
    while (true) {
      const inProgress = this.#inProgress.get(key);
      if (inProgress === undefined) {
        const own = this.#lead(key, work);
        this.#inProgress.set(key, own);
        return { value: await own, isShared: false };
      }
      try {
        return { value: await abortable(inProgress, signal), isShared: true };
      } catch (error) {
        if (signal?.aborted) throw error;
        if (!(error instanceof AbortedError)) throw this.#toFollowerError(error);
      }
    }
  }

  async #lead(key: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      // Before this settles, so that a waiting caller can take over.
      this.#inProgress.delete(key);
    }
  }
}
