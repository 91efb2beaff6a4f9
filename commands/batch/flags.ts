/**
 * The flags of `flexllm batch`.
 *
 * @module
 */
import { Command, Option } from "@commander-js/extra-typings";
import { DEFAULTS } from "../../lib/client/defaults.ts";
import { HELP_GROUPS } from "../flags/help_groups.ts";
import { modelFlags } from "../flags/model.ts";
import { collect, duration, integer, numberWithin } from "../flags/parse.ts";
import { addNotes } from "../flags/help_notes.ts";
import { rateFlags } from "../flags/rate_flags.ts";
import { redisFlags } from "../flags/redis.ts";
import { commonFlags } from "../flags/shared_options.ts";
import { FLEET_NOTE, fleetFlags } from "./fleet/fleet_flags.ts";
import { INPUT_NOTES, inputFlags } from "./input_flags.ts";
import { jobFlags, JOBS_NOTE } from "./jobs/job_flags.ts";
import { logFlags } from "../flags/log.ts";
import { addSamplingFlags } from "../flags/sampling.ts";
import { templateFlags } from "../flags/saved_template.ts";
import { SCHEMA_NOTE, schemaFlag, schemaRetriesFlag } from "../flags/schema.ts";

/** Like `modelFlags.model`, but repeatable. */
const batchModelFlag = new Option(
  "-m, --model <name>",
  'model to use; "mock" is built in and needs no key; repeat to send every record to several models',
).argParser(collect).helpGroup(HELP_GROUPS.model);

/** The command with its flags, without its action. */
export function batchFlags() {
  const basic = new Command("batch")
    .usage("-o <file> [options] [input...]")
    .argument("[input...]", "files, folders or patterns with records (default: standard input)")
    .optionsGroup(HELP_GROUPS.output)
    .option(
      "-o, --output <file>",
      "result file (.jsonl), required; use the same file to resume; - for stdout",
    )
    .option("--return-usage", "write token counts to the result file (default)")
    .option("--no-return-usage", "omit token counts")
    .option("--track-cost", "write costs to the result file, if prices are known (default)")
    .option("--no-track-cost", "omit costs")
    .option("--report <file>", "also write a page with charts about the result file (.html)")
    .option("--events", "record progress over time in FILE.events, for reports (default)")
    .option("--no-events", "omit FILE.events")
    .option(
      "--metrics-file <file>",
      "write metrics for Prometheus to this .prom file, every 15 seconds and at the end",
    )
    .option("--json", "print the summary as JSON on stdout")
    .option("-q, --quiet", "print only errors")
    .addOption(batchModelFlag)
    .addOption(modelFlags.baseUrl)
    .addOption(modelFlags.apiKey)
    .optionsGroup(HELP_GROUPS.prompt)
    .addOption(modelFlags.system)
    .addOption(inputFlags.template)
    .addOption(templateFlags.as)
    .addOption(templateFlags.var)
    .optionsGroup(HELP_GROUPS.input)
    .addOption(inputFlags.inputFormat)
    .addOption(inputFlags.delimiter)
    .addOption(inputFlags.noQuotes)
    .addOption(inputFlags.asMetadata)
    .addOption(inputFlags.dropAnswer)
    .option("--skip-invalid", "skip unusable input lines")
    .optionsGroup(HELP_GROUPS.records)
    .addOption(inputFlags.limit)
    .addOption(inputFlags.shard)
    .addOption(inputFlags.onlyFailed)
    .addOption(inputFlags.skipFailed)
    .addOption(inputFlags.retryFailed)
    .addOption(inputFlags.noRetryFailed)
    .option("--rerun-changed", "redo records whose input differs from the one in the result file");
  const command = addSamplingFlags(basic)
    .optionsGroup(HELP_GROUPS.schema)
    .addOption(schemaFlag)
    .addOption(schemaRetriesFlag)
    .optionsGroup(HELP_GROUPS.requests)
    .addOption(
      new Option(
        "-c, --concurrency <count>",
        `maximum concurrent requests (default: ${DEFAULTS.concurrency})`,
      )
        .argParser(integer(1)),
    )
    .addOption(rateFlags.maxQps)
    .addOption(rateFlags.maxTpm)
    .addOption(rateFlags.maxInFlight)
    .addOption(rateFlags.adaptive)
    .addOption(rateFlags.maxWait)
    .addOption(modelFlags.timeout)
    .addOption(modelFlags.retryTimes)
    .addOption(modelFlags.allowPrivateUrls)
    .optionsGroup(HELP_GROUPS.jobs)
    .addOption(jobFlags.via)
    .addOption(jobFlags.noWait)
    .addOption(jobFlags.deadline)
    .addOption(jobFlags.then)
    .addOption(jobFlags.pollInterval)
    .addOption(jobFlags.clean)
    .addOption(jobFlags.adopt)
    .addOption(jobFlags.resend)
    .addOption(jobFlags.export)
    .addOption(jobFlags.import)
    .optionsGroup(HELP_GROUPS.cost)
    .addOption(
      new Option(
        "--budget <usd>",
        "maximum cost of this result file, including earlier runs; stops before exceeding it",
      ).argParser(numberWithin(0, 1e9)),
    )
    .option("--allow-unpriced", "allow models without a known price despite a budget")
    .option("--estimate", "estimate tokens and cost without sending anything")
    .option("--cache", "use the response cache")
    .option("--no-cache", "ignore the cache, overriding the configuration")
    .addOption(
      new Option(
        "--cache-ttl <duration>",
        "how long cached answers are valid, e.g. 12h (0 = forever)",
      )
        .argParser(duration(1e9)),
    )
    .addOption(fleetFlags.redis)
    .addOption(redisFlags.onStoreLoss)
    .addOption(fleetFlags.job)
    .addOption(fleetFlags.workersOnly)
    .addOption(fleetFlags.hedge)
    .addOption(fleetFlags.lease)
    .addOption(logFlags.level)
    .addOption(logFlags.file)
    .addOption(logFlags.maxSize)
    .addOption(logFlags.content)
    .optionsGroup("Options:")
    .addOption(commonFlags.config)
    .addOption(commonFlags.verbose);
  return addNotes(command, [...INPUT_NOTES, JOBS_NOTE, FLEET_NOTE, SCHEMA_NOTE]);
}

/** The parsed flags. */
export type BatchFlags = ReturnType<ReturnType<typeof batchFlags>["opts"]>;
