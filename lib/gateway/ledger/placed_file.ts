/**
 * Notices that an open file is no longer at its path: what is written to it then disappears with the process.
 *
 * @module
 */
import { statSync } from "node:fs";

/** How long a result is trusted, in milliseconds. */
const CHECK_INTERVAL = 1000;

/** Identifies the file at `path`: `"none"` if there is no file, `undefined` if that cannot be known. */
function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev} ${ino}`;
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    return isMissing ? "none" : undefined;
  }
}

/** A file that was opened at a path. */
export class PlacedFile {
  readonly #path: string;
  readonly #identity: string | undefined;
  #checkedAt = performance.now();

  /** Remembers the file at `path`, which has just been opened. */
  constructor(path: string) {
    this.#path = path;
    this.#identity = identityOf(path);
  }

  /**
   * Checks that the file is still there; once a second is enough.
   *
   * @throws {Error} if it was deleted or replaced
   */
  check(): void {
    const now = performance.now();
    if (now - this.#checkedAt < CHECK_INTERVAL) return;
    const current = identityOf(this.#path) ?? this.#identity;
    if (current !== this.#identity) throw new Error("the file was deleted or replaced");
    this.#checkedAt = now;
  }
}
