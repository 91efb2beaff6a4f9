/**
 * What is said at the end of a batch.
 *
 * @module
 */
import process from "node:process";
import type { BatchSummary } from "../../lib/batch/summary.ts";
import type { EndpointStats } from "../../lib/client/endpoint_stats.ts";
import { BudgetExceededError, FlexLLMError } from "../../lib/errors.ts";
import type { CostRow } from "../../lib/pricing/cost_tracker.ts";
import type { ErrorKind } from "../errors/groups.ts";
import { dollars, duration, quoted } from "../terminal/format.ts";
import { type Column, table, type TableOptions, widthOfStream } from "../terminal/table.ts";
import { colored } from "../terminal/output.ts";
import { wrapped } from "../terminal/wrap.ts";

/** What a report names beside the counts. */
export interface ReportContext {
  model: string;
  output: string;
  /** Usable records of the input. */
  total: number;
  /** Whether the input came through standard input. */
  piped: boolean;
  /** What was spent by model and endpoint. */
  costs: CostRow[];
  /** How each endpoint did. */
  endpoints: readonly EndpointStats[];
}

/** The kinds of what went wrong with records. */
export interface ReportedErrors {
  failures: readonly ErrorKind[];
  /** Errors after which the record was asked again. */
  retries: readonly ErrorKind[];
}

const number = new Intl.NumberFormat("en-US");
const rounded = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 3 });

/** The command that goes on, without the key that may have been in it, and what has to be another. */
function resumeCommand(piped: boolean, left: { out?: string; open?: string } = {}): string {
  const given = process.argv.slice(2).filter((argument) => argument !== left.out);
  const open = ["--api-key", ...left.open === undefined ? [] : [left.open]];
  const shown = given.map((argument, i, all) => {
    if (open.includes(all[i - 1])) return "…";
    const name = open.find((name) => argument.startsWith(`${name}=`));
    return name === undefined ? quoted(argument) : `${name}=…`;
  });
  return `${piped ? "the same input | " : ""}flexllm ${shown.join(" ")}`;
}

function costLine(summary: BatchSummary): string | undefined {
  if (summary.succeeded === 0 && summary.cost === 0 && summary.unpriced === 0) return undefined;
  if (summary.unpriced > 0 && summary.cost === 0) return "Cost: unknown";
  const unpriced = summary.unpriced > 0
    ? ` and ${number.format(summary.unpriced)} answers of unknown price`
    : "";
  return `Cost: ${dollars(summary.cost)}${unpriced}`;
}

/** Models and endpoints of which each is told; there is no end to what servers may call theirs. */
const SHOWN_COSTS = 20;

/** What each model and endpoint did, when there is more than one. */
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
    number.format(row.requests),
    number.format(row.promptTokens + row.completionTokens),
    row.cost === null ? "unknown" : dollars(row.cost),
    row.endpoint,
  ]);
  const lines = table(columns, rows, options);
  const more = costs.length - SHOWN_COSTS;
  if (more > 0) lines.push(`… and ${number.format(more)} more; --json tells all`);
  return lines;
}

function headOf(interrupted: boolean, stopped: boolean): string {
  if (stopped) return colored("red", "Stopped");
  return interrupted ? colored("yellow", "Interrupted") : colored("green", "Done");
}

/** A line for each kind of failure: how many there were, and what the first one was. */
export function failureLines(failures: readonly ErrorKind[]): string[] {
  return failures.map(({ name, count, first }) =>
    `Failed with ${name}: ${number.format(count)}, first ${first}`
  );
}

/** How often records were asked again after errors of which kinds; no line when never. */
export function retryLines(retries: readonly ErrorKind[]): string[] {
  if (retries.length === 0) return [];
  const kinds = retries.map(({ name, count }) => `${number.format(count)} ${name}`);
  return [`Retried: ${kinds.join(", ")}`];
}

/** Which of several endpoints failed, since the others hide it. */
function endpointLines(endpoints: readonly EndpointStats[]): string[] {
  if (endpoints.length < 2) return [];
  return endpoints.filter(({ failures }) => failures > 0)
    .map(({ endpoint, answers, failures, lastError }) =>
      `Endpoint ${endpoint}: ${number.format(failures)} of ${number.format(answers + failures)} ` +
      `requests failed, last ${lastError?.message}`
    );
}

/** Sentences in lines that the terminal does not have to break, if there is one. */
function readable(sentences: readonly string[]): string[] {
  const columns = widthOfStream(process.stderr);
  if (columns === undefined) return [...sentences];
  return sentences.flatMap((sentence) => wrapped(sentence, columns));
}

/** The lines of the summary; `failure` is the error that ended the batch, if one did. */
export function batchReport(
  summary: BatchSummary,
  context: ReportContext,
  failure: unknown,
  errors: ReportedErrors,
): string[] {
  const { succeeded, failed, restored, retries, seconds } = summary;
  const tried = succeeded + failed;
  const stopped = failure !== undefined;
  const head = headOf(summary.interrupted, stopped);
  const parts = [`${number.format(succeeded)} succeeded`, `${number.format(failed)} failed`];
  if (summary.refused > 0) parts.push(`${number.format(summary.refused)} refused by the model`);
  if (summary.cached > 0) parts.push(`${number.format(summary.cached)} cached`);
  if (restored > 0) parts.push(`${number.format(restored)} done before`);
  if (retries > 0) parts.push(`${number.format(retries)} retries`);
  const sentences = [
    `${head}: ${number.format(restored + tried)} of ${number.format(context.total)} records in ` +
    `${duration(seconds)} (${rounded.format(tried / seconds)}/s): ${parts.join(", ")}`,
  ];
  const cost = costLine(summary);
  sentences.push(
    `Tokens: ${number.format(summary.promptTokens)} read, ` +
      `${number.format(summary.completionTokens)} written${cost === undefined ? "" : `. ${cost}`}`,
  );
  const lines = [
    ...readable(sentences),
    ...costTable(context.costs, { stream: process.stderr }),
    ...readable([
      ...failureLines(errors.failures),
      ...retryLines(errors.retries),
      ...endpointLines(context.endpoints),
    ]),
  ];
  if (restored + tried > 0) lines.push(`Results: ${context.output}`);
  if (summary.interrupted || stopped) {
    const open = failure instanceof BudgetExceededError ? "--budget" : undefined;
    lines.push(`To go on: ${resumeCommand(context.piped, { open })}`);
  } else if (failed > 0) {
    lines.push(`To see why records failed: flexllm results ${quoted(context.output)} --failed`);
    const again = resumeCommand(context.piped, { out: "--no-retry-failed" });
    lines.push(`To try the failed ones again: ${again}`);
  }
  return lines;
}

/** The summary for programs; `failure` is the error that ended the batch, if one did. */
export function summaryJson(summary: BatchSummary, context: ReportContext, failure?: unknown) {
  return {
    total: context.total,
    succeeded: summary.succeeded,
    failed: summary.failed,
    restored: summary.restored,
    retries: summary.retries,
    refused: summary.refused,
    cached: summary.cached,
    prompt_tokens: summary.promptTokens,
    completion_tokens: summary.completionTokens,
    cost: summary.unpriced > 0 && summary.cost === 0 ? null : summary.cost,
    unpriced: summary.unpriced,
    seconds: Math.round(summary.seconds * 1000) / 1000,
    interrupted: summary.interrupted,
    errors: summary.errors,
    stopped_by: failure instanceof FlexLLMError
      ? { code: failure.code, message: failure.message }
      : null,
    by_model: context.costs.map((row) => ({
      model: row.model,
      endpoint: row.endpoint,
      requests: row.requests,
      prompt_tokens: row.promptTokens,
      completion_tokens: row.completionTokens,
      cost: row.cost,
      unpriced: row.unpriced,
    })),
    endpoints: context.endpoints.map((each) => ({
      endpoint: each.endpoint,
      model: each.model,
      answers: each.answers,
      failures: each.failures,
      last_error: each.lastError?.message ?? null,
    })),
    model: context.model,
    output: context.output,
  };
}
