/**
 * Sends a batch whose results go to standard output (`-o -`) instead of a result file.
 *
 * @module
 */
import process from "node:process";
import { JournalStats } from "../../lib/batch/journal/journal_stats.ts";
import { encodeRecord, type ResultRecord } from "../../lib/batch/journal/result_line.ts";
import type { RunJournal } from "../../lib/batch/journal/model_journal.ts";
import { ConfigurationError } from "../../lib/errors.ts";
import { pendingRecords } from "../../lib/input/records.ts";
import { ignoresHangup } from "../hangup.ts";
import { writeNote, writeOutput } from "../terminal/output.ts";
import { writeSentences, writeWarning } from "../terminal/sentences.ts";
import type { BatchToSend } from "./context.ts";
import { driveRuns } from "./drive.ts";
import { liveExecutors } from "./executors.ts";
import { batchExitCode } from "./exit_code.ts";
import { STANDARD_OUTPUT } from "./files.ts";
import { inputChange } from "./finish.ts";
import type { BatchFlags } from "./flags.ts";
import { type ModelBatch, modelBatches, totalCheck } from "./model_batches.ts";
import { nothingToSend, warnings } from "./notes.ts";
import { openMetrics } from "./open_metrics.ts";
import { mainFailure, report } from "./send.ts";

/** The flags that need a result file, by the names of their values. */
const FILE_FLAGS: readonly [name: keyof BatchFlags, flag: string][] = [
  ["onlyFailed", "--only-failed"],
  ["skipFailed", "--skip-failed"],
  ["retryFailed", "--retry-failed"],
  ["rerunChanged", "--rerun-changed"],
  ["deadline", "--deadline"],
  ["then", "--then"],
  ["pollInterval", "--poll-interval"],
  ["clean", "--clean"],
  ["adopt", "--adopt"],
  ["resend", "--resend"],
  ["export", "--export"],
  ["import", "--import"],
  ["report", "--report"],
  ["job", "--job"],
  ["workersOnly", "--workers-only"],
  ["hedge", "--hedge"],
  ["lease", "--lease"],
];

/** The flag that needs a result file, if one is used. */
function fileFlag(flags: BatchFlags): string | undefined {
  if (flags.via === "provider") return "--via provider";
  if (flags.wait === false) return "--no-wait";
  return FILE_FLAGS.find(([name]) => flags[name] !== undefined)?.[1];
}

/**
 * Checks that all flags make sense without a result file.
 *
 * @throws {ConfigurationError} if one does not
 */
export function checkStreamFlags(flags: BatchFlags): void {
  if (flags.json) {
    throw new ConfigurationError("--json and -o - both write to standard output", {
      hint:
        "Remove --json: the summary goes to stderr. For both, write to a file: -o answers.jsonl",
    });
  }
  const flag = fileFlag(flags);
  if (flag === undefined) return;
  throw new ConfigurationError(`${flag} needs a result file, but -o - writes to standard output`, {
    hint: "Write to a file: -o answers.jsonl",
  });
}

/** Passes results to standard output and forgets them. */
class ForgetfulJournal implements RunJournal {
  readonly successes = 0;
  readonly errors = 0;
  readonly #model: string | undefined;

  /** @param model the requested model, if there are several */
  constructor(model: string | undefined) {
    this.#model = model;
  }

  append(records: readonly ResultRecord[]): void {
    const lines = records.map(({ index, ...rest }) => {
      // Absent fields are not written.
      return encodeRecord({ index, requested_model: this.#model, ...rest });
    });
    if (lines.length > 0) writeOutput(`${lines.join("\n")}\n`);
  }

  isDone(): boolean {
    return false;
  }

  isDoneWith(): boolean {
    return false;
  }

  state(): "none" {
    return "none";
  }

  checkEnd(): void {}

  read(index: number): never {
    throw new Error(`record ${index} is not saved`);
  }
}

/** Sends all records and writes their results to standard output. Returns the exit code. */
export async function streamBatch(batch: Omit<BatchToSend, "output">): Promise<number> {
  const { file, flags, reading, prepared: { models, costTracker } } = batch;
  const context = { ...batch, output: STANDARD_OUTPUT };
  const note = flags.quiet ? () => {} : writeNote;
  ignoresHangup();
  const batches: ModelBatch[] = modelBatches(context, undefined).map((each) => ({
    ...each,
    journal: new ForgetfulJournal(models.length > 1 ? each.model.name : undefined),
  }));
  const check = totalCheck(batches);
  const journal = { existing: new JournalStats() };
  for (const text of warnings({ batch: context, journal, check, lost: 0 })) {
    writeWarning(text, note);
  }
  if (check.pending === 0) {
    writeSentences(`${nothingToSend(0, { errors: 0 }, flags)}; nothing was sent.`, note);
    return batchExitCode({ interrupted: false, failed: 0 }, undefined);
  }
  for (const { requireKeys } of models) requireKeys();
  writeSentences(
    "note: results are written to standard output as they finish, in any order, and are not saved: " +
      "an interrupted batch cannot be resumed.",
    note,
  );
  await using metrics = await openMetrics(batch.prepared, check, 0);
  // Results on the terminal would be mixed up with the lines of the progress.
  const quiet = flags.quiet || process.stdout.isTTY || undefined;
  const driven = await driveRuns(
    {
      batch: { ...context, flags: { ...flags, quiet } },
      batches,
      models: undefined,
      spentBefore: 0,
      metrics,
    },
    {
      executors: (events) => liveExecutors(batches, events),
      records: (i) => pendingRecords(file, reading, batches[i].check),
    },
  );
  const { summary } = driven;
  const failure = mainFailure(driven.models) ??
    (summary.interrupted ? undefined : inputChange(file.name, check, summary));
  report(
    context,
    {
      model: models.map(({ name, model }) => models.length > 1 ? name : model).join(", "),
      output: STANDARD_OUTPUT,
      total: check.total,
      piped: file.name === "standard input",
      costs: costTracker.report(),
      endpoints: models.flatMap(({ client }) => client.stats),
      models: batches.length > 1 ? driven.models : [],
      jobs: undefined,
    },
    driven,
    failure,
  );
  return batchExitCode(summary, failure);
}
