/**
 * Shares the limits of a client with other processes, from its first call on.
 *
 * @module
 */
import type { DispatchGroup, LossCheck } from "../scheduling/dispatch_group.ts";

/** What shared limits need of the queues. */
export interface QueueAccess {
  /** The number of requests that wait for an endpoint. */
  waiting: () => number;
  /** Dispatches the requests that wait. */
  dispatch: () => void;
  /** Maximum seconds that a single call waits. */
  maxWait: number;
  /** From now on, checks whether requests may keep waiting for what is shared. */
  setLossCheck: (check: LossCheck) => void;
}

/** Starts to share the limits with other processes. Returns what ends it. */
export type ShareOpener = (queue: QueueAccess) => Promise<{ close(): Promise<void> }>;

/** The connection over which one client shares its limits, if it does. */
export class LimitSharing {
  readonly #queue: QueueAccess;
  /** `undefined` if nothing is shared, and once everything is. */
  #open: ShareOpener | undefined;
  #share: ReturnType<ShareOpener> | undefined;
  readonly #closing: AbortSignal;

  /**
   * @param group the client's queues
   * @param maxWait maximum seconds that a single call waits
   * @param closing aborts when the client is closed: nothing is connected any more
   */
  constructor(group: DispatchGroup, maxWait: number, closing: AbortSignal) {
    this.#closing = closing;
    this.#queue = {
      waiting: () => group.size,
      dispatch: () => group.dispatch(),
      maxWait,
      setLossCheck: (check) => group.lossOf = check,
    };
  }

  /** Shares the limits with `open`, from the first call on. */
  use(open: ShareOpener): void {
    this.#open = open;
  }

  /** Whether limits are to be shared, and are not yet. */
  get isPending(): boolean {
    return this.#open !== undefined;
  }

  /**
   * Starts to share the limits, if they are shared.
   *
   * @throws {FlexLLMError} if that is not possible; the next call tries again
   */
  async connect(): Promise<void> {
    const open = this.#open;
    if (open === undefined || this.#closing.aborted) return;
    const share = this.#share ??= open(this.#queue);
    try {
      await share;
      this.#open = undefined;
    } catch (error) {
      if (this.#share === share) this.#share = undefined;
      throw error;
    }
  }

  /** Ends the sharing. */
  async close(): Promise<void> {
    await this.#share?.then((share) => share.close(), () => {});
  }
}
