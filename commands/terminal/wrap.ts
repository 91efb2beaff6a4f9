/**
 * Wraps text at word boundaries.
 *
 * @module
 */
import process from "node:process";
import { widthOf } from "./width.ts";

/** The width in columns of the first of `streams` that is a terminal; 80 without a terminal. */
export function screenWidth(streams = [process.stderr, process.stdout]): number {
  return streams.find(({ isTTY }) => isTTY)?.columns || 80;
}

/** The width of a terminal; `undefined` if `stream` is not one. */
export function widthOfStream(stream: NodeJS.WriteStream): number | undefined {
  return stream.isTTY ? stream.columns || 80 : undefined;
}

/** Wraps `text` to `columns`; a longer word is on its own line. */
export function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = lines.length === 0 ? undefined : `${lines.at(-1)} ${word}`;
    if (longer === undefined || widthOf(longer) > columns) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}
