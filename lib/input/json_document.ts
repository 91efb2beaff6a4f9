/**
 * Converts JSON files to JSON lines: an array of records, an object that contains such an array, or
 * objects that follow each other.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { InvalidInputError } from "../errors.ts";
import { inCommand } from "../files/foreign_kind.ts";
import { TemporaryFile } from "../files/temporary_file.ts";
import { CONTENT_FIELDS } from "./record_content.ts";
import type { InputFile } from "./input_source.ts";
import { copyItems, type ItemsToCopy } from "./json_items.ts";
import { type Outline, type OutlineField, outlineOf } from "./json_outline.ts";
import { BufferedWriter } from "../files/buffered_writer.ts";

/** Names under which files have their records, preferred if an object has several arrays. */
const RECORDS_FIELDS = ["data", "rows", "records", "examples", "instances", "items"];

/** The text without the marks and white space that may come before JSON. */
export function jsonStart(head: Buffer): string {
  return head.toString("utf8").replace(/^\ufeff/, "").trimStart();
}

/** The array of records in an object; `undefined` if the object is a record itself. */
function recordsField(name: string, { fields }: Outline): OutlineField | undefined {
  if (fields.some((field) => CONTENT_FIELDS.includes(field.name))) return undefined;
  const arrays = fields.filter(({ start, firstItem }) =>
    start === "[" && (firstItem === "{" || firstItem === '"')
  );
  if (arrays.length <= 1) return arrays[0];
  const known = arrays.filter((field) => RECORDS_FIELDS.includes(field.name));
  if (known.length === 1) return known[0];
  const list = arrays.map((field) => JSON.stringify(field.name)).join(", ");
  throw new InvalidInputError(`${name} is an object with several arrays: ${list}`, {
    hint: `Choose one: jq -c '.[${JSON.stringify(arrays[0].name)}][]' ${
      inCommand(name)
    } > in.jsonl`,
  });
}

/** What to copy from a document. */
function itemsOf(input: InputFile, head: Buffer): ItemsToCopy & { note?: string } {
  const { name } = input;
  const file = input.read ?? input.fd;
  const text = jsonStart(head);
  if (text.startsWith("[")) {
    const offset = Buffer.byteLength(head.toString("latin1").split("[", 1)[0], "latin1") + 1;
    const before = head.subarray(0, offset).toString("latin1").split("\n");
    const start = { offset, line: before.length, column: before.at(-1)!.length + 1 };
    return { name, file, start, kind: "array" };
  }
  if (!text.startsWith("{")) {
    const found = text === "" ? "nothing" : JSON.stringify(text.slice(0, 20));
    throw new InvalidInputError(
      `${name}: expected a JSON array of records, or an object with one, got ${found}`,
      { hint: "If it has another format, use --input-format jsonl, text, csv or tsv." },
    );
  }
  const outline = outlineOf(file);
  const field = outline.continues ? undefined : recordsField(name, outline);
  if (field !== undefined) {
    const note = `${name}: the records are the items of "${field.name}"`;
    return { name, file, start: field.content, kind: "array", mayContinue: true, note };
  }
  const mark = head.subarray(0, 3).toString("latin1") === "\xef\xbb\xbf" ? 3 : 0;
  return { name, file, start: { offset: mark, line: 1, column: 1 }, kind: "sequence" };
}

/**
 * Converts `input` to JSON lines in a temporary file, and closes it.
 *
 * @param head its first bytes
 * @throws {InvalidInputError} if it is something else, ends too early, or has several arrays
 */
export function readJsonDocument(input: InputFile, head: Buffer): InputFile {
  const { note, ...items } = itemsOf(input, head);
  const file = new TemporaryFile(input.name);
  try {
    const writer = new BufferedWriter((bytes) => file.write(bytes));
    copyItems(items, writer);
    writer.flush();
  } catch (error) {
    file.close();
    throw error;
  }
  input.close();
  return {
    name: input.name,
    fd: file.fd,
    origin: "position",
    notes: note === undefined ? [] : [note],
    close: () => file.close(),
  };
}
