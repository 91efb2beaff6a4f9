/**
 * `flexllm batch`
 *
 * @module
 */
import { Command, Option } from "@commander-js/extra-typings";
import process from "node:process";
import type { BatchSummary } from "../lib/batch/batch_summary.ts";
import { CheckpointError, ConfigurationError, InvalidInputError } from "../lib/errors.ts";
import { EXIT } from "./exit_codes.ts";
import { addExamples, commonFlags, modelFlags, positiveNumber, wholeNumber } from "./flags.ts";
import { reportError } from "./report_error.ts";
import { stopOnSignals } from "./stop_on_signals.ts";
import { colored, writeNote, writeOutput } from "./terminal.ts";

function checkFiles(input: string | undefined, output: string | undefined): string {
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
  return output;
}

function command() {
  return new Command("batch")
    .description("ask every question of a JSONL file; run it again to go on where it stopped")
    .argument("[input]", "JSONL file; standard input when left out")
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
    .option("--skip-invalid", "leave out input lines that cannot be used")
    .option("--rerun-changed", "redo records whose input differs from that in the result file")
    .option("--return-usage", "write token counts to the result file (default)")
    .option("--no-return-usage", "leave them out")
    .option("--track-cost", "write and show costs where prices are known (default)")
    .option("--no-track-cost", "leave them out")
    .option("--json", "print the summary as JSON on stdout")
    .option("-q, --quiet", "nothing but errors")
    .addOption(commonFlags.config)
    .addOption(commonFlags.verbose);
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
  const output = checkFiles(input, flags.output);
  const note = flags.quiet ? () => {} : writeNote;
  const { client, model, options } = await prepare(flags);
  const [
    { batchReport, failureLines, summaryJson },
    { openInput },
    { checkInput, usableRecords },
    { Checkpoint },
    { BatchRun },
  ] = await Promise
    .all([
      import("./batch_report.ts"),
      import("../lib/input/input_file.ts"),
      import("../lib/input/records.ts"),
      import("../lib/checkpoint/checkpoint.ts"),
      import("../lib/batch/batch_run.ts"),
    ]);
  const file = await openInput(input);
  try {
    const checkpoint = await Checkpoint.open(output);
    try {
      const check = checkInput(file, checkpoint, flags);
      if (check.invalid > 0) {
        note(`${colored("yellow", "warning:")} ${check.invalid} unusable input lines left out`);
      }
      const { startProgress } = await import("./progress.ts");
      const batch = new BatchRun(client, {
        ...options,
        checkpoint,
        onRetryWait: (notice) => progress.retry(notice),
      });
      const report = { model, output, total: check.total, piped: input === undefined };
      if (check.pending === 0) {
        checkpoint.order();
        note(`All ${check.total} records are done already; nothing was sent. (${output})`);
        const summary = { ...batch.summary(), restored: check.total };
        if (flags.json) writeOutput(summaryJson(summary, report));
        return;
      }
      const progress = startProgress(batch, check, {
        quiet: flags.quiet === true,
        input: file.name,
      });
      const signals = stopOnSignals(batch, progress.note);
      let failure: unknown;
      try {
        for await (const item of batch.items(usableRecords(file, flags))) {
          if (item.status === "error") progress.failure(item);
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
      const errors = { failures: progress.failures(), retries: progress.retries() };
      const lines = flags.quiet
        ? failureLines(errors.failures)
        : batchReport(summary, report, failure !== undefined, errors);
      for (const line of lines) writeNote(line);
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
  ]);
}
