/**
 * Files that are no input, told by how they begin, and how to make one of them.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { InvalidInputError } from "../errors.ts";
import { foreignKind, inCommand } from "../files/foreign_kind.ts";

/** How many bytes at the start of a file are looked at. */
export const HEAD_SIZE = 1 << 16;

/** What is said of a line whose bytes are no text. */
export const NOT_UTF8 = "not UTF-8; convert it first: iconv -f latin1 (or utf-16) -t utf-8";

/**
 * Refuses what `head`, the beginning of the input called `name`, shows to be another kind of file.
 *
 * @throws {InvalidInputError} saying what it is and what to do
 */
export function refuseForeign(head: Buffer, name: string): void {
  const kind = foreignKind(head, name);
  if (kind === undefined) return;
  throw new InvalidInputError(`${name} is ${kind.what}`, { hint: kind.hint });
}

/**
 * Looks at the beginning of a file that should be JSONL. Gives a hint for when its lines turn out to
 * be none.
 *
 * @throws {InvalidInputError} when it is one JSON array
 */
export function jsonlHint(head: Buffer, name: string): string | undefined {
  const text = head.toString("utf8").replace(/^\ufeff/, "").trimStart();
  if (/^\[\s*(\{|$)/.test(text)) {
    throw new InvalidInputError(`${name} is one JSON array; expected one object a line (JSONL)`, {
      hint: `Make lines of it: jq -c '.[]' ${inCommand(name)} > in.jsonl`,
    });
  }
  if (/^\{\s*[\r\n]/.test(text)) {
    return `If one object takes several lines, put each on one: jq -c . ${
      inCommand(name)
    } > in.jsonl`;
  }
  if (text === "" || text.startsWith("{")) return undefined;
  return "A table is read with --input-format csv or tsv.";
}
