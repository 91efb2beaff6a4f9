/**
 * Determines the format of an input file from its name and its first bytes.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { extname } from "node:path";
import { InvalidInputError } from "../errors.ts";
import { isJson } from "../json/json.ts";
import { refuseForeign } from "./foreign_format.ts";

/** The formats of inputs. In `files`, each file is a record. */
export const INPUT_FORMATS = ["jsonl", "json", "text", "csv", "tsv", "parquet", "files"] as const;

/** The format of an input. */
export type InputFormat = (typeof INPUT_FORMATS)[number];

/** The extensions of files that contain records, without that of a compression. */
const EXTENSIONS: Record<string, InputFormat> = {
  jsonl: "jsonl",
  ndjson: "jsonl",
  json: "json",
  txt: "text",
  csv: "csv",
  tsv: "tsv",
  parquet: "parquet",
};

/** The extensions of a compression. */
const COMPRESSED = /\.(gz|gzip|zst|zstd)$/i;

/** The format that a file's name stands for, if any. The extension of a compression is ignored. */
export function formatOfName(name: string): InputFormat | undefined {
  const uncompressed = name.replace(COMPRESSED, "");
  return EXTENSIONS[extname(uncompressed).slice(1).toLowerCase()];
}

/**
 * Whether a file's name says that it contains records, such as `a.jsonl` or `b.parquet`. A compressed file
 * does in any case, as it cannot be sent itself.
 */
export function isDataFile(path: string): boolean {
  const format = formatOfName(path);
  // Text files in a folder are usually documents, each of which is one record.
  return COMPRESSED.test(path) || format !== undefined && format !== "text";
}

/** How to read a file. */
export interface DetectedFormat {
  format: InputFormat;
  /** Why the format is not the one that the name stands for. */
  note?: string;
  /** What to do if its lines turn out to be invalid. */
  hint?: string;
}

const PARQUET_MAGIC = "PAR1";

/** The first line of a text if it is complete, and whether there is another one. */
function firstLine(text: string): { line: string; continues: boolean } {
  const end = text.indexOf("\n");
  return end < 0
    ? { line: text, continues: false }
    : { line: text.slice(0, end), continues: text.slice(end).trim() !== "" };
}

/**
 * Determines the format of a file.
 *
 * @param name its name, for messages
 * @param head its first bytes, decompressed
 * @param named the format that its name stands for
 * @param explicit the format that the user named
 * @throws {InvalidInputError} if it has a format that cannot be read, or more than one is plausible
 */
export function detectFormat(
  name: string,
  head: Buffer,
  named: InputFormat | undefined,
  explicit: InputFormat | undefined,
): DetectedFormat {
  const wanted = explicit ?? named ?? "jsonl";
  const isParquet = head.subarray(0, 4).toString("latin1") === PARQUET_MAGIC;
  if (isParquet && (explicit === undefined || explicit === "parquet")) return { format: "parquet" };
  if (isParquet) {
    throw new InvalidInputError(`${name} is a Parquet file, not ${explicit}`, {
      hint: "Remove --input-format: the format is detected.",
    });
  }
  refuseForeign(head, name);
  if (wanted === "parquet" && head.length > 0) {
    throw new InvalidInputError(`${name} is not a Parquet file`, {
      hint: "If it has another format, use --input-format.",
    });
  }
  const text = head.toString("utf8").replace(/^\ufeff/, "").trimStart();
  const note = (what: string) => named === undefined ? undefined : `${name} ${what}`;
  if (wanted === "jsonl") {
    // An opened object that ends in a later line.
    const isMultiline = /^\{\s*[\r\n]/.test(text);
    if (!text.startsWith("[") && !isMultiline) return { format: "jsonl", hint: jsonlHint(text) };
    if (explicit === undefined) {
      const what = isMultiline ? "has JSON objects that span several lines" : "is a JSON array";
      return { format: "json", note: note(`${what}; it is read as JSON`) };
    }
    throw new InvalidInputError(
      `${name} is JSON that spans several lines or an array; expected one object per line (JSONL)`,
      { hint: "Remove --input-format jsonl, or use --input-format json." },
    );
  }
  if (wanted === "json" && explicit === undefined && text.startsWith("{")) {
    const { line, continues } = firstLine(text);
    if (continues && isJson(line)) {
      return {
        format: "jsonl",
        note: note("has one object per line; it is read as JSONL"),
        hint: "If its objects span several lines, use --input-format json.",
      };
    }
  }
  if (wanted === "text" && explicit === undefined && /^[[{]/.test(text)) {
    const isRecord = isJson(firstLine(text).line);
    if (isRecord || /^(\[\s*|\{\s*[\r\n])/.test(text) && isJson(text)) {
      throw new InvalidInputError(`${name} contains JSON, but its name says text`, {
        hint: `Choose how to read it: --input-format ${
          isRecord && text.startsWith("{") ? "jsonl" : "json"
        }, or text for one prompt per line.`,
      });
    }
  }
  return { format: wanted };
}

/** The start of an object that contains records, rather than is one. */
const ENVELOPE = /^\{[^{\n]*?"(data|rows|records|examples|instances|items)"\s*:\s*\[\s*\{/;

function jsonlHint(text: string): string | undefined {
  const [, field] = ENVELOPE.exec(text) ?? [];
  if (field !== undefined) {
    return `If the items of "${field}" are the records, use --input-format json.`;
  }
  if (text === "" || text.startsWith("{")) return undefined;
  return "For a table, use --input-format csv or tsv; for one prompt per line, text.";
}
