/**
 * Completes a line: inserts what all candidates have in common, or lists them.
 *
 * @module
 */
import { inColumns } from "./input_area.ts";
import type { LineBuffer } from "./line_buffer.ts";

/** The candidates, and the end of the line that they replace. */
export type Completions = [candidates: string[], typed: string];

/** Completes the line up to the cursor. */
export type Complete = (line: string) => Completions | Promise<Completions>;

/** Maximum number of candidates that are listed. */
const MAX_LISTED = 60;

function commonPrefix(texts: readonly string[]): string {
  return texts.reduce((prefix, text) => {
    let length = 0;
    while (length < prefix.length && prefix[length] === text[length]) length++;
    return prefix.slice(0, length);
  });
}

/**
 * Completes the line at the cursor.
 *
 * @param columns the width of the terminal
 * @returns a list of the candidates, if they have no more in common
 */
export async function applyCompletion(
  buffer: LineBuffer,
  complete: Complete,
  columns: number,
): Promise<string | undefined> {
  const line = buffer.text.slice(0, buffer.cursor);
  const [candidates, typed] = await complete(line);
  const isUnchanged = buffer.text.slice(0, buffer.cursor) === line;
  if (candidates.length === 0 || !isUnchanged) return undefined;
  const more = commonPrefix(candidates).slice(typed.length);
  if (more !== "") buffer.insert(more);
  if (more !== "" || candidates.length === 1) return undefined;
  const listed = inColumns(candidates.slice(0, MAX_LISTED), columns);
  const omitted = candidates.length - MAX_LISTED;
  return omitted > 0 ? `${listed}\n… and ${omitted} more` : listed;
}
