/**
 * Refuses files of formats that cannot be read by their first bytes, and suggests how to convert them.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { InvalidInputError } from "../errors.ts";
import { foreignKind, inCommand } from "../files/foreign_kind.ts";

/** Bytes at the start of a file that are examined. */
export const HEAD_SIZE = 1 << 16;

/** What is wrong with a line or file that is not UTF-8, to follow its name. */
export const NOT_UTF8 = "not UTF-8; convert it first: iconv -f latin1 (or utf-16) -t utf-8";

/** Files that have, or stand for, other files. */
function containerKind(head: Buffer, name: string): { what: string; hint: string } | undefined {
  // Source: git-lfs specification, "The Pointer".
  if (head.subarray(0, 40).toString("latin1").startsWith("version https://git-lfs.")) {
    return {
      what: "a Git LFS pointer, not the file itself",
      hint: `Download the file: git lfs pull --include ${inCommand(name)}`,
    };
  }
  if (head.subarray(257, 262).toString("latin1") === "ustar") {
    return { what: "a tar archive", hint: `Unpack it first: tar -xf ${inCommand(name)}` };
  }
  return undefined;
}

/**
 * Checks `head`, the first bytes of the input `name`.
 *
 * @throws {InvalidInputError} if they identify another file format; the hint says how to convert it
 */
export function refuseForeign(head: Buffer, name: string): void {
  const kind = containerKind(head, name) ?? foreignKind(head, name);
  if (kind === undefined) return;
  throw new InvalidInputError(`${name} is ${kind.what}`, { hint: kind.hint });
}
