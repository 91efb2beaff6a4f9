/**
 * Locates and names the first mistake in a text that is not valid JSON.
 *
 * @module
 */
import { parse as parseJsonc, type ParseError, printParseErrorCode } from "jsonc-parser";

/** Describes a parse error of `jsonc-parser` in words. */
export function describeParseError({ error }: ParseError): string {
  return printParseErrorCode(error).replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
}

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
  const problem = errors[0] ?? { offset: text.length, error: 0, length: 0 };
  const before = text.slice(0, problem.offset).split("\n");
  return {
    line: before.length,
    column: before.at(-1)!.length + 1,
    reason: describeParseError(problem),
  };
}
