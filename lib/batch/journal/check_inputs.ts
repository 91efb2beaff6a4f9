/**
 * Compares the result file of a library batch with its inputs, before anything is sent.
 *
 * @module
 */
import { JournalError } from "../../errors.ts";
import { type BatchInputs, toRecord } from "../inputs.ts";
import type { Journal } from "./journal.ts";
import { inputIdentity } from "./result_line.ts";

/**
 * If the inputs are an array, compares all of them with the journal.
 *
 * @throws {JournalMismatchError} at the first input that differs, unless `rerunChanged`
 */
export function checkInputs(
  journal: Journal,
  inputs: BatchInputs,
  rerunChanged: boolean | undefined,
): void {
  if (!Array.isArray(inputs)) return;
  for (const [index, input] of inputs.entries()) {
    journal.isDone(index, inputIdentity(toRecord(input)), rerunChanged);
  }
  journal.checkEnd(inputs.length);
}

/**
 * Checks that the result file is not one of the command line's batches with several models.
 *
 * @throws {JournalError} if it is
 */
export function checkSingleModel({ models }: Journal, output: string): void {
  if (models.length === 0) return;
  throw new JournalError(`${output} has the results of several models: ${models.join(", ")}`, {
    hint: "Choose another output file: the library writes one file for each model.",
  });
}
