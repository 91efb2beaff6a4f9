/**
 * Waits for answers that other processes are fetching.
 *
 * @module
 */
import { setTimeout } from "node:timers";
import { abortable } from "../runtime/abortable.ts";
import type { ClaimingStore, StoredEntry } from "./store.ts";

/**
 * Milliseconds for which a claim is valid, and for which a process waits for the answer of another. So a
 * process that is killed or slow delays others by this much at most.
 */
export const CLAIM_LIFETIME = 2000;

/** Milliseconds between two looks at all awaited answers. */
const POLL_INTERVAL = 50;

interface Wait {
  /** When to stop waiting, by `performance.now()`. */
  until: number;
  resolve: (entry: StoredEntry | undefined) => void;
}

/** The awaited answers of one store. */
export class AwaitedAnswers {
  readonly #store: ClaimingStore;
  readonly #waits = new Map<string, Wait>();
  #isPolling = false;

  constructor(store: ClaimingStore) {
    this.#store = store;
  }

  /**
   * Waits for the entry of `key`, which another process has claimed. Resolves to `undefined` if the caller has
   * to fetch it: the other process has given up, or takes too long, or the store cannot be used.
   *
   * @throws {AbortedError} when `signal` fires
   */
  async wait(key: string, signal?: AbortSignal): Promise<StoredEntry | undefined> {
    const { promise, resolve } = Promise.withResolvers<StoredEntry | undefined>();
    const wait = { until: performance.now() + CLAIM_LIFETIME, resolve };
    this.#waits.set(key, wait);
    if (!this.#isPolling) void this.#poll();
    try {
      return await abortable(promise, signal);
    } finally {
      if (this.#waits.get(key) === wait) this.#waits.delete(key);
    }
  }

  async #poll(): Promise<void> {
    this.#isPolling = true;
    while (this.#waits.size > 0) {
      await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL));
      if (this.#waits.size > 0) await this.#look([...this.#waits.keys()]);
    }
    this.#isPolling = false;
  }

  async #look(keys: readonly string[]): Promise<void> {
    try {
      const lookups = await this.#store.readOrClaim(keys);
      const abandoned: string[] = [];
      for (const [i, key] of keys.entries()) {
        const lookup = lookups[i];
        if (lookup === "claimed" && !this.#waits.has(key)) abandoned.push(key);
        else if (lookup === "claimed") this.#end(key, undefined);
        else if (lookup !== "awaited") this.#end(key, lookup);
        else if (performance.now() >= (this.#waits.get(key)?.until ?? 0)) this.#end(key, undefined);
      }
      if (abandoned.length > 0) await this.#store.release(abandoned);
    } catch {
      // The next read or write reports the failure of the store.
      for (const key of keys) this.#end(key, undefined);
    }
  }

  #end(key: string, entry: StoredEntry | undefined): void {
    this.#waits.get(key)?.resolve(entry);
    this.#waits.delete(key);
  }
}
