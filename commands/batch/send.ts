/**
 * Sends a batch from the command line: opens its result file, runs it, and reports how it ended.
 *
 * @module
 */
import { BudgetLedger } from "../../lib/batch/journal/budget_ledger.ts";
import { abandonedCost, heldCost } from "../../lib/batch/jobs/held_cost.ts";
import { openPartStore } from "../../lib/batch/jobs/open_part_store.ts";
import type { PartStore } from "../../lib/batch/jobs/part_store.ts";
import type { Journal } from "../../lib/batch/journal/journal.ts";
import { type BatchSummary, emptySummary } from "../../lib/batch/summary.ts";
import { BudgetExceededError, ConfigurationError, JournalError } from "../../lib/errors.ts";
import { surviveFileSizeLimit } from "../../lib/runtime/runtime.ts";
import { reportError } from "../errors/report.ts";
import { writeJson, writeNote } from "../terminal/output.ts";
import { writeSentences, writeWarning } from "../terminal/sentences.ts";
import type { BatchToSend } from "./context.ts";
import type { DrivenBatch } from "./drive.ts";
import { driveBatch } from "./drive_batch.ts";
import { openEvents, runEnding } from "./events.ts";
import { batchExitCode, type Unfinished } from "./exit_code.ts";
import { finishJournal, inputChange, sortJournal } from "./finish.ts";
import { namesModels, openJournal } from "./journal.ts";
import { ModelCheck } from "./model_check.ts";
import type { ModelOutcome } from "./model_run.ts";
import { nothingToSend, warnings } from "./notes.ts";
import { type ModelBatch, modelBatches, totalCheck } from "./model_batches.ts";
import { checkHeldParts, dropUnsentParts, heldParts, otherParts } from "./jobs/held_parts.ts";
import { openRows, withHeldRows } from "./jobs/held_rows.ts";
import { unusedLiveFlags } from "./jobs/job_settings.ts";
import { jobsReport } from "./jobs/jobs_report.ts";
import { batchReport, failureLines, type ReportContext } from "./report.ts";
import { summaryJson } from "./summary_json.ts";

/** Sends the records that are not done yet. Returns the exit code. */
export async function sendBatch(batch: BatchToSend): Promise<number> {
  const { costTracker, models } = batch.prepared;
  surviveFileSizeLimit();
  const journal = await openJournal(batch.output, models);
  try {
    using store = await openPartStore(batch.output);
    // A request from before this run is obsolete.
    store.clearCancelRequest();
    if (batch.prepared.mode.via !== "provider") dropUnsentParts(store, models);
    const severalModels = namesModels(models, journal);
    checkHeldParts(
      heldParts(store.parts, models),
      batch.output,
      batch.prepared.mode,
      severalModels,
    );
    const abandoned = abandonedCost(store.parts);
    const ledger = new BudgetLedger(batch.output, journal.cost, costTracker.limit, abandoned);
    try {
      costTracker.addSpent(journal.cost + ledger.lost + abandoned);
      for (const part of otherParts(store.parts, models)) {
        costTracker.restore(heldCost(part, openRows(part, store, journal)));
      }
      costTracker.persist(ledger);
      return await sendPending(batch, journal, store, ledger.lost);
    } finally {
      ledger.close(costTracker.spent, journal.cost, abandonedCost(store.parts));
    }
  } finally {
    journal.close();
  }
}

/** Compares the models of the results with the one of this run, unless the results name theirs. */
function modelCheck(
  { output, prepared: { models } }: BatchToSend,
  journal: Journal,
): ModelCheck | undefined {
  if (namesModels(models, journal)) return undefined;
  const [{ model, targets }] = models;
  return new ModelCheck({ targets, model, output, existing: journal.existing.models });
}

async function sendPending(
  batch: BatchToSend,
  journal: Journal,
  store: PartStore,
  lost: number,
): Promise<number> {
  const { file, output, flags, prepared: { models: prepared, costTracker, mode, fleet } } = batch;
  const isNamed = namesModels(prepared, journal);
  const found = modelBatches(batch, journal);
  const batches = mode.via === "live" ? found : withHeldRows(found, store, isNamed);
  const check = totalCheck(batches);
  const models = modelCheck(batch, journal);
  const note = flags.quiet ? () => {} : writeNote;
  for (const warning of warnings({ batch, journal, check, lost })) writeWarning(warning, note);
  const endpoints = () =>
    fleet?.settings.workersOnly ? [] : prepared.flatMap(({ client }) => client.stats);
  const context: ReportContext = {
    model: prepared.map(({ name, model }) => prepared.length > 1 ? name : model).join(", "),
    output,
    total: check.total,
    piped: file.name === "standard input",
    costs: [],
    endpoints: endpoints(),
    models: [],
    jobs: undefined,
    fleet: undefined,
  };
  const unused = unusedLiveFlags(flags, mode);
  if (unused !== undefined) writeSentences(`note: ${unused}.`, note);
  const isElsewhere = heldParts(store.parts, prepared).length > 0;
  if (check.pending === 0 && !isElsewhere) {
    sortJournal(journal);
    if (models?.warning !== undefined) writeWarning(models.warning, note);
    const errors = batches.reduce((sum, { journal }) => sum + journal!.errors, 0);
    const noun = batches.length > 1 ? "result" : "record";
    const reason = nothingToSend(check.total, { errors }, flags, noun);
    writeSentences(`${reason}; nothing was sent. (${output})`, note);
    const summary = { ...emptySummary(), restored: check.total };
    if (flags.json) writeJson(summaryJson(summary, context));
    return batchExitCode(summary, undefined);
  }
  const sendsNothing = fleet?.settings.workersOnly === true;
  if (!sendsNothing) { for (const { requireKeys } of prepared) requireKeys(); }
  const spentBefore = journal.cost + lost;
  const events = openEvents(batch, check, spentBefore, journal, (text) => writeWarning(text, note));
  let driven: DrivenBatch;
  try {
    driven = await driveBatch({
      batch,
      batches,
      models,
      spentBefore,
      events,
      store,
      namesModels: isNamed,
    });
  } catch (error) {
    events?.end(runEnding(undefined, error, journal));
    throw error;
  }
  if (driven.jobs?.cancelled) store.clearCancelRequest();
  const jobs = driven.jobs && jobsReport(driven, { store, journal, prepared, total: check.total });
  const failure = endBatch(batch, journal, batches, driven, jobs?.unfinished);
  events?.end(runEnding(driven, failure, journal));
  report(
    batch,
    {
      ...context,
      costs: fleet?.costs() ?? costTracker.report(),
      endpoints: endpoints(),
      models: batches.length > 1 ? driven.models : [],
      jobs,
      fleet: driven.fleet,
    },
    driven,
    failure,
  );
  return batchExitCode(driven.summary, failure, jobs?.unfinished);
}

/** The failure that decides how the batch ends: a budget is the least of them. */
export function mainFailure(models: readonly ModelOutcome[]): unknown {
  const failures = models.map(({ failure }) => failure).filter((failure) => failure !== undefined);
  return failures.find((failure) => failure instanceof JournalError) ??
    failures.find((failure) => !(failure instanceof BudgetExceededError)) ?? failures[0];
}

/** Finishes the result file. Returns the error that ended the batch; `undefined` if none did. */
function endBatch(
  { file, flags }: BatchToSend,
  journal: Journal,
  batches: readonly ModelBatch[],
  { summary, models }: DrivenBatch,
  unfinished: Unfinished | undefined,
): unknown {
  const isIncomplete = unfinished !== undefined && Object.values(unfinished).includes(true);
  const interrupted = summary.interrupted || isIncomplete;
  let failure = mainFailure(models);
  if (failure === undefined && !interrupted) {
    failure = inputChange(file.name, totalCheck(batches), summary);
  }
  failure = finishJournal(journal, failure, interrupted);
  if (failure === undefined && !interrupted && !flags.quiet && file.hasGrown?.()) {
    writeWarning(
      `${file.name} grew while the batch ran; run the same command again to send the new records`,
    );
  }
  return failure;
}

/** Whether anything happened that a report could count. */
function hasStarted(
  { succeeded, failed, restored, retries }: BatchSummary,
  failure: unknown,
): boolean {
  if (succeeded + failed + restored > 0) return true;
  // A refused key or a wrong option is an error, not the end of a batch.
  return failure === undefined ||
    retries > 0 && !(failure instanceof ConfigurationError) || failure instanceof JournalError;
}

/** Prints how a batch ended, and its error if there is one. */
export function report(
  { flags }: BatchToSend,
  context: ReportContext,
  { summary, models, errors }: DrivenBatch,
  failure: unknown,
): void {
  if (hasStarted(summary, failure)) {
    const lines = flags.quiet
      ? failureLines(errors.failures)
      : batchReport(summary, context, failure, errors);
    for (const line of lines) writeNote(line);
  }
  if (flags.json) writeJson(summaryJson(summary, context, failure));
  if (failure === undefined) return;
  const verbose = flags.verbose === true;
  const failed = models.filter(({ failure }) => failure !== undefined);
  // Each model may have its own reason; errors of the file concern all.
  if (models.length === 1 || !failed.some((model) => model.failure === failure)) {
    return reportError(failure, verbose);
  }
  for (const { name, failure } of failed) reportError(failure, verbose, name);
}
