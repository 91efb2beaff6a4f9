/**
 * Shows results one by one.
 *
 * @module
 */
import process from "node:process";
import type { ResultReader } from "../../lib/results/result_reader.ts";
import type { ResultSelection } from "../../lib/results/selection.ts";
import { writeOutput } from "../terminal/output.ts";
import { printableJson } from "../terminal/sanitize.ts";
import { resultView } from "./result_view.ts";

/** Maximum characters of each text, unless a record is named. */
const SHOWN_TEXT = 1000;

/** Shows the selected results. Returns their number. */
export function showResults(
  selection: ResultSelection,
  { sources }: ResultReader,
  isNamed: boolean,
): number {
  let shown = 0;
  selection.eachRecord((record, { source }) => {
    const view = resultView(record, {
      file: sources.length > 1 ? source.name : undefined,
      maxText: isNamed ? undefined : SHOWN_TEXT,
    });
    writeOutput(`${shown++ > 0 ? "\n" : ""}${view.join("\n")}\n`);
  });
  return shown;
}

/** Writes the selected results as a JSON array, one after the other. */
export function showJson(selection: ResultSelection): void {
  let shown = 0;
  selection.eachRecord((record, line) => {
    const json = process.stdout.isTTY
      ? printableJson(JSON.stringify(record, null, 2))
      : line.text();
    writeOutput(`${shown++ === 0 ? "[" : ",\n"}${json}`);
  });
  writeOutput(`${shown === 0 ? "[" : ""}]\n`);
}
