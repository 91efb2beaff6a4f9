/**
 * Combines the abort signal of each call with that of its client.
 *
 * @module
 */
import { LinkedSignal } from "../transport/linked_signal.ts";

/** The signal of one call. */
export interface CallSignal {
  readonly signal: AbortSignal;
  /** Releases the signal. Call it once, when the call has ended. */
  unlink(): void;
}

/** A linked signal that several calls share. */
class SharedSignal implements CallSignal {
  readonly #linked: LinkedSignal;
  readonly #onUnused: () => void;
  calls = 0;

  constructor(linked: LinkedSignal, onUnused: () => void) {
    this.#linked = linked.link();
    this.#onUnused = onUnused;
  }

  get signal(): AbortSignal {
    return this.#linked.signal;
  }

  unlink(): void {
    if (--this.calls > 0) return;
    this.#linked.unlink();
    this.#onUnused();
  }
}

/** The signals of the calls of one client. */
export class CallSignals {
  readonly #client: AbortSignal;
  /** For calls without their own signal. */
  readonly #unlinked: CallSignal;
  /** The calls of a batch share one signal, which is linked once. */
  readonly #shared = new Map<AbortSignal, SharedSignal>();

  constructor(client: AbortSignal) {
    this.#client = client;
    this.#unlinked = { signal: client, unlink: () => {} };
  }

  /** Combines the signal of a call, if it has one, with the client's. */
  link(signal: AbortSignal | undefined): CallSignal {
    if (signal === undefined) return this.#unlinked;
    const shared = this.#shared.get(signal) ?? this.#share(signal);
    shared.calls++;
    return shared;
  }

  #share(signal: AbortSignal): SharedSignal {
    const linked = new LinkedSignal(this.#client, signal);
    const shared = new SharedSignal(linked, () => this.#shared.delete(signal));
    this.#shared.set(signal, shared);
    return shared;
  }

  /** Combines the same signals into one that can also be aborted; it must be linked before use. */
  own(signal: AbortSignal | undefined): LinkedSignal {
    return new LinkedSignal(this.#client, signal);
  }
}
