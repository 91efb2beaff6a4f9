/**
 * The flags for sending a batch from several machines through Redis.
 *
 * @module
 */
import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { timeout } from "../../flags/parse.ts";
import { HELP_GROUPS } from "../../flags/help_groups.ts";

/** Names that `--job` accepts: they become a part of keys in Redis. */
const JOB_NAME = /^[\w.-]{1,100}$/;

/** Parses the name of a job. */
export function jobName(text: string): string {
  if (JOB_NAME.test(text)) return text;
  throw new InvalidArgumentError(
    "Expected up to 100 letters, digits and the characters . _ -",
  );
}

/** The flags, each for one `addOption`. */
export const fleetFlags = {
  redis: new Option(
    "--redis <url>",
    "Redis or Valkey server to share records, limits, budget and cache through " +
      "(env: FLEXLLM_REDIS_URL)",
  ).helpGroup(HELP_GROUPS.fleet),
  job: new Option(
    "--job <name>",
    "name under which workers find the batch (default: from its input and options)",
  ).argParser(jobName).helpGroup(HELP_GROUPS.fleet),
  workersOnly: new Option(
    "--workers-only",
    "leave all requests to workers; this process needs no API key",
  ).helpGroup(HELP_GROUPS.fleet),
  hedge: new Option(
    "--hedge",
    "near the end, send slow records to a second worker as well; the first answer counts",
  ).helpGroup(HELP_GROUPS.fleet),
  lease: new Option(
    "--lease <duration>",
    "time after which the records of a silent worker go to others (default: 60s)",
  ).argParser(timeout).helpGroup(HELP_GROUPS.fleet),
} as const;

/** The note below the flags. */
export const FLEET_NOTE =
  "Several machines: with --redis, all `flexllm worker` processes at that server share the records of the " +
  "batch, each with its own keys and endpoints, and this process sends some as well. It alone writes the " +
  "result file. Workers may come and go at any time; rerun the same command to resume.";
