/**
 * Copies the items of a JSON array, or a sequence of JSON objects, to lines: in flat memory, each item
 * unchanged except for its line breaks, and preceded by its position.
 *
 * @module
 */
import { InvalidInputError } from "../errors.ts";
import type { ReadBytes } from "../files/lines.ts";
import { chunksOf } from "./chunks.ts";
import type { Position } from "./json_outline.ts";
import type { BufferedWriter } from "../files/buffered_writer.ts";

const [QUOTE, COMMA, BACKSLASH] = [0x22, 0x2c, 0x5c];
const [OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [0x5b, 0x5d, 0x7b, 0x7d];
const [NEWLINE, RETURN, SPACE] = [10, 13, 32];
/** Not allowed in a string, like the newline that it replaces. */
const NOT_ALLOWED = 0x1f;

/** What to copy. */
export interface ItemsToCopy {
  /** The name of the file, for messages. */
  name: string;
  file: number | ReadBytes;
  /** Where the items start; of an array, the position after its bracket. */
  start: Position;
  /** Whether they are items of an array, or objects that follow each other. */
  kind: "array" | "sequence";
  /** Whether something may follow the array. */
  mayContinue?: boolean;
}

/**
 * Writes each item as a line `LINE:COLUMN JSON`. Line breaks between tokens become `\r`, so that the
 * position of a mistake in the item can be calculated. The items themselves are not checked.
 *
 * @returns the number of items
 * @throws {InvalidInputError} if the file ends too early, or a comma is missing or misplaced
 */
export function copyItems(items: ItemsToCopy, writer: BufferedWriter): number {
  const { name, file, start, kind, mayContinue } = items;
  const isArray = kind === "array";
  let [base, line, lineStart] = [start.offset, start.line, start.offset - start.column + 1];
  let [depth, count] = [0, 0];
  let [inString, escaped] = [false, false];
  /** Between items: whether a comma, an item or nothing comes next. */
  let expects = "item" as "item" | "comma" | "end";
  let inItem = false;
  const problem = (i: number, message: string, hint?: string) =>
    new InvalidInputError(`${name}:${line}:${base + i - lineStart + 1}: ${message}`, {
      hint: hint ?? "Nothing was sent. Fix the file first.",
    });
  for (const chunk of chunksOf(file, base)) {
    let from = 0;
    const endItem = (end: number) => {
      writer.bytes(chunk.subarray(from, end));
      writer.text("\n");
      count++;
      inItem = false;
      expects = isArray ? "comma" : "item";
    };
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i];
      if (inString) {
        if (escaped) escaped = false;
        else if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) {
          inString = false;
          if (depth === 0) endItem(i + 1);
        } else if (byte === NEWLINE) {
          chunk[i] = NOT_ALLOWED;
          line++;
          lineStart = base + i + 1;
        }
        continue;
      }
      if (byte <= SPACE) {
        // An item such as a number ends here.
        if (inItem && depth === 0) endItem(i);
        if (byte === NEWLINE) {
          chunk[i] = RETURN;
          line++;
          lineStart = base + i + 1;
        } else if (byte === RETURN) {
          chunk[i] = SPACE;
        }
        continue;
      }
      if (!inItem) {
        if (expects === "end") throw problem(i, "expected nothing after the end of the array");
        if (byte === CLOSE_BRACKET && isArray && (expects === "comma" || count === 0)) {
          if (mayContinue) return count;
          expects = "end";
          continue;
        }
        if (expects === "comma") {
          if (byte !== COMMA) throw problem(i, "expected a comma or ] after an item of the array");
          expects = "item";
          continue;
        }
        if (byte === COMMA || byte === CLOSE_BRACKET || byte === CLOSE_BRACE) {
          throw problem(i, `expected an item, got ${String.fromCharCode(byte)}`);
        }
        if (!isArray && byte !== OPEN_BRACE) {
          throw problem(
            i,
            `expected an object, got ${JSON.stringify(chunk.toString("utf8", i, i + 20))}`,
          );
        }
        inItem = true;
        from = i;
        writer.text(`${line}:${base + i - lineStart + 1} `);
      }
      if (byte === QUOTE) inString = true;
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        if (depth > 0) {
          if (--depth === 0) endItem(i + 1);
        } else {
          endItem(i);
          i--;
        }
      } else if (byte === COMMA && depth === 0) {
        endItem(i);
        i--;
      }
    }
    if (inItem) writer.bytes(chunk.subarray(from));
    base += chunk.length;
  }
  if (inItem || (isArray && expects !== "end")) {
    throw problem(
      0,
      `the file ends ${inItem ? "inside an item" : "before the end of the array"}`,
      `Nothing was sent. ${count} ${count === 1 ? "item is" : "items are"} complete; the file ` +
        "may be truncated. Create or download it again.",
    );
  }
  return count;
}
