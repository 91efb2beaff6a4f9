/**
 * `flexllm batch`
 *
 * @module
 */
import { Command, Option } from "@commander-js/extra-typings";
import process from "node:process";
import type { BatchSummary } from "../lib/batch/batch_summary.ts";
import {
  BudgetExceededError,
  CheckpointError,
  ConfigurationError,
  InvalidInputError,
} from "../lib/errors.ts";
import { EXIT } from "./exit_codes.ts";
import {
  addExamples,
  commonFlags,
  modelFlags,
  numberWithin,
  positiveNumber,
  wholeNumber,
} from "./flags.ts";
import { noteLongWaits } from "./note_waits.ts";
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
    .addOption(
      new Option("--max-tpm <number>", "most tokens a minute, read and written")
        .argParser(positiveNumber),
    )
    .option("--no-adaptive", "do not slow down by itself when the server says that it is too much")
    .addOption(
      new Option(
        "--max-wait <seconds>",
        "longest wait for rate limits or a server that has gone away (default: 600)",
      ).argParser(numberWithin(0, 2_147_483)),
    )
    .addOption(modelFlags.system)
    .addOption(modelFlags.temperature)
    .addOption(modelFlags.maxTokens)
    .addOption(modelFlags.baseUrl)
    .addOption(modelFlags.apiKey)
    .addOption(modelFlags.retryTimes)
    .addOption(modelFlags.timeout)
    .option(
      "--schema <file>",
      "JSON schema that every answer must fit; its value is written as well",
    )
    .addOption(
      new Option(
        "--schema-retries <count>",
        "times an answer that does not fit is asked for again (default: 2)",
      ).argParser(wholeNumber(0)),
    )
    .option("--skip-invalid", "leave out input lines that cannot be used")
    .option("--rerun-changed", "redo records whose input differs from that in the result file")
    .option("--return-usage", "write token counts to the result file (default)")
    .option("--no-return-usage", "leave them out")
    .option("--track-cost", "write and show costs where prices are known (default)")
    .option("--no-track-cost", "leave them out")
    .addOption(
      new Option(
        "--budget <usd>",
        "most to spend on this result file, earlier runs included; stops before it would be passed",
      )
        .argParser(numberWithin(0, 1e9)),
    )
    .option("--allow-unpriced", "with a budget: ask models whose price is not known, too")
    .option("--json", "print the summary as JSON on stdout")
    .option("-q, --quiet", "no progress and no summary")
    .addOption(commonFlags.config)
    .addOption(commonFlags.verbose);
}

type Flags = ReturnType<ReturnType<typeof command>["opts"]>;

async function schemaOptions({ schema, schemaRetries }: Flags) {
  if (schema === undefined) {
    if (schemaRetries === undefined) return {};
    throw new ConfigurationError("--schema-retries means nothing without --schema");
  }
  const { readSchemaFile } = await import("../lib/input/schema_file.ts");
  return { responseFormat: readSchemaFile(schema), schemaRetries: schemaRetries ?? 2 };
}

/** Brings the file's `batch` section and the flags together; flags win. */
async function prepare(flags: Flags) {
  const { CostTracker } = await import("../lib/pricing/cost_tracker.ts");
  const costTracker = new CostTracker({
    limit: flags.budget,
    allowUnpriced: flags.allowUnpriced,
  });
  const { connectBatch, readConfig } = await import("./connect_model.ts");
  const config = readConfig(flags.config);
  const section = config.value.batch ?? {};
  const { client, model } = connectBatch(config, flags, {
    concurrencyLimit: flags.concurrency ?? section.concurrency ?? undefined,
    maxQps: flags.maxQps ?? section.max_qps ?? undefined,
    maxTpm: flags.maxTpm ?? section.max_tpm ?? undefined,
    adaptive: flags.adaptive && (section.adaptive ?? true),
    maxWait: flags.maxWait ?? section.max_wait ?? undefined,
    timeout: flags.timeout ?? section.timeout ?? undefined,
    retryTimes: flags.retryTimes ?? section.retry_times ?? undefined,
    retryDelay: section.retry_delay ?? undefined,
    costTracker,
  });
  const options = {
    temperature: flags.temperature ?? section.temperature ?? undefined,
    topP: section.top_p ?? undefined,
    topK: section.top_k ?? undefined,
    thinking: section.thinking ?? undefined,
    maxTokens: flags.maxTokens ?? section.max_tokens ?? undefined,
    ...await schemaOptions(flags),
    rerunChanged: flags.rerunChanged,
    recordUsage: flags.returnUsage ?? section.return_usage ?? true,
    recordCost: flags.trackCost ?? section.track_cost ?? true,
  };
  return { client, model, options, costTracker };
}

function exitCode(summary: BatchSummary): number {
  if (summary.interrupted) return EXIT.interrupted;
  return summary.failed > 0 ? EXIT.failed : EXIT.ok;
}

async function run(input: string | undefined, flags: Flags): Promise<void> {
  const output = checkFiles(input, flags.output);
  const note = flags.quiet ? () => {} : writeNote;
  const { client, model, options, costTracker } = await prepare(flags);
  const [
    { batchReport, summaryJson },
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
    costTracker.addSpent(checkpoint.cost);
    try {
      const check = checkInput(file, checkpoint, flags);
      if (check.invalid > 0) {
        note(`${colored("yellow", "warning:")} ${check.invalid} unusable input lines left out`);
      }
      const { startProgress } = await import("./progress.ts");
      const batch = new BatchRun(client, {
        ...options,
        checkpoint,
        pending: check.pending,
        onRetryWait: noteLongWaits((line) => progress.note(line)),
      });
      const report = { model, output, total: check.total, piped: input === undefined, costs: [] };
      if (check.pending === 0) {
        checkpoint.order();
        note(`All ${check.total} records are done already; nothing was sent. (${output})`);
        const summary = { ...batch.summary(), restored: check.total };
        if (flags.json) writeOutput(summaryJson(summary, report));
        return;
      }
      const progress = await startProgress(batch, check, flags.quiet === true);
      const signals = stopOnSignals(batch, progress.note);
      let failure: unknown;
      try {
        for await (const item of batch.items(usableRecords(file, flags))) {
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
      const costs = costTracker.report();
      for (const line of batchReport(summary, { ...report, costs }, failure !== undefined)) {
        note(line);
      }
      if (flags.json) writeOutput(summaryJson(summary, { ...report, costs }));
      if (failure !== undefined) reportError(failure, flags.verbose === true);
      process.exitCode = failure === undefined
        ? exitCode(summary)
        : failure instanceof BudgetExceededError
        ? EXIT.budget
        : EXIT.usage;
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
