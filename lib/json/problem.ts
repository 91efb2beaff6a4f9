/**
 * Locates and names the first mistake in a text that is not valid JSON.
 *
 * @module
 */
import { parse as parseJsonc, type ParseError, printParseErrorCode } from "jsonc-parser";

/**
 * The position, from 1, and kind of the first mistake in `text`. The runtimes' own messages differ, and
 * not all of them name a position.
 */
export function jsonProblem(text: string): { line: number; column: number; reason: string } {
  const errors: ParseError[] = [];
  try {
    parseJsonc(text, errors, { disallowComments: true, allowTrailingComma: false });
  } catch {
    // The parser is recursive.
    return { line: 1, column: 1, reason: "nested too deeply" };
  }
  const { offset, error } = errors[0] ?? { offset: text.length, error: 0 };
  const words = printParseErrorCode(error).replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  const before = text.slice(0, offset).split("\n");
  return { line: before.length, column: before.at(-1)!.length + 1, reason: words };
}
