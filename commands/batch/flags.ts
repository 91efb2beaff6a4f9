/**
 * The flags of `flexllm batch`.
 *
 * @module
 */
import { Command, Option } from "@commander-js/extra-typings";
import { extraBodyFlag } from "../flags/extra_body.ts";
import { LONGEST_WAIT, modelFlags } from "../flags/model.ts";
import { duration, integer, numberWithin, positiveNumber } from "../flags/parse.ts";
import { commonFlags } from "../flags/shared_options.ts";
import { INPUT_HELP, inputFlags } from "./input_flags.ts";
import { schemaRetriesFlag } from "../flags/schema.ts";

/** The command without what it does. */
export function batchFlags() {
  return new Command("batch")
    .argument("[input]", "JSONL, CSV or TSV file; standard input when left out")
    .option("-o, --output <file>", "result file (.jsonl), also the journal; required")
    .addOption(modelFlags.model)
    .addOption(
      new Option("-c, --concurrency <count>", "most requests in flight (default: 10)")
        .argParser(integer(1)),
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
      "JSON schema that every answer must fit; its value is written as well",
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
    .option("--skip-invalid", "leave out input lines that cannot be used")
    .option("--rerun-changed", "redo records whose input differs from that in the result file")
    .option("--return-usage", "write token counts to the result file (default)")
    .option("--no-return-usage", "leave them out")
    .option("--track-cost", "write costs to the result file, where prices are known (default)")
    .option("--no-track-cost", "leave them out")
    .addOption(
      new Option(
        "--budget <usd>",
        "most to spend on this result file, earlier runs included; stops before it would be passed",
      ).argParser(numberWithin(0, 1e9)),
    )
    .option("--allow-unpriced", "with a budget: ask models whose price is not known, too")
    .option("--cache", "take answers from the response cache, and keep them there")
    .option("--no-cache", "do not, whatever the configuration says")
    .addOption(
      new Option("--cache-ttl <seconds>", "how long an answer is good for, 0 for ever")
        .argParser(duration(1e9)),
    )
    .addOption(modelFlags.allowPrivateUrls)
    .option("--estimate", "tell what the batch will take, and send nothing")
    .option("--json", "print the summary as JSON on stdout")
    .option("-q, --quiet", "nothing but errors")
    .addOption(commonFlags.config)
    .addOption(commonFlags.verbose)
    .addHelpText("after", INPUT_HELP);
}

/** What the flags say. */
export type BatchFlags = ReturnType<ReturnType<typeof batchFlags>["opts"]>;
