/**
 * Whether the input and the output of a batch can be what they are named as.
 *
 * @module
 */
import { existsSync, statSync } from "node:fs";
import process from "node:process";
import { ConfigurationError } from "../../lib/errors.ts";
import type { BatchFlags } from "./flags.ts";

function isSameFile(a: string, b: string): boolean {
  try {
    const [first, second] = [a, b].map((path) => statSync(path));
    return first.ino === second.ino && first.dev === second.dev;
  } catch {
    // What cannot be opened says so itself, in better words.
    return false;
  }
}

/**
 * The result file. An estimate needs none.
 *
 * @throws {ConfigurationError} when a file is missing, is named wrongly, or is named twice
 */
export function checkFiles(
  input: string | undefined,
  { output, retryFailed, estimate }: BatchFlags,
): string | undefined {
  if (output === undefined) {
    if (estimate) return undefined;
    throw new ConfigurationError("no output file", {
      hint: "Name one with -o: flexllm batch input.jsonl -o output.jsonl",
    });
  }
  if (!output.endsWith(".jsonl")) {
    throw new ConfigurationError(`the output file must end in .jsonl, got ${output}`, {
      hint: "It has one result a line, as JSON: -o answers.jsonl",
    });
  }
  if (input === undefined && process.stdin.isTTY) {
    throw new ConfigurationError("no input", {
      hint: "Name a JSONL file, or pipe one in: flexllm batch input.jsonl -o output.jsonl",
    });
  }
  if (input !== undefined && isSameFile(input, output)) {
    throw new ConfigurationError(`the input ${input} is the output file, too`, {
      hint: "Name another output file with -o.",
    });
  }
  if (retryFailed && !existsSync(output)) {
    throw new ConfigurationError(`--retry-failed: there is no result file ${output}`, {
      hint: "Leave the flag out for the first run.",
    });
  }
  return output;
}
