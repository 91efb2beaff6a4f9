/**
 * Cancels the provider jobs of a result file and collects the rows that are done.
 *
 * If another process is waiting for the jobs, it requests the cancellation from that process.
 *
 * @module
 */
import { LockedFileError } from "../../../lib/batch/journal/open_file.ts";
import { readParts, requestCancel } from "../../../lib/batch/jobs/open_part_store.ts";
import type { PartState } from "../../../lib/batch/jobs/part_events.ts";
import { ConfigurationError } from "../../../lib/errors.ts";
import { CostTracker } from "../../../lib/pricing/cost_tracker.ts";
import { EXIT } from "../../exit_codes.ts";
import { readConfigSilently } from "../../read_config.ts";
import { counted } from "../../terminal/format.ts";
import { writeJson, writeNote } from "../../terminal/output.ts";
import { canPrompt, promptYesNo } from "../../terminal/prompts.ts";
import { writeSentences } from "../../terminal/sentences.ts";
import { cancelAndCollect, type CancelFlags, cancellable } from "./cancel_run.ts";
import { exportedParts, giveUpFiles } from "./give_up_files.ts";
import { rowCount } from "./held_parts.ts";
import { PartClients } from "./part_clients.ts";
import { partJson } from "./part_report.ts";
import { checkResultFile } from "./result_file.ts";

/** Asks for confirmation. */
async function confirmed(
  live: readonly PartState[],
  exported: readonly PartState[],
  { yes }: CancelFlags,
): Promise<boolean> {
  if (yes) return true;
  const what = [
    live.length > 0 ? `${counted(live.length, "part")} with ${rowCount(live)}` : "",
    exported.length > 0 ? filesWithRows(exported) : "",
  ].filter((text) => text !== "").join(" and ");
  if (!canPrompt()) {
    throw new ConfigurationError(`cancelling ${what} needs your confirmation`, {
      hint: "Without a terminal, confirm with -y.",
    });
  }
  const rest = live.length > 0
    ? " Rows that are already done are billed and will be collected."
    : "";
  return await promptYesNo(`Cancel ${what}?${rest}`, false);
}

function filesWithRows(exported: readonly PartState[]): string {
  return `${counted(exported.length, "exported file")} with ${rowCount(exported)}`;
}

/**
 * Cancels the provider jobs of the result file `output`, and gives up its exported files. Returns the exit code.
 *
 * @throws {ConfigurationError} if there is no such batch, or the confirmation is missing
 */
export async function cancelJobs(output: string, flags: CancelFlags): Promise<number> {
  const parts = readParts(output);
  const live = cancellable(parts);
  const note = flags.quiet ? () => {} : writeNote;
  const exported = exportedParts(parts);
  if (live.length + exported.length === 0) {
    if (parts.length === 0) checkResultFile(output);
    writeSentences(`${output} has no jobs to cancel.`, note);
    if (flags.json) {
      writeJson({ output, cancelled: 0, succeeded: 0, failed: 0, live: 0, parts: [] });
    }
    return EXIT.ok;
  }
  if (!await confirmed(live, exported, flags)) {
    writeSentences("Nothing was cancelled.", note);
    return EXIT.ok;
  }
  if (exported.length > 0) {
    const dropped = await giveUpFiles(output);
    writeSentences(`Gave up ${filesWithRows(dropped)}; the next run sends the records.`, note);
    if (live.length === 0) {
      if (flags.json) {
        const after = readParts(output).map(partJson);
        writeJson({ output, cancelled: 0, succeeded: 0, failed: 0, live: 0, parts: after });
      }
      return EXIT.ok;
    }
  }
  const costs = new CostTracker({});
  const config = readConfigSilently(flags.config);
  const pollInterval = flags.pollInterval ?? config.value.batch?.jobs?.poll_interval ?? undefined;
  const clients = new PartClients(config, flags, { costTracker: costs });
  requestCancel(output);
  try {
    return await cancelAndCollect(output, { ...flags, pollInterval }, live, clients, costs);
  } catch (error) {
    if (!(error instanceof LockedFileError)) throw error;
    writeSentences(
      "Another flexllm process is waiting for these jobs. It will cancel them and collect the rows " +
        "that are done.",
      note,
    );
    if (flags.json) writeJson({ output, requested: live.length });
    return EXIT.ok;
  } finally {
    await clients.close();
  }
}
