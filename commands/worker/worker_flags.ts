/**
 * The flags of `flexllm worker`.
 *
 * @module
 */
import { Command, Option } from "@commander-js/extra-typings";
import { DEFAULTS } from "../../lib/client/defaults.ts";
import { HELP_GROUPS } from "../flags/help_groups.ts";
import { LONGEST_WAIT, modelFlags } from "../flags/model.ts";
import { duration, integer } from "../flags/parse.ts";
import { rateFlags } from "../flags/rate_flags.ts";
import { redisFlags } from "../flags/redis.ts";
import { commonFlags } from "../flags/shared_options.ts";
import { jobName } from "../batch/fleet/fleet_flags.ts";

/** The command with its flags, without its action. */
export function workerFlags() {
  return new Command("worker")
    .usage("--redis <url> [options]\n       flexllm worker <command>")
    .option("-q, --quiet", "print only warnings and errors")
    .optionsGroup(HELP_GROUPS.fleet)
    .option(
      "--redis <url>",
      "Redis or Valkey server with the batches to work on (env: FLEXLLM_REDIS_URL)",
    )
    .addOption(redisFlags.onStoreLoss)
    .addOption(
      new Option("--job <name>", "work on this job only (default: all that this worker can send)")
        .argParser(jobName),
    )
    .option("--name <name>", "name in the status and progress (default: host and process id)")
    .option("--exit-when-done", "exit when the job has ended, or when no job is left")
    .addOption(
      new Option("--idle-exit <duration>", "exit after this time without work, e.g. 5m")
        .argParser(duration(LONGEST_WAIT)),
    )
    .optionsGroup(HELP_GROUPS.model)
    .addOption(
      new Option(
        "-m, --model <name>",
        'work on jobs for this model only; "mock" is built in (default: the model of each job)',
      ),
    )
    .addOption(modelFlags.baseUrl)
    .addOption(modelFlags.apiKey)
    .optionsGroup(HELP_GROUPS.requests)
    .addOption(
      new Option(
        "-c, --concurrency <count>",
        `maximum concurrent requests of this worker (default: ${DEFAULTS.concurrency})`,
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
    .optionsGroup(HELP_GROUPS.cost)
    .option("--cache", "use the response cache, which all workers share")
    .option("--no-cache", "ignore the cache, overriding the configuration")
    .optionsGroup("Options:")
    .addOption(commonFlags.config)
    .addOption(commonFlags.verbose);
}

/** The parsed flags. */
export type WorkerFlags = ReturnType<ReturnType<typeof workerFlags>["opts"]>;
