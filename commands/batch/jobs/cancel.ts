/**
 * Cancels the provider jobs of a result file and collects the rows that are done.
 *
 * If another process is waiting for the jobs, it requests the cancellation from that process.
 *
 * @module
 */
import { existsSync } from "node:fs";
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
import { cancelAndCollect, type CancelFlags, cancellable, rowCount } from "./cancel_run.ts";
import { PartClients } from "./part_clients.ts";

/** Asks for confirmation. */
async function confirmed(live: readonly PartState[], { yes }: CancelFlags): Promise<boolean> {
  if (yes) return true;
  const what = `${counted(live.length, "part")} with ${rowCount(live)}`;
  if (!canPrompt()) {
    throw new ConfigurationError(`cancelling ${what} needs your confirmation`, {
      hint: "Without a terminal, confirm with -y.",
    });
  }
  return await promptYesNo(
    `Cancel ${what}? Rows that are already done are billed and will be collected.`,
    false,
  );
}

/**
 * Cancels the provider jobs of the result file `output`. Returns the exit code.
 *
 * @throws {ConfigurationError} if there is no such batch, or the confirmation is missing
 */
export async function cancelJobs(output: string, flags: CancelFlags): Promise<number> {
  const live = cancellable(readParts(output));
  const note = flags.quiet ? () => {} : writeNote;
  if (live.length === 0) {
    if (!existsSync(output)) {
      throw new ConfigurationError(`the result file ${output} does not exist`, {
        hint: "Specify the file that the batch writes with -o.",
      });
    }
    writeSentences(`${output} has no jobs to cancel.`, note);
    if (flags.json) {
      writeJson({ output, cancelled: 0, succeeded: 0, failed: 0, live: 0, parts: [] });
    }
    return EXIT.ok;
  }
  if (!await confirmed(live, flags)) {
    writeSentences("Nothing was cancelled.", note);
    return EXIT.ok;
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
