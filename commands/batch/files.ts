/**
 * Checks the input and output files of a batch.
 *
 * @module
 */
import { existsSync } from "node:fs";
import process from "node:process";
import { ConfigurationError } from "../../lib/errors.ts";
import { isSameFile } from "../../lib/files/same_file.ts";
import type { BatchSource } from "../../lib/input/input_source.ts";
import { quoted } from "../terminal/format.ts";
import type { BatchFlags } from "./flags.ts";

/** The output path that means standard output. */
export const STANDARD_OUTPUT = "-";

/** The command with `inputs` and `-o`. A last input that does not exist was meant as the output. */
function exampleCommand(inputs: readonly string[]): string {
  const last = inputs.at(-1);
  const isOutput = inputs.length > 1 && last?.endsWith(".jsonl") && !existsSync(last);
  const files = isOutput ? inputs.slice(0, -1) : inputs;
  const shown = files.length === 0 ? ["input.jsonl"] : files;
  return ["flexllm batch", ...shown.map(quoted), "-o", isOutput ? quoted(last!) : "output.jsonl"]
    .join(" ");
}

function checkDistinct(input: string, output: string): void {
  if (!isSameFile(input, output)) return;
  throw new ConfigurationError(`input and output are the same file: ${input}`, {
    hint: "Choose another output file with -o.",
  });
}

/**
 * Checks that no file of an open input is the result file. A folder or pattern may contain it.
 *
 * @throws {ConfigurationError} if one is
 */
export function checkOutput(input: BatchSource, output: string | undefined): void {
  if (output === undefined || output === STANDARD_OUTPUT) return;
  for (const { name } of input.files) checkDistinct(name, output);
}

/**
 * Checks the files and returns the path of the result file; an estimate needs none.
 *
 * @throws {ConfigurationError} if a file is missing, has the wrong extension, or is both input and output
 */
export function checkFiles(
  inputs: readonly string[],
  { output, retryFailed, estimate }: BatchFlags,
): string | undefined {
  if (output === undefined) {
    if (estimate) return undefined;
    throw new ConfigurationError("no output file", {
      hint: `Specify one with -o: ${exampleCommand(inputs)}`,
    });
  }
  if (!output.endsWith(".jsonl") && output !== STANDARD_OUTPUT) {
    throw new ConfigurationError(`the output file must end in .jsonl, got ${output}`, {
      hint: "It contains one JSON result per line: -o answers.jsonl (or -o - for standard output)",
    });
  }
  if (inputs.length === 0 && process.stdin.isTTY) {
    throw new ConfigurationError("no input", {
      hint: "Specify a file or pipe one in: flexllm batch input.jsonl -o output.jsonl",
    });
  }
  for (const input of output === STANDARD_OUTPUT ? [] : inputs) checkDistinct(input, output);
  if (inputs.filter((input) => input === "-").length > 1) {
    throw new ConfigurationError("standard input (-) is given twice");
  }
  if (retryFailed && !existsSync(output) && output !== STANDARD_OUTPUT) {
    throw new ConfigurationError(`--only-failed: the result file ${output} does not exist`, {
      hint: "Omit the flag for the first run.",
    });
  }
  return estimate && output === STANDARD_OUTPUT ? undefined : output;
}
