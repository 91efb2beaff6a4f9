/**
 * Parses the values of the flags of `flexllm results`.
 *
 * @module
 */
import { InvalidArgumentError } from "@commander-js/extra-typings";
import { textTest } from "../../lib/results/filter.ts";
import {
  dollarAmount,
  durationAmount,
  type NumberTest,
  parseRange,
} from "../../lib/results/number_range.ts";
import { TABLE_FORMATS, type TableFormat } from "../../lib/results/table/table_writer.ts";

/** Ranges of indexes; `all` for every record. */
export type Indexes = readonly (readonly [first: number, last: number])[] | "all";

/** Parses indexes such as `3,7-9`; a repeated flag adds to them. */
export function indexes(text: string, previous?: Indexes): Indexes {
  if (text === "all") return "all";
  const ranges = text.split(",").map((part) => {
    const [, first, last = first] = /^\s*(\d+)\s*(?:-\s*(\d+)\s*)?$/.exec(part) ?? [];
    if (first === undefined || Number(last) < Number(first)) {
      throw new InvalidArgumentError("Expected indexes from 0 such as 3 or 3,7-9, or all.");
    }
    return [Number(first), Number(last)] as const;
  });
  return previous === undefined || previous === "all" ? ranges : [...previous, ...ranges];
}

/** Parses a range of durations, such as `>2s` or `500ms-2s`. */
export function latencyRange(text: string): NumberTest {
  const test = parseRange(text, durationAmount);
  if (test !== undefined) return test;
  throw new InvalidArgumentError(
    "Expected a comparison or range such as '>2s', '<=500ms' or 1-5; quote < and > for the shell.",
  );
}

/** Parses a range of amounts in USD, such as `>0.01`. */
export function costRange(text: string): NumberTest {
  const test = parseRange(text, dollarAmount);
  if (test !== undefined) return test;
  throw new InvalidArgumentError(
    "Expected a comparison or range in USD such as '>0.01' or 0-0.5; quote < and > for the shell.",
  );
}

/** Parses a text or regular expression to look for. */
export function textPattern(text: string): (text: string) => boolean {
  if (text === "") throw new InvalidArgumentError("Expected a text that is not empty.");
  try {
    return textTest(text);
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
}

/** Parses names that are separated by commas; a repeated flag adds to them. */
export function names(text: string, previous: readonly string[] = []): string[] {
  const list = text.split(",").map((name) => name.trim());
  if (list.includes("")) throw new InvalidArgumentError("Expected names separated by commas.");
  return [...previous, ...list];
}

/** What `--to` names. */
export interface Target {
  format: TableFormat;
  /** The path of the file; `-` for standard output. */
  path: string;
}

const EXTENSIONS: Readonly<Record<string, TableFormat>> = {
  ...Object.fromEntries(TABLE_FORMATS.map((format) => [format, format])),
  ndjson: "jsonl",
  markdown: "md",
};

/** The format of a file by its name. */
function formatOf(path: string): TableFormat | undefined {
  return EXTENSIONS[/\.(\w+)$/.exec(path)?.[1].toLowerCase() ?? ""];
}

/**
 * Divides the words after `--to` into the target and result files, which follow it in some command lines. The
 * format may be left out if the name of the file says it.
 *
 * @returns `undefined` if they name no format
 */
export function targetOf(words: readonly string[]): { target: Target; rest: string[] } | undefined {
  const [first, second, ...more] = words;
  if (TABLE_FORMATS.includes(first as TableFormat)) {
    return { target: { format: first as TableFormat, path: second ?? "-" }, rest: more };
  }
  const format = formatOf(first);
  return format && { target: { format, path: first }, rest: words.slice(1) };
}
