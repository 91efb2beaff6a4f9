/**
 * The flags for sending a batch through a provider's batch API.
 *
 * @module
 */
import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { collect, duration } from "../../flags/parse.ts";

const DAY = 86_400;
/** Maximum `--deadline`, in seconds: no provider keeps a job for longer. */
const LONGEST_DEADLINE = 30 * DAY;

/** Parses a duration of more than 0 and at most `max` seconds. */
function positiveDuration(max: number): (text: string) => number {
  const parse = duration(max);
  return (text) => {
    const seconds = parse(text);
    if (seconds > 0) return seconds;
    throw new InvalidArgumentError("Expected more than 0 seconds, e.g. 30s, 5m or 2h.");
  };
}

function folder(text: string): string {
  if (text === "") throw new InvalidArgumentError("Expected the path of a folder.");
  return text;
}

/** The flags, each for one `addOption`. */
export const jobFlags = {
  via: new Option(
    "--via <way>",
    "live: one request per record (default); provider: jobs of the provider's batch API, at its " +
      "batch price",
  ).choices(["live", "provider"] as const),
  noWait: new Option("--no-wait", "submit and exit with code 5; rerun to collect the results"),
  deadline: new Option(
    "--deadline <duration>",
    "cancel unfinished jobs this long after the first submission, e.g. 6h; see --then",
  ).argParser(positiveDuration(LONGEST_DEADLINE)),
  then: new Option(
    "--then <way>",
    "after --deadline: stop (default), or send the rest live, at full price",
  ).choices(["live", "stop"] as const),
  pollInterval: new Option(
    "--poll-interval <duration>",
    "time between checks of the jobs' state (default: the provider's advice, up to 5m)",
  ).argParser(positiveDuration(DAY)),
  clean: new Option("--clean", "delete the provider's files once their results are collected"),
  adopt: new Option(
    "--adopt <job>",
    "after an unclear submission: use the job with this ID",
  ),
  resend: new Option(
    "--resend",
    "after an unclear submission or for a lost job: submit the records again",
  ),
  export: new Option(
    "--export <folder>",
    "write the jobs as files instead, e.g. for `vllm run-batch`",
  ).argParser(folder),
  import: new Option(
    "--import <path>",
    "read the results of exported jobs from a file or folder (repeatable)",
  ).argParser(collect),
} as const;

/** The note below the flags. */
export const JOBS_NOTE =
  "Provider batches: with --via provider, records become jobs of the provider's batch API, which answers " +
  "within hours and usually costs half. Rerun the same command at any time to continue; nothing is submitted " +
  "twice. `flexllm batch status OUT` shows the jobs of a result file and `flexllm batch cancel OUT` cancels " +
  "them; input files called status or cancel need ./ before the name.";
