/**
 * `SHA256SUMS`: what the files of a release are known by, in the form of `sha256sum`.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The name of the file with the checksums. */
export const CHECKSUMS = "SHA256SUMS";

/** Writes the checksums of `files`, all in `folder`, beside them. */
export function writeChecksums(folder: string, files: readonly string[]): void {
  const lines = [...files].sort().map((file) => {
    const hash = createHash("sha256").update(readFileSync(join(folder, file))).digest("hex");
    return `${hash}  ${file}\n`;
  });
  writeFileSync(join(folder, CHECKSUMS), lines.join(""));
}

/**
 * Reads checksums, by file.
 *
 * @throws {Error} for a line that is not of this form
 */
export function parseChecksums(text: string): Map<string, string> {
  const lines = text.split("\n").filter((line) => line !== "");
  return new Map(lines.map((line) => {
    const [, hash, file] = /^([0-9a-f]{64}) [ *](\S+)$/.exec(line) ?? [];
    if (file === undefined) throw new Error(`not a line of ${CHECKSUMS}: ${line}`);
    return [file, hash];
  }));
}
