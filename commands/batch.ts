/**
 * `flexllm batch`
 *
 * @module
 */
import process from "node:process";
import type { BatchSummary } from "../lib/batch/batch_summary.ts";
import {
  BudgetExceededError,
  CheckpointError,
  ConfigurationError,
  InvalidInputError,
} from "../lib/errors.ts";
import type { Checkpoint } from "../lib/checkpoint/checkpoint.ts";
import type { InputFile } from "../lib/input/input_file.ts";
import type { ReadOptions } from "../lib/input/records.ts";
import { mostRequests, REQUESTS_VARIABLE, surviveFileSizeLimit } from "../lib/runtime.ts";
import { checkFiles } from "./batch_files.ts";
import { type BatchFlags, batchFlags } from "./batch_flags.ts";
import { EXIT } from "./exit_codes.ts";
import { addExamples } from "./flags.ts";
import { printable } from "./printable.ts";
import { reportError } from "./report_error.ts";
import { schemaOptions } from "./schema_flags.ts";
import { stopOnSignals } from "./stop_on_signals.ts";
import { colored, writeJson, writeNote, writeOutput } from "./terminal.ts";

/** Brings the file's `batch` section and the flags together; flags win. */
async function prepare(flags: BatchFlags) {
  const { CostTracker } = await import("../lib/pricing/cost_tracker.ts");
  const costTracker = new CostTracker({
    limit: flags.budget,
    allowUnpriced: flags.allowUnpriced,
  });
  const [{ connectBatch, readConfig, withWarning }, { resolveBatchCache }] = await Promise.all([
    import("./connect_model.ts"),
    import("../lib/config/resolve_cache.ts"),
  ]);
  const config = readConfig(flags.config);
  const section = config.value.batch ?? {};
  const recordCost = flags.trackCost ?? section.track_cost ?? true;
  if (flags.budget !== undefined && !recordCost) {
    throw new ConfigurationError("--budget needs the costs of earlier runs in the result file", {
      hint: "Leave out --no-track-cost, and track_cost: false in the configuration.",
    });
  }
  const connection = connectBatch(config, flags, {
    concurrencyLimit: flags.concurrency ?? section.concurrency ?? undefined,
    maxQps: flags.maxQps ?? section.max_qps ?? undefined,
    maxTpm: flags.maxTpm ?? section.max_tpm ?? undefined,
    adaptive: flags.adaptive && (section.adaptive ?? true),
    maxWait: flags.maxWait ?? section.max_wait ?? undefined,
    timeout: flags.timeout ?? section.timeout ?? undefined,
    retryTimes: flags.retryTimes ?? section.retry_times ?? undefined,
    retryDelay: section.retry_delay ?? undefined,
    costTracker,
    cache: withWarning(resolveBatchCache(config, flags)),
  });
  const options = {
    temperature: flags.temperature ?? section.temperature ?? undefined,
    topP: section.top_p ?? undefined,
    topK: section.top_k ?? undefined,
    thinking: flags.thinking ?? section.thinking ?? undefined,
    maxTokens: flags.maxTokens ?? section.max_tokens ?? undefined,
    ...await schemaOptions(flags),
    rerunChanged: flags.rerunChanged,
    recordUsage: flags.returnUsage ?? section.return_usage ?? true,
    recordCost,
  };
  return { ...connection, options, costTracker };
}

function exitCode(summary: BatchSummary): number {
  if (summary.interrupted) return EXIT.interrupted;
  return summary.failed > 0 ? EXIT.failed : EXIT.ok;
}

async function run(input: string | undefined, flags: BatchFlags): Promise<void> {
  const output = checkFiles(input, flags);
  const prepared = await prepare(flags);
  const [{ openInput }, { readOptions }] = await Promise.all([
    import("../lib/input/input_file.ts"),
    import("../lib/input/read_options.ts"),
  ]);
  const file = await openInput(input, flags);
  try {
    const reading = readOptions(file, flags);
    if (flags.estimate) await estimate(file, output, reading, flags, prepared);
    else await send(file, output!, reading, flags, prepared);
  } finally {
    await prepared.client.close();
    file.close();
  }
}

type Prepared = Awaited<ReturnType<typeof prepare>>;

/** Tells what the records that are not done yet will take. Changes no file. */
async function estimate(
  file: InputFile,
  output: string | undefined,
  reading: ReadOptions,
  flags: BatchFlags,
  { targets, options }: Prepared,
): Promise<void> {
  const [{ estimateJson, estimateLines, estimateTargets }, { estimateBatch }, records, c] =
    await Promise.all([
      import("./estimate.ts"),
      import("../lib/pricing/estimate_batch.ts"),
      import("../lib/input/records.ts"),
      import("../lib/checkpoint/checkpoint.ts"),
    ]);
  const checkpoint = output === undefined ? undefined : await c.Checkpoint.openToRead(output);
  try {
    records.checkInput(file, checkpoint, { ...reading, rerunChanged: flags.rerunChanged });
    const pending = records.pendingRecords(file, reading, checkpoint);
    const estimated = await estimateBatch(pending, {
      targets: await estimateTargets(targets),
      sampling: options,
    });
    if (flags.json) writeJson(estimateJson(estimated));
    else writeOutput(`${estimateLines(estimated).join("\n")}\n`);
  } finally {
    checkpoint?.close();
  }
}

/** Asks the records that are not done yet. */
async function send(
  file: InputFile,
  output: string,
  reading: ReadOptions,
  flags: BatchFlags,
  { client, model, targets, options, costTracker }: Prepared,
): Promise<void> {
  const note = flags.quiet ? () => {} : writeNote;
  const [
    { batchReport, failureLines, summaryJson },
    { checkInput, usableRecords },
    { Checkpoint },
    { BatchRun },
    { startProgress },
  ] = await Promise.all([
    import("./batch_report.ts"),
    import("../lib/input/records.ts"),
    import("../lib/checkpoint/checkpoint.ts"),
    import("../lib/batch/batch_run.ts"),
    import("./progress.ts"),
  ]);
  surviveFileSizeLimit();
  const checkpoint = await Checkpoint.open(output);
  costTracker.addSpent(checkpoint.cost);
  let others = othersThan(targets.map(({ model }) => model), checkpoint.models);
  const otherModels = () =>
    `${colored("yellow", "warning:")} ${output} has ${others}; this run asks ${model}. ` +
    "Name another output file to ask that for all.";
  try {
    const check = checkInput(file, checkpoint, {
      ...reading,
      rerunChanged: flags.rerunChanged,
    });
    if (check.invalid > 0) {
      note(`${colored("yellow", "warning:")} ${check.invalid} unusable input lines left out`);
    }
    if (client.concurrencyLimit > mostRequests()) {
      const asked = client.concurrencyLimit;
      note(
        `${colored("yellow", "warning:")} Bun has ${mostRequests()} requests in flight at most; ` +
          `for ${asked} start flexllm with ${REQUESTS_VARIABLE}=${asked}`,
      );
    }
    const batch = new BatchRun(client, {
      ...options,
      checkpoint,
      pending: check.pending,
      onRetryWait: (notice) => progress.retry(notice),
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
      orderOrWarn(checkpoint);
      if (others !== undefined) note(otherModels());
      note(`${nothingToDo(check.total, checkpoint, flags)}; nothing was sent. (${output})`);
      const summary = { ...batch.summary(), restored: check.total };
      if (flags.json) writeJson(summaryJson(summary, report));
      return;
    }
    const { limit } = costTracker;
    const progress = startProgress(batch, check, {
      quiet: flags.quiet === true,
      input: file.name,
      budget: limit === undefined ? undefined : { limit, spentBefore: checkpoint.cost },
    });
    const signals = stopOnSignals(batch, progress.note);
    let failure: unknown;
    try {
      for await (const items of batch.batches(usableRecords(file, reading, checkpoint))) {
        for (const item of items) {
          if (item.status === "error") progress.failure(item);
          else if (others !== undefined) {
            // Servers may call what they are asked for by names of their own.
            if (!checkpoint.models.has(item.result.model) && !flags.quiet) {
              progress.note(otherModels());
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
      if (failure === undefined && !summary.interrupted) orderOrWarn(checkpoint);
      // What went wrong with the file itself has been looked at already.
      else if (!(failure instanceof CheckpointError)) checkpoint.settle();
    } catch (error) {
      failure = error;
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
    if (flags.json) writeJson(summaryJson(summary, done));
    if (failure !== undefined) reportError(failure, flags.verbose === true);
    process.exitCode = failure === undefined
      ? exitCode(summary)
      : failure instanceof BudgetExceededError
      ? EXIT.budget
      : EXIT.usage;
  } finally {
    checkpoint.close();
  }
}

/**
 * What a result file has of other models than those that are asked, if it has. Servers tell longer or
 * shorter names than they are asked by, with a date or the maker's name, so a part of a name is enough.
 */
function othersThan(
  asked: readonly string[],
  answered: ReadonlyMap<string, number>,
): string | undefined {
  const isAsked = (name: string) =>
    asked.some((other) => {
      const [a, b] = [name, other].map((text) => text.toLowerCase());
      return a.includes(b) || b.includes(a);
    });
  const others = [...answered].filter(([name]) => !isAsked(name));
  if (others.length === 0) return undefined;
  const count = others.reduce((sum, [, answers]) => sum + answers, 0);
  const names = others.slice(0, 3).map(([name]) => printable(name)).join(", ");
  return `${count} answers of ${names}${others.length > 3 ? " and others" : ""}`;
}

/** Why none of the records that are meant, `total`, has to be asked. */
function nothingToDo(
  total: number,
  { errors }: Checkpoint,
  { retryFailed }: BatchFlags,
): string {
  if (retryFailed === false && errors > 0) {
    const others = total === 0 ? "" : `, the other ${total} are done`;
    return `${errors} failed before and ${errors === 1 ? "is" : "are"} left as before${others}`;
  }
  if (total > 0) return `All ${total} records are done already`;
  return retryFailed ? "No record has failed" : "There is no record to ask";
}

/** A result file out of order is still whole. */
function orderOrWarn(checkpoint: { order(): void }): void {
  try {
    checkpoint.order();
  } catch (error) {
    // A file that was cut or taken away is not whole, and says so itself.
    if (!(error instanceof CheckpointError) || error.cause === undefined) throw error;
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
