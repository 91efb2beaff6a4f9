/**
 * Converts results to a file, or to standard output.
 *
 * @module
 */
import process from "node:process";
import { ConfigurationError } from "../../lib/errors.ts";
import { isSameFile } from "../../lib/files/same_file.ts";
import type { Converted, ConvertOptions } from "../../lib/results/convert.ts";
import type { ResultSelection } from "../../lib/results/selection.ts";
import { counted } from "../terminal/format.ts";
import { writeBytes, writeJson, writeNote, writeOutput } from "../terminal/output.ts";
import type { Target } from "./parse_flags.ts";

/** How to convert results. */
export interface TableOptions extends Omit<ConvertOptions, "format"> {
  target: Target;
  /** The paths of the result files that are read: no patterns, which may match the target. */
  inputs: readonly string[];
  force?: boolean;
  json?: boolean;
}

/** Converts the selected results. */
export async function writeTable(
  selection: ResultSelection,
  { target: { format, path }, inputs, force = false, json, ...options }: TableOptions,
): Promise<void> {
  const { convertResults } = await import("../../lib/results/convert.ts");
  const convert = (write: (bytes: Uint8Array) => void) =>
    convertResults(selection, { ...options, format }, write);
  if (path === "-") {
    if (json) {
      throw new ConfigurationError("--json and --to both write to standard output", {
        hint: `Name a file: --to ${format} FILE`,
      });
    }
    if (format === "parquet" && process.stdout.isTTY) {
      throw new ConfigurationError("Parquet is binary and is not written to a terminal", {
        hint: "Name a file: --to parquet FILE",
      });
    }
    // On a terminal, control characters of answers are replaced.
    await convert(process.stdout.isTTY ? (bytes) => writeOutput(textOf(bytes)) : writeBytes);
    return;
  }
  if (inputs.some((input) => isSameFile(input, path))) {
    throw new ConfigurationError(`${path} is the result file itself`, {
      hint: `Name another file: --to ${format} FILE`,
    });
  }
  const converted = await toFile(path, force, convert);
  if (json) {
    const { rows, columns = null } = converted;
    writeJson({ file: path, format, rows, columns });
  } else {
    writeNote(`Wrote ${counted(converted.rows, "result")} to ${path}`);
  }
}

const decoder = new TextDecoder();

function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes, { stream: true });
}

async function toFile(
  path: string,
  replace: boolean,
  convert: (write: (bytes: Uint8Array) => void) => Promise<Converted>,
): Promise<Converted> {
  const { OutputFile } = await import("../../lib/results/output_file.ts");
  using file = new OutputFile(path, replace);
  const converted = await convert((bytes) => file.write(bytes));
  file.complete();
  return converted;
}
