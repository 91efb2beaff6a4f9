/**
 * The flags of `flexllm batch`.
 *
 * @module
 */
import { Command, Option } from "@commander-js/extra-typings";
import { DEFAULTS } from "../../lib/client/defaults.ts";
import { extraBodyFlag } from "../flags/extra_body.ts";
import { LONGEST_WAIT, modelFlags } from "../flags/model.ts";
import { duration, integer, numberWithin, positiveNumber } from "../flags/parse.ts";
import { commonFlags } from "../flags/shared_options.ts";
import { INPUT_HELP, inputFlags } from "./input_flags.ts";
import { schemaRetriesFlag } from "../flags/schema.ts";

/** The command with its flags, without its action. */
export function batchFlags() {
  return new Command("batch")
    .argument("[input]", "JSONL, CSV or TSV file (default: standard input)")
    .option("-o, --output <file>", "result file (.jsonl), required; use the same file to resume")
    .addOption(modelFlags.model)
    .addOption(
      new Option(
        "-c, --concurrency <count>",
        `maximum concurrent requests (default: ${DEFAULTS.concurrency})`,
      )
        .argParser(integer(1)),
    )
    .addOption(
      new Option("--max-qps <number>", "maximum requests per second").argParser(positiveNumber),
    )
    .addOption(
      new Option("--max-tpm <number>", "maximum tokens per minute (input + output)")
        .argParser(positiveNumber),
    )
    .option("--no-adaptive", "don't adapt to the rate limits of the server")
    .addOption(
      new Option(
        "--max-wait <seconds>",
        `maximum wait for rate limits or an unreachable server (default: ${DEFAULTS.maxWait})`,
      ).argParser(duration(LONGEST_WAIT)),
    )
    .addOption(modelFlags.system)
    .addOption(modelFlags.temperature)
    .addOption(modelFlags.maxTokens)
    .addOption(modelFlags.thinking)
    .addOption(extraBodyFlag)
    .addOption(modelFlags.baseUrl)
    .addOption(modelFlags.apiKey)
    .addOption(modelFlags.retryTimes)
    .addOption(modelFlags.timeout)
    .option(
      "--schema <file>",
      "JSON Schema that answers must match; adds the parsed value to each result",
    )
    .addOption(schemaRetriesFlag)
    .addOption(inputFlags.inputFormat)
    .addOption(inputFlags.delimiter)
    .addOption(inputFlags.noQuotes)
    .addOption(inputFlags.template)
    .addOption(inputFlags.asMetadata)
    .addOption(inputFlags.limit)
    .addOption(inputFlags.shard)
    .addOption(inputFlags.retryFailed)
    .addOption(inputFlags.noRetryFailed)
    .option("--skip-invalid", "skip unusable input lines")
    .option("--rerun-changed", "redo records whose input differs from the one in the result file")
    .option("--return-usage", "write token counts to the result file (default)")
    .option("--no-return-usage", "omit token counts")
    .option("--track-cost", "write costs to the result file, if prices are known (default)")
    .option("--no-track-cost", "omit costs")
    .addOption(
      new Option(
        "--budget <usd>",
        "maximum cost of this result file, including earlier runs; stops before exceeding it",
      ).argParser(numberWithin(0, 1e9)),
    )
    .option("--allow-unpriced", "allow models without a known price despite a budget")
    .option("--cache", "use the response cache")
    .option("--no-cache", "ignore the cache, overriding the configuration")
    .addOption(
      new Option("--cache-ttl <seconds>", "how long cached answers are valid (0 = forever)")
        .argParser(duration(1e9)),
    )
    .addOption(modelFlags.allowPrivateUrls)
    .option("--estimate", "estimate tokens and cost without sending anything")
    .option("--json", "print the summary as JSON on stdout")
    .option("-q, --quiet", "print only errors")
    .addOption(commonFlags.config)
    .addOption(commonFlags.verbose)
    .addHelpText("after", INPUT_HELP);
}

/** The parsed flags. */
export type BatchFlags = ReturnType<ReturnType<typeof batchFlags>["opts"]>;
