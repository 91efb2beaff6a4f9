/**
 * Reports changes of a connection.
 *
 * @module
 */
import type { RedisUnavailableError } from "./redis_error.ts";

/** Called when a connection changes. */
export interface RedisWatcher {
  /** The server can no longer be used. */
  onDown?(error: RedisUnavailableError): void;
  /** The server can be used again. */
  onUp?(): void;
  /** The server has come back without its data, or the data was deleted: everything stored there is gone. */
  onReset?(): void;
  /**
   * The server was restarted or replaced, and has data: perhaps an older state, without what was written last.
   * Called before `onUp`.
   */
  onRestart?(): void;
}

/** The watchers of one connection. */
export class RedisWatchers {
  readonly #watchers = new Set<RedisWatcher>();

  /** Their number. */
  get count(): number {
    return this.#watchers.size;
  }

  /** Adds a watcher. Returns a function that removes it. */
  add(watcher: RedisWatcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Calls all watchers; one may remove itself. */
  report(change: "onUp" | "onReset" | "onRestart"): void {
    for (const watcher of [...this.#watchers]) watcher[change]?.();
  }

  /** Reports that the server cannot be used. */
  reportDown(error: RedisUnavailableError): void {
    for (const watcher of [...this.#watchers]) watcher.onDown?.(error);
  }
}
