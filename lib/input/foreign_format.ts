/**
 * Files that are no input, told by how they begin, and how to make one of them.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { InvalidInputError } from "../errors.ts";

/** How many bytes at the start of a file are looked at. */
export const HEAD_SIZE = 1 << 16;

/** What is said of a line whose bytes are no text. */
export const NOT_UTF8 = "not UTF-8; convert it first: iconv -f latin1 (or utf-16) -t utf-8";

const PYTHON = "In Python: pandas.";

/** How files of other kinds begin, as Latin-1, what they are, and what to do; `IN` is the file. */
const SIGNATURES: readonly [start: string, kind: string, hint: string][] = [
  [
    "PK\x03\x04",
    "a spreadsheet (.xlsx) or a zip archive",
    `Save the sheet as "CSV UTF-8" and give that file.`,
  ],
  ["\xd0\xcf\x11\xe0", "an old spreadsheet (.xls)", `Save the sheet as "CSV UTF-8" and give that.`],
  [
    "PAR1",
    "a Parquet file",
    `${PYTHON}read_parquet("IN").to_json("in.jsonl", orient="records", lines=True)`,
  ],
  [
    "ARROW1",
    "an Arrow file",
    `${PYTHON}read_feather("IN").to_json("in.jsonl", orient="records", lines=True)`,
  ],
  ["\x1f\x8b", "compressed with gzip", "Unpack it first: gunzip -k IN"],
  ["\x28\xb5\x2f\xfd", "compressed with zstd", "Unpack it first: zstd -d IN"],
  ["\xff\xfe", "UTF-16, not UTF-8", "Convert it first: iconv -f utf-16 -t utf-8 IN > FILE"],
  ["\xfe\xff", "UTF-16, not UTF-8", "Convert it first: iconv -f utf-16 -t utf-8 IN > FILE"],
];

/** The file as it is written in a command. */
function inCommand(name: string): string {
  if (name === "standard input") return "FILE";
  return /^[\w@%+=:,./-]+$/.test(name) ? name : `'${name}'`;
}

/**
 * Refuses what `head`, the beginning of the input called `name`, shows to be another kind of file.
 *
 * @throws {InvalidInputError} saying what it is and what to do
 */
export function refuseForeign(head: Buffer, name: string): void {
  const start = head.subarray(0, 8).toString("latin1");
  const found = SIGNATURES.find(([signature]) => start.startsWith(signature));
  if (found === undefined) return;
  const [, kind, hint] = found;
  throw new InvalidInputError(`${name} is ${kind}`, {
    hint: hint.replace("IN", () => inCommand(name)),
  });
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
