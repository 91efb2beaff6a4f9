/**
 * Combines abort signals into one that can be unlinked from them again. Signals made by `AbortSignal.any`
 * stay in memory for as long as their longest-lived source, on every runtime.
 *
 * @module
 */
import { type Cancellable, cancellablesOf } from "./cancellation.ts";

/** A signal that fires when one of its sources does, as long as it is linked to them. */
export class LinkedSignal {
  readonly #controller = new AbortController();
  readonly #sources: readonly AbortSignal[];
  readonly #members: Cancellable[] = [];

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
    if (this.#members.length > 0) return this;
    for (const source of this.#sources) {
      const member = { cancel: () => this.abort(source.reason) };
      if (source.aborted) member.cancel();
      cancellablesOf(source).add(member);
      this.#members.push(member);
    }
    return this;
  }

  /** Unlinks the signal from its sources. Call it when the work that uses the signal has ended. */
  unlink(): void {
    for (const [i, member] of this.#members.entries()) {
      cancellablesOf(this.#sources[i]).delete(member);
    }
    this.#members.length = 0;
  }
}
