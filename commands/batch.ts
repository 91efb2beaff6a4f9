/**
 * `flexllm batch`
 *
 * @module
 */
import { Command, Option } from "@commander-js/extra-typings";
import { existsSync, statSync } from "node:fs";
import process from "node:process";
import type { BatchSummary } from "../lib/batch/batch_summary.ts";
import { CheckpointError, ConfigurationError, InvalidInputError } from "../lib/errors.ts";
import { EXIT } from "./exit_codes.ts";
import { addExamples, commonFlags, modelFlags, positiveNumber, wholeNumber } from "./flags.ts";
import { INPUT_HELP, inputFlags } from "./input_flags.ts";
import { noteLongWaits } from "./note_waits.ts";
import { reportError } from "./report_error.ts";
import { stopOnSignals } from "./stop_on_signals.ts";
import { colored, writeNote, writeOutput } from "./terminal.ts";

function isSameFile(a: string, b: string): boolean {
  try {
    const [first, second] = [a, b].map((path) => statSync(path));
    return first.ino === second.ino && first.dev === second.dev;
  } catch {
    // What cannot be opened says so itself, in better words.
    return false;
  }
}

function checkFiles(input: string | undefined, { output, retryFailed }: Flags): string {
  if (output === undefined) {
    throw new ConfigurationError("no output file", {
      hint: "Name one with -o: flexllm batch input.jsonl -o output.jsonl",
    });
  }
  if (!output.endsWith(".jsonl")) {
    throw new ConfigurationError(`the output file must end in .jsonl, got ${output}`);
  }
  if (input === undefined && process.stdin.isTTY) {
    throw new ConfigurationError("no input", {
      hint: "Name a JSONL file, or pipe one in: flexllm batch input.jsonl -o output.jsonl",
    });
  }
  if (input !== undefined && isSameFile(input, output)) {
    throw new ConfigurationError(`the input ${input} is the output file, too`, {
      hint: "Name another output file with -o.",
    });
  }
  if (retryFailed && !existsSync(output)) {
    throw new ConfigurationError(`--retry-failed: there is no result file ${output}`, {
      hint: "Leave the flag out for the first run.",
    });
  }
  return output;
}

function command() {
  return new Command("batch")
    .description("ask every question of a file; run it again to go on where it stopped")
    .argument("[input]", "JSONL, CSV or TSV file; standard input when left out")
    .option("-o, --output <file>", "result file (.jsonl), also the checkpoint; required")
    .addOption(modelFlags.model)
    .addOption(
      new Option("-c, --concurrency <count>", "most requests in flight (default: 10)")
        .argParser(wholeNumber(1)),
    )
    .addOption(
      new Option("--max-qps <number>", "most requests begun a second").argParser(positiveNumber),
    )
    .addOption(modelFlags.system)
    .addOption(modelFlags.temperature)
    .addOption(modelFlags.maxTokens)
    .addOption(modelFlags.baseUrl)
    .addOption(modelFlags.apiKey)
    .addOption(modelFlags.retryTimes)
    .addOption(modelFlags.timeout)
    .addOption(inputFlags.inputFormat)
    .addOption(inputFlags.delimiter)
    .addOption(inputFlags.noQuotes)
    .addOption(inputFlags.template)
    .addOption(inputFlags.asMetadata)
    .addOption(inputFlags.limit)
    .addOption(inputFlags.shard)
    .addOption(inputFlags.retryFailed)
    .addOption(inputFlags.noRetryFailed)
    .option("--skip-invalid", "leave out input lines that cannot be used")
    .option("--rerun-changed", "redo records whose input differs from that in the result file")
    .option("--return-usage", "write token counts to the result file (default)")
    .option("--no-return-usage", "leave them out")
    .option("--track-cost", "write and show costs where prices are known (default)")
    .option("--no-track-cost", "leave them out")
    .option("--json", "print the summary as JSON on stdout")
    .option("-q, --quiet", "no progress and no summary")
    .addOption(commonFlags.config)
    .addOption(commonFlags.verbose)
    .addHelpText("after", INPUT_HELP);
}

type Flags = ReturnType<ReturnType<typeof command>["opts"]>;

/** Brings the file's `batch` section and the flags together; flags win. */
async function prepare(flags: Flags) {
  const { connectModel, readConfig } = await import("./connect_model.ts");
  const config = readConfig(flags.config);
  const section = config.value.batch ?? {};
  const { client, model } = connectModel(config, flags, {
    concurrencyLimit: flags.concurrency ?? section.concurrency ?? undefined,
    maxQps: flags.maxQps ?? section.max_qps ?? undefined,
    timeout: flags.timeout ?? section.timeout ?? undefined,
    retryTimes: flags.retryTimes ?? section.retry_times ?? undefined,
    retryDelay: section.retry_delay ?? undefined,
  });
  const options = {
    temperature: flags.temperature ?? section.temperature ?? undefined,
    topP: section.top_p ?? undefined,
    topK: section.top_k ?? undefined,
    thinking: section.thinking ?? undefined,
    maxTokens: flags.maxTokens ?? section.max_tokens ?? undefined,
    rerunChanged: flags.rerunChanged,
    recordUsage: flags.returnUsage ?? section.return_usage ?? true,
    recordCost: flags.trackCost ?? section.track_cost ?? true,
  };
  return { client, model, options };
}

function exitCode(summary: BatchSummary): number {
  if (summary.interrupted) return EXIT.interrupted;
  return summary.failed > 0 ? EXIT.failed : EXIT.ok;
}

async function run(input: string | undefined, flags: Flags): Promise<void> {
  const output = checkFiles(input, flags);
  const note = flags.quiet ? () => {} : writeNote;
  const { client, model, options } = await prepare(flags);
  const [
    { batchReport, summaryJson },
    { openInput },
    { readOptions },
    { checkInput, usableRecords },
    { Checkpoint },
    { BatchRun },
  ] = await Promise
    .all([
      import("./batch_report.ts"),
      import("../lib/input/input_file.ts"),
      import("../lib/input/read_options.ts"),
      import("../lib/input/records.ts"),
      import("../lib/checkpoint/checkpoint.ts"),
      import("../lib/batch/batch_run.ts"),
    ]);
  const file = await openInput(input, flags);
  try {
    const reading = readOptions(file, flags);
    const checkpoint = await Checkpoint.open(output);
    try {
      const check = checkInput(file, checkpoint, {
        ...reading,
        rerunChanged: flags.rerunChanged,
      });
      if (check.invalid > 0) {
        note(`${colored("yellow", "warning:")} ${check.invalid} unusable input lines left out`);
      }
      const { startProgress } = await import("./progress.ts");
      const batch = new BatchRun(client, {
        ...options,
        checkpoint,
        onRetryWait: noteLongWaits((line) => progress.note(line)),
      });
      const report = { model, output, total: check.total, piped: input === undefined };
      if (check.pending === 0) {
        checkpoint.order();
        note(`${nothingToDo(check.total, flags)}; nothing was sent. (${output})`);
        const summary = { ...batch.summary(), restored: check.total };
        if (flags.json) writeOutput(summaryJson(summary, report));
        return;
      }
      const progress = await startProgress(batch, check, flags.quiet === true);
      const signals = stopOnSignals(batch, progress.note);
      let failure: unknown;
      try {
        for await (const item of batch.items(usableRecords(file, reading, checkpoint))) {
          if (item.status === "error") progress.failure(item, file.name);
        }
      } catch (error) {
        failure = error;
      } finally {
        progress.stop();
        signals.release();
      }
      const summary = batch.summary();
      const done = summary.restored + summary.succeeded + summary.failed;
      if (failure === undefined && !summary.interrupted) {
        if (done < check.total) {
          failure = new InvalidInputError(
            `${file.name} was changed while the batch ran: it had ${check.total} records, ` +
              `${done} were read`,
          );
        } else {
          orderOrWarn(checkpoint);
        }
      }
      for (const line of batchReport(summary, report, failure !== undefined)) note(line);
      if (flags.json) writeOutput(summaryJson(summary, report));
      if (failure !== undefined) reportError(failure, flags.verbose === true);
      process.exitCode = failure === undefined ? exitCode(summary) : EXIT.usage;
    } finally {
      checkpoint.close();
    }
  } finally {
    file.close();
  }
}

/** Why none of the records that are meant, `total`, has to be asked. */
function nothingToDo(total: number, { retryFailed }: Flags): string {
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
  return addExamples(command().action(run), [
    "flexllm batch questions.jsonl -o answers.jsonl",
    "flexllm batch questions.jsonl -o answers.jsonl -m gpt-5.4-mini -c 64 --max-qps 20",
    'flexllm batch texts.jsonl -o out.jsonl -s "Translate to French." --max-tokens 500',
    "cat questions.jsonl | flexllm batch -o answers.jsonl --json",
    'flexllm batch reviews.csv -o moods.jsonl --template "The mood of this review? {{text}}"',
    "flexllm batch questions.jsonl -o answers-$I.jsonl --shard $I/8",
  ]);
}
