/**
 * Combines abort signals into one that can be unlinked from them again. Signals made by `AbortSignal.any`
 * stay in memory for as long as their longest-lived source, on every runtime.
 *
 * @module
 */
import { type Cancellation, cancelledBy } from "./cancellation.ts";

/** A signal that fires when one of its sources does, as long as it is linked to them. */
export class LinkedSignal {
  readonly #controller = new AbortController();
  readonly #sources: readonly AbortSignal[];
  readonly #links: Cancellation[] = [];

  /** Creates an unlinked signal; sources that are `undefined` are ignored. */
  constructor(...sources: readonly (AbortSignal | undefined)[]) {
    this.#sources = sources.filter((source) => source !== undefined);
  }

  /** The signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Fires the signal. */
  abort(reason?: unknown): void {
    this.#controller.abort(reason);
  }

  /** Links the signal to its sources. It fires immediately if one of them already has. */
  link(): this {
    if (this.#links.length > 0) return this;
    for (const source of this.#sources) {
      const target = { cancel: () => this.abort(source.reason) };
      if (source.aborted) target.cancel();
      this.#links.push(cancelledBy(source, target));
    }
    return this;
  }

  /** Unlinks the signal from its sources. Call it when the work that uses the signal has ended. */
  unlink(): void {
    for (const link of this.#links) link.remove();
    this.#links.length = 0;
  }
}
