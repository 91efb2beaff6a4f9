/**
 * The report at the end of a batch.
 *
 * @module
 */
import process from "node:process";
import type { BatchSummary } from "../../lib/batch/summary.ts";
import type { EndpointStats } from "../../lib/client/endpoint_stats.ts";
import { BudgetExceededError } from "../../lib/errors.ts";
import type { CostRow } from "../../lib/pricing/cost_tracker.ts";
import { maskRedisUrl } from "../../lib/redis/redis_address.ts";
import type { ErrorKind } from "../errors/groups.ts";
import { hintLines } from "../terminal/hint_lines.ts";
import { COUNT, counted, dollars, duration, quoted } from "../terminal/format.ts";
import { type Column, table, type TableOptions } from "../terminal/table.ts";
import { colored } from "../terminal/output.ts";
import { widthOfStream, wrapped } from "../terminal/wrap.ts";
import {
  exportHints,
  importHint,
  type JobsReport,
  jobsSentences,
  statusHint,
} from "./jobs/jobs_report.ts";
import { fleetSentences } from "./fleet/fleet_report.ts";
import type { FleetOutcome } from "./fleet/fleet_watch.ts";
import { STANDARD_OUTPUT } from "./files.ts";
import type { ModelOutcome } from "./model_run.ts";

/** What a report contains besides the counts. */
export interface ReportContext {
  model: string;
  output: string;
  /** Number of selected, usable records. */
  total: number;
  /** Whether the input came from standard input. */
  piped: boolean;
  /** Cost by model and endpoint. */
  costs: CostRow[];
  /** The final state of each endpoint. */
  endpoints: readonly EndpointStats[];
  /** What happened to each model, if each record is sent to several. */
  models: readonly ModelOutcome[];
  /** How provider jobs ended; `undefined` for live requests. */
  jobs: JobsReport | undefined;
  /** What workers did; `undefined` without a fleet. */
  fleet?: FleetOutcome;
}

/** The errors of a batch by kind. */
export interface ReportedErrors {
  /** Errors of failed records. */
  failures: readonly ErrorKind[];
  /** Errors after which a record was retried. */
  retries: readonly ErrorKind[];
}

const rounded = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 3 });

/** Flags with a value that are meant for a single run. */
const ONCE_WITH_VALUE = ["--adopt", "--export", "--import"] as const;

/** Whether an argument belongs to a flag that is meant for a single run, and has a value. */
function isOfOneRun(argument: string, previous: string | undefined): boolean {
  return ONCE_WITH_VALUE.some((flag) =>
    argument === flag || previous === flag || argument.startsWith(`${flag}=`)
  );
}

/** An argument without the password in the URL of a Redis server. */
function withoutPassword(argument: string): string {
  const url = argument.search(/rediss?:\/\//i);
  return url < 0 ? argument : argument.slice(0, url) + maskRedisUrl(argument.slice(url));
}

/** Flags that are meant for a single run. */
export const ONCE = ["--no-wait", "--resend"] as const;

/**
 * The command that resumes the batch. Leaves out the flags `without`, and replaces the API key, the password
 * of a Redis server and the value of the flag `blank` by an ellipsis.
 */
export function resumeCommand(
  piped: boolean,
  change: { without?: readonly string[]; blank?: string } = {},
): string {
  const given = process.argv.slice(2).filter((argument, i, all) =>
    !change.without?.includes(argument) && !isOfOneRun(argument, all[i - 1])
  );
  const blank = ["--api-key", ...change.blank === undefined ? [] : [change.blank]];
  const shown = given.map((argument, i, all) => {
    if (blank.includes(all[i - 1])) return "…";
    const name = blank.find((name) => argument.startsWith(`${name}=`));
    return name === undefined ? quoted(withoutPassword(argument)) : `${name}=…`;
  });
  return `${piped ? "the same input | " : ""}flexllm ${shown.join(" ")}`;
}

function costLine(summary: BatchSummary): string | undefined {
  if (summary.succeeded === 0 && summary.cost === 0 && summary.unpriced === 0) return undefined;
  if (summary.unpriced > 0 && summary.cost === 0) return "Cost: unknown";
  const unpriced = summary.unpriced > 0
    ? `, plus ${counted(summary.unpriced, "answer")} with unknown prices`
    : "";
  return `Cost: ${dollars(summary.cost)}${unpriced}`;
}

/** Maximum rows of the cost table: servers may report any number of model names. */
const SHOWN_COSTS = 20;

/** The costs by model and endpoint, if there is more than one. */
export function costTable(costs: readonly CostRow[], options: TableOptions): string[] {
  if (costs.length < 2) return [];
  const columns: Column[] = [
    { title: "model" },
    { title: "answers", align: "right" },
    { title: "tokens", align: "right" },
    { title: "cost", align: "right" },
    { title: "endpoint" },
  ];
  const rows = costs.slice(0, SHOWN_COSTS).map((row) => [
    row.model,
    COUNT.format(row.requests),
    COUNT.format(row.promptTokens + row.completionTokens),
    row.cost === null ? "unknown" : dollars(row.cost),
    row.endpoint,
  ]);
  const lines = table(columns, rows, options);
  const more = costs.length - SHOWN_COSTS;
  if (more > 0) lines.push(`… and ${COUNT.format(more)} more; use --json for the full list`);
  return lines;
}

/** The counts by model, if each record is sent to several. */
function modelTable(models: readonly ModelOutcome[], options: TableOptions): string[] {
  if (models.length < 2) return [];
  const isResumed = models.some(({ summary }) => summary.restored > 0);
  const columns: Column[] = [
    { title: "model" },
    { title: "succeeded", align: "right" },
    { title: "failed", align: "right" },
    ...isResumed ? [{ title: "done before", align: "right" } as const] : [],
    { title: "tokens", align: "right" },
    { title: "cost", align: "right" },
    { title: "latency", align: "right" },
  ];
  const rows = models.map(({ name = "", summary, latency }) => [
    name,
    COUNT.format(summary.succeeded),
    COUNT.format(summary.failed),
    ...isResumed ? [COUNT.format(summary.restored)] : [],
    COUNT.format(summary.promptTokens + summary.completionTokens),
    summary.unpriced > 0 && summary.cost === 0 ? "unknown" : dollars(summary.cost),
    latency === undefined ? "" : `${latency.toFixed(latency < 9.95 ? 2 : 1)} s`,
  ]);
  return table(columns, rows, options);
}

function headline(
  interrupted: boolean,
  stopped: boolean,
  jobs: JobsReport | undefined,
): string {
  if (stopped) return colored("red", "Stopped");
  if (interrupted) return colored("yellow", "Interrupted");
  if (jobs?.unfinished.cancelled) return colored("yellow", "Cancelled");
  if (isElsewhere(jobs)) return colored("green", "Unfinished");
  if (jobs?.unfinished.left) return colored("yellow", "Incomplete");
  return colored("green", "Done");
}

/** Whether rows are at a provider or exported. */
function isElsewhere(jobs: JobsReport | undefined): boolean {
  return jobs !== undefined && jobs.submitted.parts.length + jobs.exported.parts.length > 0;
}

/** What introduces the rows of a run that has no results yet. */
function sentHeads(): { submitted: string; exported: string } {
  return { submitted: colored("green", "Submitted"), exported: colored("green", "Exported") };
}

/** One line per kind of failure: its count and the first occurrence. */
export function failureLines(failures: readonly ErrorKind[]): string[] {
  return failures.map(({ name, count, first }) =>
    `Failed with ${name}: ${counted(count, "record")}, ${count === 1 ? "" : "first "}${first}`
  );
}

/** A line with the number of retries by kind of error; none without retries. */
export function retryLines(retries: readonly ErrorKind[]): string[] {
  if (retries.length === 0) return [];
  const kinds = retries.map(({ name, count }) => `${COUNT.format(count)} ${name}`);
  return [`Retried: ${kinds.join(", ")}`];
}

/** The failures of each of several endpoints: fallback to the others hides them otherwise. */
function endpointLines(endpoints: readonly EndpointStats[]): string[] {
  if (endpoints.length < 2) return [];
  return endpoints.filter(({ failures }) => failures > 0)
    .map(({ endpoint, answers, failures, lastError }) =>
      `Endpoint ${endpoint}: ${COUNT.format(failures)} of ${
        counted(answers + failures, "request")
      } ` +
      `failed, last error: ${lastError?.message}`
    );
}

/** Wraps sentences to the width of the terminal, if there is one. */
function wrappedLines(sentences: readonly string[]): string[] {
  const columns = widthOfStream(process.stderr);
  if (columns === undefined) return [...sentences];
  return sentences.flatMap((sentence) => wrapped(sentence, columns));
}

/** The flag that skips failed records, with its earlier name. */
const SKIP_FAILED = ["--skip-failed", "--no-retry-failed"] as const;

/** The lines of the report; `failure` is the error that ended the batch, if any. */
export function batchReport(
  summary: BatchSummary,
  context: ReportContext,
  failure: unknown,
  errors: ReportedErrors,
): string[] {
  const { succeeded, failed, restored, retries, seconds } = summary;
  const { jobs } = context;
  const tried = succeeded + failed;
  const stopped = failure !== undefined;
  const head = headline(summary.interrupted, stopped, jobs);
  // Jobs are answered all at once, so their rate says nothing.
  const rate = jobs === undefined ? ` (${rounded.format(tried / seconds)}/s)` : "";
  const parts = [`${COUNT.format(succeeded)} succeeded`, `${COUNT.format(failed)} failed`];
  if (summary.refused > 0) parts.push(`${COUNT.format(summary.refused)} refused by the model`);
  if (summary.cached > 0) parts.push(`${COUNT.format(summary.cached)} cached`);
  if (restored > 0) parts.push(`${COUNT.format(restored)} already done`);
  if (retries > 0) parts.push(counted(retries, "retry", "retries"));
  const noun = context.models.length > 1 ? "result" : "record";
  const isStopped = stopped || summary.interrupted || jobs?.unfinished.cancelled === true;
  const hasOnlySent = jobs !== undefined && isElsewhere(jobs) && restored + tried === 0 &&
    !isStopped;
  const sentences = hasOnlySent ? jobsSentences(jobs, Date.now(), sentHeads()) : [
    `${head}: ${COUNT.format(restored + tried)} of ${counted(context.total, noun)} in ` +
    `${duration(seconds)}${rate}: ${parts.join(", ")}`,
    ...jobs === undefined ? [] : jobsSentences(jobs, Date.now()),
  ];
  const cost = costLine(summary);
  if (succeeded > 0 || summary.promptTokens + summary.completionTokens > 0) {
    sentences.push(
      `Tokens: ${COUNT.format(summary.promptTokens)} in, ` +
        `${COUNT.format(summary.completionTokens)} out${cost === undefined ? "" : `. ${cost}`}`,
    );
  }
  if (context.fleet !== undefined) sentences.push(...fleetSentences(context.fleet, dollars));
  const lines = [
    ...wrappedLines(sentences),
    ...hasOnlySent
      ? []
      : context.models.length > 1
      ? modelTable(context.models, { stream: process.stderr })
      : costTable(context.costs, { stream: process.stderr }),
    ...wrappedLines([
      ...failureLines(errors.failures),
      ...retryLines(errors.retries),
      // With several models, the errors of each are listed anyway.
      ...context.models.length > 1 ? [] : endpointLines(context.endpoints),
    ]),
  ];
  // Without a result file there is nothing to look at or to resume.
  if (context.output === STANDARD_OUTPUT) return lines;
  const next: string[] = [];
  if (restored + tried > 0) next.push(`Results: ${context.output}`);
  if (failed > 0) {
    next.push(`To see why records failed: flexllm results ${quoted(context.output)} --failed`);
  }
  const hint = jobs && statusHint(jobs, context.output);
  if (hint !== undefined) next.push(hint);
  const { cancelled = false, left = false } = jobs?.unfinished ?? {};
  if (jobs !== undefined && jobs.files.length > 0) {
    next.push(...exportHints(jobs, resumeCommand(context.piped, { without: ONCE })));
  } else if (jobs !== undefined && isElsewhere(jobs) && !stopped) {
    const resume = resumeCommand(context.piped, { without: ONCE });
    next.push(importHint(jobs, resume) ?? `To collect the results: ${resume}`);
  } else if (summary.interrupted || stopped || cancelled || left) {
    const blank = failure instanceof BudgetExceededError ? "--budget" : undefined;
    next.push(`To resume: ${resumeCommand(context.piped, { blank, without: ONCE })}`);
  } else if (failed > 0) {
    const retry = resumeCommand(context.piped, { without: SKIP_FAILED });
    next.push(`To retry failed records: ${retry}`);
  }
  // Commands are not wrapped, so that they can be copied.
  const columns = widthOfStream(process.stderr);
  lines.push(...next.flatMap((line) => hintLines(line, columns)));
  return lines;
}
