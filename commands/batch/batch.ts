/**
 * `flexllm batch`
 *
 * @module
 */
import process from "node:process";
import type { BudgetLedger } from "../../lib/batch/journal/budget_ledger.ts";
import type { BatchSummary } from "../../lib/batch/summary.ts";
import {
  BudgetExceededError,
  ConfigurationError,
  InvalidInputError,
  JournalError,
} from "../../lib/errors.ts";
import type { InputFile } from "../../lib/input/input_source.ts";
import type { ReadOptions } from "../../lib/input/records.ts";
import { maxRequests, REQUESTS_VARIABLE, surviveFileSizeLimit } from "../../lib/runtime/runtime.ts";
import { checkFiles } from "./files.ts";
import { type BatchFlags, batchFlags } from "./flags.ts";
import { ignoresHangup } from "../hangup.ts";
import { nothingToDo, otherModels } from "./notes.ts";
import { prepareBatch, type PreparedBatch } from "./settings.ts";
import { EXIT } from "../exit_codes.ts";
import { addExamples } from "../flags/shared_options.ts";
import { reportError } from "../errors/report.ts";
import { stopOnSignals } from "../signals.ts";
import { warnOfBraces } from "../flags/placeholder_warning.ts";
import { colored, writeJson, writeNote, writeOutput } from "../terminal/output.ts";

function exitCode(summary: BatchSummary): number {
  if (summary.interrupted) return EXIT.interrupted;
  return summary.failed > 0 ? EXIT.failed : EXIT.ok;
}

async function run(input: string | undefined, flags: BatchFlags): Promise<void> {
  const output = checkFiles(input, flags);
  const prepared = await prepareBatch(flags);
  const [{ openInput }, { readOptions }] = await Promise.all([
    import("../../lib/input/input_file.ts"),
    import("../../lib/input/read_options.ts"),
  ]);
  const file = await openInput(input, flags);
  try {
    const reading = readOptions(file, flags);
    if (flags.template === undefined && !flags.quiet) {
      warnOfBraces("the system prompt", flags.system, "with --template");
    }
    if (flags.estimate) await estimate(file, output, reading, flags, prepared);
    else await send(file, output!, reading, flags, prepared);
  } finally {
    await prepared.client.close();
    file.close();
  }
}

/** Tells what the records that are not done yet will take. Changes no file. */
async function estimate(
  file: InputFile,
  output: string | undefined,
  reading: ReadOptions,
  flags: BatchFlags,
  { targets, options }: PreparedBatch,
): Promise<void> {
  const [{ estimateJson, estimateLines, estimateTargets }, { estimateBatch }, records, c] =
    await Promise.all([
      import("./estimate.ts"),
      import("../../lib/pricing/estimate_batch.ts"),
      import("../../lib/input/records.ts"),
      import("../../lib/batch/journal/journal.ts"),
    ]);
  const journal = output === undefined ? undefined : await c.Journal.openToRead(output);
  try {
    records.checkInput(file, journal, { ...reading, rerunChanged: flags.rerunChanged });
    const pending = records.pendingRecords(file, reading, journal);
    const estimated = await estimateBatch(pending, {
      targets: await estimateTargets(targets),
      sampling: options,
    });
    if (flags.json) writeJson(estimateJson(estimated));
    else writeOutput(`${estimateLines(estimated).join("\n")}\n`);
  } finally {
    journal?.close();
  }
}

/** Asks the records that are not done yet. */
async function send(
  file: InputFile,
  output: string,
  reading: ReadOptions,
  flags: BatchFlags,
  { client, model, targets, options, costTracker }: PreparedBatch,
): Promise<void> {
  const note = flags.quiet ? () => {} : writeNote;
  const [
    { batchReport, failureLines, summaryJson },
    { dollars },
    { checkInput, usableRecords },
    { Journal },
    { BatchRun },
    { completionsOf },
    { startProgress },
    { BudgetLedger },
  ] = await Promise.all([
    import("./report.ts"),
    import("../terminal/format.ts"),
    import("../../lib/input/records.ts"),
    import("../../lib/batch/journal/journal.ts"),
    import("../../lib/batch/run.ts"),
    import("../../lib/client/client.ts"),
    import("./progress/progress.ts"),
    import("../../lib/batch/journal/budget_ledger.ts"),
  ]);
  ignoresHangup();
  surviveFileSizeLimit();
  const journal = await Journal.open(output);
  let ledger: BudgetLedger;
  try {
    ledger = new BudgetLedger(output, journal.cost, costTracker.limit);
  } catch (error) {
    journal.close();
    throw error;
  }
  costTracker.addSpent(journal.cost + ledger.lost);
  costTracker.persist(ledger);
  let others = otherModels(targets.map(({ model }) => model), journal.found.models);
  const warnOfOthers = (note: (line: string) => void) =>
    note(
      `${colored("yellow", "warning:")} ${output} has ${others}; this run asks ${model}. ` +
        "Name another output file to ask that for all.",
    );
  try {
    const check = checkInput(file, journal, {
      ...reading,
      rerunChanged: flags.rerunChanged,
    });
    if (ledger.lost > 0 && costTracker.limit !== undefined) {
      note(
        `${colored("yellow", "warning:")} up to ${dollars(ledger.lost)} may have been spent on ` +
          "answers that an interrupted run lost; it counts towards the budget",
      );
    }
    if (check.invalid > 0) {
      note(`${colored("yellow", "warning:")} ${check.invalid} unusable input lines left out`);
    }
    if (flags.schema !== undefined && journal.found.unparsed > 0) {
      note(
        `${
          colored("yellow", "warning:")
        } ${output} has ${journal.found.unparsed} answers that were ` +
          "asked for without a schema. Name another output file to ask all with it.",
      );
    }
    if (client.concurrencyLimit > maxRequests()) {
      note(
        `${colored("yellow", "warning:")} Bun sends at most ${maxRequests()} requests at a time ` +
          `here, not ${client.concurrencyLimit}. Start flexllm with ` +
          `${REQUESTS_VARIABLE}=${client.concurrencyLimit}, or lower -c.`,
      );
    }
    const batch = new BatchRun(completionsOf(client), {
      ...options,
      journal,
      pending: check.pending,
      onRetry: (notice) => progress.retry(notice),
    });
    const report = {
      model,
      output,
      total: check.total,
      piped: file.name === "standard input",
      costs: [],
      endpoints: client.stats,
    };
    if (check.pending === 0) {
      orderOrWarn(journal);
      if (others !== undefined) warnOfOthers(note);
      note(`${nothingToDo(check.total, journal, flags)}; nothing was sent. (${output})`);
      const summary = { ...batch.summary(), restored: check.total };
      if (flags.json) writeJson(summaryJson(summary, report));
      return;
    }
    const { limit } = costTracker;
    const progress = startProgress(batch, check, {
      quiet: flags.quiet === true,
      input: file.name,
      endpoints: () => client.stats,
      budget: limit === undefined ? undefined : { limit, spentBefore: journal.cost + ledger.lost },
    });
    const signals = stopOnSignals(batch, progress.note);
    let failure: unknown;
    try {
      for await (const items of batch.batches(usableRecords(file, reading, journal))) {
        for (const item of items) {
          if (item.status === "error") progress.failure(item);
          else if (others !== undefined) {
            // Servers may call what they are asked for by names of their own.
            if (!journal.found.models.has(item.result.model) && !flags.quiet) {
              warnOfOthers(progress.note);
            }
            others = undefined;
          }
        }
      }
    } catch (error) {
      failure = error;
    } finally {
      progress.stop();
      signals.release();
    }
    const summary = batch.summary();
    const read = summary.restored + summary.succeeded + summary.failed;
    if (failure === undefined && !summary.interrupted && read < check.total) {
      failure = new InvalidInputError(
        `${file.name} was changed while the batch ran: it had ${check.total} records, ` +
          `${read} were read`,
      );
    }
    try {
      if (failure === undefined && !summary.interrupted) orderOrWarn(journal);
      // What went wrong with the file itself has been looked at already.
      else if (!(failure instanceof JournalError)) journal.settle();
    } catch (error) {
      failure = error;
    }
    if (failure === undefined && !summary.interrupted && file.hasGrown?.()) {
      note(
        `${colored("yellow", "warning:")} ${file.name} grew while the batch ran; ` +
          "run the same command again to send the new records.",
      );
    }
    const done = { ...report, costs: costTracker.report(), endpoints: client.stats };
    const errors = { failures: progress.failures(), retries: progress.retries() };
    // What was wrong before anything was asked is no end of a batch.
    const isBegun = summary.succeeded + summary.failed > 0 ||
      !(failure instanceof ConfigurationError);
    if (isBegun) {
      const lines = flags.quiet
        ? failureLines(errors.failures)
        : batchReport(summary, done, failure, errors);
      for (const line of lines) writeNote(line);
    }
    if (flags.json) writeJson(summaryJson(summary, done, failure));
    if (failure !== undefined) reportError(failure, flags.verbose === true);
    process.exitCode = failure === undefined
      ? exitCode(summary)
      : failure instanceof BudgetExceededError
      ? EXIT.budget
      : EXIT.usage;
  } finally {
    try {
      ledger.close(costTracker.spent, journal.cost);
    } finally {
      journal.close();
    }
  }
}

/** A result file out of order is still whole. */
function orderOrWarn(journal: { order(): void }): void {
  try {
    journal.order();
  } catch (error) {
    // A file that was cut or taken away is not whole, and says so itself.
    if (!(error instanceof JournalError) || error.cause === undefined) throw error;
    writeNote(
      `${colored("yellow", "warning:")} the results are whole but not in order: ${error.message}`,
    );
  }
}

/** The command. */
export function batchCommand() {
  return addExamples(batchFlags().action(run), [
    "flexllm batch questions.jsonl -o answers.jsonl",
    "flexllm batch questions.jsonl -o answers.jsonl -m gpt-5.4-mini -c 64",
    'flexllm batch texts.jsonl -o out.jsonl -s "Translate." --max-tokens 500',
    "cat questions.jsonl | flexllm batch -o answers.jsonl --json",
    'flexllm batch reviews.csv -o moods.jsonl --template "Its mood? {{text}}"',
    "flexllm batch questions.jsonl -o answers-$I.jsonl --shard $I/8",
  ]);
}
