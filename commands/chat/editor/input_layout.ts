/**
 * Splits a prompt and an edited line into rows of a terminal, and locates the cursor in them.
 *
 * @module
 */
import { printable } from "../../terminal/sanitize.ts";
import { widthOf } from "../../terminal/width.ts";

/** The rows of an input. */
export interface InputLayout {
  rows: string[];
  /** The width of each row in columns. */
  widths: number[];
  cursor: { row: number; column: number };
}

// deno-lint-ignore no-control-regex
const STYLE = /(\x1b\[[\d;]*m)/;

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** The start of the character before `index`, such as an emoji of several code points. */
export function previousCharacter(text: string, index: number): number {
  return graphemes.segment(text).containing(index - 1)?.index ?? 0;
}

/** The end of the character at `index`. */
export function nextCharacter(text: string, index: number): number {
  const found = graphemes.segment(text).containing(index);
  return found === undefined ? text.length : found.index + found.segment.length;
}

/**
 * Lays out `prompt` and `line`. The last column stays empty, because terminals differ in when they wrap a
 * full row.
 *
 * @param prompt may contain styles
 * @param cursor index in `line`
 * @param columns the width of the terminal
 */
export function layOut(
  prompt: string,
  line: string,
  cursor: number,
  columns: number,
): InputLayout {
  const limit = Math.max(1, columns - 1);
  const layout: InputLayout = { rows: [""], widths: [0], cursor: { row: 0, column: 0 } };
  const { rows, widths } = layout;
  const add = (text: string, width: number) => {
    if (widths.at(-1)! + width > limit && widths.at(-1)! > 0) {
      rows.push("");
      widths.push(0);
    }
    rows[rows.length - 1] += text;
    widths[widths.length - 1] += width;
  };
  for (const part of prompt.split(STYLE)) {
    if (STYLE.test(part)) add(part, 0);
    else for (const { segment } of graphemes.segment(part)) add(segment, widthOf(segment));
  }
  let isPlaced = false;
  const placeCursor = (width: number) => {
    isPlaced = true;
    layout.cursor = { row: rows.length - 1, column: widths.at(-1)! - width };
  };
  for (const { segment, index } of graphemes.segment(line)) {
    const text = printable(segment);
    const width = widthOf(text);
    add(text, width);
    if (!isPlaced && index + segment.length > cursor) placeCursor(width);
  }
  if (!isPlaced) placeCursor(0);
  return layout;
}
