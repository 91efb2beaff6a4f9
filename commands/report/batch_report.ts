/**
 * Writes the report of a batch that has ended (`batch --report`).
 *
 * @module
 */
import { existsSync } from "node:fs";
import { writeNote } from "../terminal/output.ts";
import { writeWarning } from "../terminal/sentences.ts";
import { collectFiles, renderReport } from "./create_report.ts";
import { writeReportFile } from "./report_file.ts";

/**
 * Writes the report on the result file at `output` to `path`. A failure is only a warning: the results are safe, and
 * the report can be made later.
 *
 * @param secrets the keys that the batch has used
 * @param quiet whether only a failure is printed
 */
export async function writeBatchReport(
  output: string,
  path: string,
  secrets: readonly string[],
  quiet = false,
): Promise<void> {
  // A batch that was refused has no results.
  if (!existsSync(output)) return;
  try {
    const report = await collectFiles([output], { content: true, secrets });
    await writeReportFile(path, await renderReport(report, { content: true }));
    if (!quiet) writeNote(`Report: ${path}`);
  } catch (error) {
    writeWarning(`no report: ${error instanceof Error ? error.message : String(error)}`);
  }
}
