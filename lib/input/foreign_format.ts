/**
 * Refuses files that are not JSONL by their first bytes, and suggests how to convert them.
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

/**
 * Checks `head`, the first bytes of the input `name`.
 *
 * @throws {InvalidInputError} if they identify another file format; the hint says how to convert it
 */
export function refuseForeign(head: Buffer, name: string): void {
  const kind = foreignKind(head, name);
  if (kind === undefined) return;
  throw new InvalidInputError(`${name} is ${kind.what}`, { hint: kind.hint });
}

/**
 * Examines the first bytes of a file that should be JSONL. Returns a hint to show if its lines turn out
 * to be invalid.
 *
 * @throws {InvalidInputError} if it is a JSON array
 */
export function jsonlHint(head: Buffer, name: string): string | undefined {
  const text = head.toString("utf8").replace(/^\ufeff/, "").trimStart();
  if (/^\[\s*(\{|$)/.test(text)) {
    throw new InvalidInputError(`${name} is one JSON array; expected one object per line (JSONL)`, {
      hint: `Convert it: jq -c '.[]' ${inCommand(name)} > in.jsonl`,
    });
  }
  if (/^\{\s*[\r\n]/.test(text)) {
    return `If objects span several lines, put each on one line: jq -c . ${
      inCommand(name)
    } > in.jsonl`;
  }
  if (text === "" || text.startsWith("{")) return undefined;
  return "For a table, use --input-format csv or tsv.";
}
