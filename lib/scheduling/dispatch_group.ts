/**
 * Dispatches several queues over the same endpoints: a slot that one of them releases may be what a request
 * of another one waits for.
 *
 * @module
 */

/** A queue of a {@link DispatchGroup}. */
export interface DispatchedQueue {
  /** The number of waiting requests. */
  readonly size: number;
  /** Dispatches every request that can start. */
  dispatch(): void;
}

/** What a request waits for. */
export type Awaited = "limits" | "money";

/** Says why a request must not wait any longer for what is shared with other processes, if so. */
export type LossCheck = (awaited: Awaited) => Error | undefined;

/** The queues over one set of endpoints. */
export class DispatchGroup {
  readonly #queues: DispatchedQueue[] = [];
  /** The queue that comes first at the next dispatch. */
  #first = 0;
  /** The check for requests that no batch repeats. */
  lossOf: LossCheck = () => undefined;

  /** Adds a queue. */
  add(queue: DispatchedQueue): void {
    this.#queues.push(queue);
  }

  /** The number of waiting requests, over all queues. */
  get size(): number {
    let size = 0;
    for (const queue of this.#queues) size += queue.size;
    return size;
  }

  /** Dispatches all queues. Each time another one comes first, so that none of them starves the others. */
  dispatch(): void {
    const { length } = this.#queues;
    if (length === 1) return this.#queues[0].dispatch();
    const first = this.#first;
    let isFirst = true;
    for (let i = 0; i < length; i++) {
      const queue = this.#queues[(first + i) % length];
      if (queue.size === 0) continue;
      if (isFirst) this.#first = (first + i + 1) % length;
      isFirst = false;
      queue.dispatch();
    }
  }
}
