/**
 * Recognizes files that are neither JSON lines nor tables by their first bytes.
 *
 * @module
 */
import type { Buffer } from "node:buffer";

/** The first bytes as Latin-1, the kind of file, and how to convert it. `IN` is replaced by its name. */
const SIGNATURES: readonly [start: string, kind: string, hint: string][] = [
  [
    "PK\x03\x04",
    "a spreadsheet (.xlsx) or a zip archive",
    `Save the sheet as "CSV UTF-8" and use that file.`,
  ],
  [
    "\xd0\xcf\x11\xe0",
    "an old spreadsheet (.xls)",
    `Save the sheet as "CSV UTF-8" and use that file.`,
  ],
  [
    "PAR1",
    "a Parquet file",
    "A batch sends each of its rows: flexllm batch IN -o out.jsonl",
  ],
  [
    "ARROW1",
    "an Arrow file",
    `In Python: pandas.read_feather("IN").to_json("in.jsonl", orient="records", lines=True)`,
  ],
  ["\x1f\x8b", "compressed with gzip", "Unpack it first: gunzip -k IN"],
  ["\x28\xb5\x2f\xfd", "compressed with zstd", "Unpack it first: zstd -d IN"],
  ["BZh", "compressed with bzip2", "Unpack it first: bunzip2 -k IN"],
  ["\xfd7zXZ\0", "compressed with xz", "Unpack it first: xz -dk IN"],
  ["\xff\xfe", "UTF-16, not UTF-8", "Convert it first: iconv -f utf-16 -t utf-8 IN > FILE"],
  ["\xfe\xff", "UTF-16, not UTF-8", "Convert it first: iconv -f utf-16 -t utf-8 IN > FILE"],
  ["{\0", "UTF-16, not UTF-8", "Convert it first: iconv -f utf-16le -t utf-8 IN > FILE"],
  ["\0{", "UTF-16, not UTF-8", "Convert it first: iconv -f utf-16be -t utf-8 IN > FILE"],
];

/** A file name, quoted for a shell if needed. */
export function inCommand(name: string): string {
  if (name === "standard input") return "FILE";
  return /^[\w@%+=:,./-]+$/.test(name) ? name : `'${name}'`;
}

/** The kind of a file that starts with `head`, and how to convert it; `undefined` if it is not recognized. */
export function foreignKind(
  head: Buffer,
  name: string,
): { what: string; hint: string } | undefined {
  const start = head.subarray(0, 8).toString("latin1");
  const found = SIGNATURES.find(([signature]) => start.startsWith(signature));
  if (found === undefined) return undefined;
  const [, what, hint] = found;
  return { what, hint: hint.replace("IN", () => inCommand(name)) };
}
