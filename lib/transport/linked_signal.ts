/**
 * One abort signal for several. `AbortSignal.any` would do, but what it makes of a signal that lives long
 * stays in memory as long as that, on every runtime.
 *
 * @module
 */
import { type Cancellable, cancelledBy } from "./cancellation.ts";

/** A signal that fires when one of its sources does, until it is unlinked from them. */
export class LinkedSignal {
  readonly #controller = new AbortController();
  readonly #sources: readonly AbortSignal[];
  readonly #members: Cancellable[] = [];

  /** `sources` without those that are `undefined`; none fires it before {@link link} is called. */
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

  /** From now on it fires when a source does; at once when one has fired already. */
  link(): this {
    if (this.#members.length > 0) return this;
    for (const source of this.#sources) {
      const member = { cancel: () => this.abort(source.reason) };
      if (source.aborted) member.cancel();
      cancelledBy(source).add(member);
      this.#members.push(member);
    }
    return this;
  }

  /** Leaves the sources; to be called when what the signal is for has ended. */
  unlink(): void {
    for (const [i, member] of this.#members.entries()) {
      cancelledBy(this.#sources[i]).delete(member);
    }
    this.#members.length = 0;
  }
}
