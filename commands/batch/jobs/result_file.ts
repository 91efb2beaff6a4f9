/**
 * Checks the result file that `flexllm batch status` and `flexllm batch cancel` are about.
 *
 * @module
 */
import { statSync } from "node:fs";
import { ConfigurationError } from "../../../lib/errors.ts";

/**
 * Checks that a result file without provider jobs is at least a file.
 *
 * @throws {ConfigurationError} if it is not
 */
export function checkResultFile(output: string): void {
  const stat = statSync(output, { throwIfNoEntry: false });
  if (stat?.isFile()) return;
  throw new ConfigurationError(
    stat === undefined ? `the result file ${output} does not exist` : `${output} is not a file`,
    { hint: "Specify the file that the batch writes with -o." },
  );
}
