/**
 * Writes a text to a temporary file, in which the user edits it.
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvalidInputError } from "../../lib/errors.ts";
import { fileReason } from "../../lib/files/reasons.ts";

/** A file in a folder of its own that only the user can read. */
export interface TemporaryText {
  path: string;
  /** Removes the file and its folder. */
  remove(): void;
}

/**
 * Writes `text` to a temporary file.
 *
 * @param name the name of the file; editors choose syntax colors by its extension
 * @throws {InvalidInputError} if it cannot be written
 */
export function writeTemporaryText(name: string, text: string): TemporaryText {
  try {
    const folder = mkdtempSync(join(tmpdir(), "flexllm-"));
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return { path, remove: () => rmSync(folder, { recursive: true, force: true }) };
  } catch (cause) {
    throw new InvalidInputError(
      `cannot write to the temporary folder ${tmpdir()}: ${fileReason(cause)}`,
      { cause, hint: "Free up space there, or set TMPDIR to another folder." },
    );
  }
}
