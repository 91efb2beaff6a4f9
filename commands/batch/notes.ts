/**
 * Warnings and notes before a batch is sent.
 *
 * @module
 */
import type { Journal } from "../../lib/batch/journal/journal.ts";
import type { InputCheck } from "../../lib/input/check_input.ts";
import { maxRequests, REQUESTS_VARIABLE } from "../../lib/runtime/runtime.ts";
import { counted, dollars } from "../terminal/format.ts";
import type { BatchToSend } from "./context.ts";
import type { BatchFlags } from "./flags.ts";

/** What the warnings depend on. */
export interface WarningContext {
  batch: Pick<BatchToSend, "output" | "flags" | "prepared"> & {
    file?: Pick<BatchToSend["file"], "isFiles">;
  };
  journal: Pick<Journal, "existing">;
  check: Pick<InputCheck, "invalid"> & Partial<Pick<InputCheck, "answered">>;
  /** USD that an interrupted run may have spent on answers that are not in the result file. */
  lost: number;
}

/** The warnings about a batch, before it is sent. */
export function warnings({ batch, journal, check, lost }: WarningContext): string[] {
  const { output, flags, prepared: { models, costTracker } } = batch;
  const concurrency = models.reduce((sum, { client }) => sum + client.concurrencyLimit, 0);
  const found: string[] = [];
  if (lost > 0 && costTracker.limit !== undefined) {
    found.push(
      `an interrupted run may have spent up to ${dollars(lost)} on answers that were lost; ` +
        "it counts towards the budget",
    );
  }
  if (check.invalid > 0) {
    const what = batch.file?.isFiles ? "unusable file" : "unusable input line";
    found.push(`skipped ${counted(check.invalid, what)}`);
  }
  const { answered = 0 } = check;
  if (answered > 0) {
    found.push(
      `${counted(answered, "conversation")} ${answered === 1 ? "ends" : "end"} with an assistant ` +
        "message, which the model may continue. If it is the expected answer, use --drop-answer.",
    );
  }
  const { unparsed } = journal.existing;
  if (flags.schema !== undefined && unparsed > 0) {
    found.push(
      `${output} has ${counted(unparsed, "answer")} from a run without --schema. ` +
        "To get all answers with it, choose a new output file.",
    );
  }
  if (concurrency > maxRequests()) {
    found.push(
      `Bun allows at most ${maxRequests()} concurrent requests here, not ${concurrency}. ` +
        `Start flexllm with ${REQUESTS_VARIABLE}=${concurrency}, or lower -c.`,
    );
  }
  return found;
}

/**
 * Why none of the `total` selected records needs to be sent.
 *
 * @param noun what is counted: records, or their results from several models
 */
export function nothingToSend(
  total: number,
  { errors }: Pick<Journal, "errors">,
  { retryFailed }: Pick<BatchFlags, "retryFailed">,
  noun = "record",
): string {
  if (retryFailed === false && errors > 0) {
    const others = total === 0
      ? ""
      : `, the other ${total} ${total === 1 ? "is" : "are"} already done`;
    return `${errors} failed earlier and ${errors === 1 ? "was" : "were"} skipped${others}`;
  }
  if (total > 0) {
    return total === 1 ? `The ${noun} is already done` : `All ${total} ${noun}s are already done`;
  }
  return retryFailed ? "No record has failed" : "There are no records to send";
}
