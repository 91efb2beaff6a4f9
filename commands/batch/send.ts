/**
 * Sends a batch from the command line: opens its result file, runs it, and reports how it ended.
 *
 * @module
 */
import { BudgetLedger } from "../../lib/batch/journal/budget_ledger.ts";
import { Journal } from "../../lib/batch/journal/journal.ts";
import { emptySummary } from "../../lib/batch/summary.ts";
import { ConfigurationError } from "../../lib/errors.ts";
import { checkInput, type InputCheck } from "../../lib/input/check_input.ts";
import { surviveFileSizeLimit } from "../../lib/runtime/runtime.ts";
import { reportError } from "../errors/report.ts";
import { ignoresHangup } from "../hangup.ts";
import { writeJson, writeNote, writeWarning } from "../terminal/output.ts";
import type { BatchToSend } from "./context.ts";
import { driveBatch, type DrivenBatch } from "./drive.ts";
import { batchExitCode } from "./exit_code.ts";
import { finishJournal, inputChange, sortJournal } from "./finish.ts";
import { ModelCheck } from "./model_check.ts";
import { nothingToSend, warnings } from "./notes.ts";
import { batchReport, failureLines, type ReportContext } from "./report.ts";
import { summaryJson } from "./summary_json.ts";

/** Sends the records that are not done yet. Returns the exit code. */
export async function sendBatch(batch: BatchToSend): Promise<number> {
  const { costTracker } = batch.prepared;
  ignoresHangup();
  surviveFileSizeLimit();
  const journal = await Journal.open(batch.output);
  try {
    const ledger = new BudgetLedger(batch.output, journal.cost, costTracker.limit);
    try {
      costTracker.addSpent(journal.cost + ledger.lost);
      costTracker.persist(ledger);
      return await sendPending(batch, journal, ledger.lost);
    } finally {
      ledger.close(costTracker.spent, journal.cost);
    }
  } finally {
    journal.close();
  }
}

async function sendPending(batch: BatchToSend, journal: Journal, lost: number): Promise<number> {
  const { file, output, reading, flags, prepared: { client, model, targets, costTracker } } = batch;
  const check = checkInput(file, journal, { ...reading, rerunChanged: flags.rerunChanged });
  const models = new ModelCheck({ targets, model, output, existing: journal.existing.models });
  const note = flags.quiet ? () => {} : writeNote;
  for (const warning of warnings({ batch, journal, check, lost })) writeWarning(warning, note);
  const context: ReportContext = {
    model,
    output,
    total: check.total,
    piped: file.name === "standard input",
    costs: [],
    endpoints: client.stats,
  };
  if (check.pending === 0) {
    sortJournal(journal);
    if (models.warning !== undefined) writeWarning(models.warning, note);
    note(`${nothingToSend(check.total, journal, flags)}; nothing was sent. (${output})`);
    const summary = { ...emptySummary(), restored: check.total };
    if (flags.json) writeJson(summaryJson(summary, context));
    return batchExitCode(summary, undefined);
  }
  batch.prepared.requireKeys();
  const spentBefore = journal.cost + lost;
  const driven = await driveBatch({ batch, journal, check, models, spentBefore });
  const failure = endBatch(batch, journal, check, driven);
  report(batch, { ...context, costs: costTracker.report(), endpoints: client.stats }, {
    ...driven,
    failure,
  });
  return batchExitCode(driven.summary, failure);
}

/** Finishes the result file. Returns the error that ended the batch; `undefined` if none did. */
function endBatch(
  { file, flags }: BatchToSend,
  journal: Journal,
  check: InputCheck,
  { summary, failure }: DrivenBatch,
): unknown {
  const { interrupted } = summary;
  if (failure === undefined && !interrupted) failure = inputChange(file.name, check, summary);
  failure = finishJournal(journal, failure, interrupted);
  if (failure === undefined && !interrupted && !flags.quiet && file.hasGrown?.()) {
    writeWarning(
      `${file.name} grew while the batch ran; run the same command again to send the new records`,
    );
  }
  return failure;
}

function report(
  { flags }: BatchToSend,
  context: ReportContext,
  { summary, failure, errors }: DrivenBatch,
): void {
  // Configuration errors before the first request get no batch report.
  const hasStarted = summary.succeeded + summary.failed > 0 ||
    !(failure instanceof ConfigurationError);
  if (hasStarted) {
    const lines = flags.quiet
      ? failureLines(errors.failures)
      : batchReport(summary, context, failure, errors);
    for (const line of lines) writeNote(line);
  }
  if (flags.json) writeJson(summaryJson(summary, context, failure));
  if (failure !== undefined) reportError(failure, flags.verbose === true);
}
