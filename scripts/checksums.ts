/**
 * Writes and reads `SHA256SUMS`, the checksums of a release, in the format of `sha256sum`.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The name of the checksum file. */
export const CHECKSUMS = "SHA256SUMS";

/** Writes the checksums of `files` in `folder` to a file next to them. */
export function writeChecksums(folder: string, files: readonly string[]): void {
  const lines = [...files].sort().map((file) => {
    const hash = createHash("sha256").update(readFileSync(join(folder, file))).digest("hex");
    return `${hash}  ${file}\n`;
  });
  writeFileSync(join(folder, CHECKSUMS), lines.join(""));
}

/**
 * Parses a checksum file into a map from file name to checksum.
 *
 * @throws {Error} if a line has another format
 */
export function parseChecksums(text: string): Map<string, string> {
  const lines = text.split("\n").filter((line) => line !== "");
  return new Map(lines.map((line) => {
    const [, hash, file] = /^([0-9a-f]{64}) [ *](\S+)$/.exec(line) ?? [];
    if (file === undefined) throw new Error(`invalid line in ${CHECKSUMS}: ${line}`);
    return [file, hash];
  }));
}
