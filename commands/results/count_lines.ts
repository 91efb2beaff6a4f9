/**
 * Formats a summary of results, for people and as JSON.
 *
 * @module
 */
import { amountsJson } from "../../lib/results/amounts_json.ts";
import type { ModelAnswers, ResultSummary } from "../../lib/results/summary.ts";
import { COUNT, counted, dollars } from "../terminal/format.ts";
import { printableLine } from "../terminal/sanitize.ts";
import { table } from "../terminal/table.ts";

/** Maximum rows of the table of models: servers may report any number of names. */
const SHOWN_MODELS = 20;

/** Maximum names of models, errors and finish reasons that are listed. */
const SHOWN_NAMES = 20;
/** Maximum characters of a name. */
const NAME = 100;

/** A name in one line, and not longer than it can be read. */
export function nameText(name: string): string {
  const line = printableLine(name.slice(0, 10 * NAME));
  return line.length > NAME ? `${line.slice(0, NAME).toWellFormed()}…` : line;
}

/** The first of `items`, and how many more there are. */
function firstLines<T>(items: readonly T[], line: (item: T) => string): string[] {
  const more = items.length - SHOWN_NAMES;
  return [
    ...items.slice(0, SHOWN_NAMES).map(line),
    ...more > 0 ? [`  … and ${COUNT.format(more)} more; use --json for the full list`] : [],
  ];
}

/** Formats seconds with enough digits to compare latencies. */
export function latencyText(seconds: number): string {
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  return `${seconds.toFixed(seconds < 9.95 ? 2 : 1)} s`;
}

function costText(cost: number, unpriced: number, answers: number): string | undefined {
  if (unpriced === answers && cost === 0) return undefined;
  const more = unpriced === 0 ? "" : `, plus ${counted(unpriced, "answer")} with unknown prices`;
  return `${dollars(cost)}${more}`;
}

function modelLines(models: readonly ModelAnswers[]): string[] {
  if (models.length === 0) return [];
  if (models.length === 1) return [`Model: ${nameText(models[0].model)}`];
  const rows = models.slice(0, SHOWN_MODELS).map((model) => [
    nameText(model.model),
    COUNT.format(model.answers),
    COUNT.format(model.promptTokens + model.completionTokens),
    model.unpriced === model.answers ? "unknown" : dollars(model.cost),
  ]);
  const more = models.length - SHOWN_MODELS;
  return [
    "",
    ...table([
      { title: "model" },
      { title: "answers", align: "right" },
      { title: "tokens", align: "right" },
      { title: "cost", align: "right" },
    ], rows),
    ...more > 0 ? [`… and ${COUNT.format(more)} more; use --json for the full list`] : [],
  ];
}

function latencyLine({ latency }: ResultSummary): string[] {
  if (latency.count === 0) return [];
  const shares = [["p50", 0.5], ["p90", 0.9], ["p99", 0.99]] as const;
  const parts = shares.map(([name, share]) => `${name} ${latencyText(latency.percentile(share)!)}`);
  return [`Latency: ${parts.join(", ")}, max ${latencyText(latency.max)}`];
}

function finishLine({ finishReasons }: ResultSummary): string[] {
  const reasons = Object.entries(finishReasons);
  const parts = reasons.slice(0, SHOWN_NAMES).map(([reason, count]) => {
    const meaning = reason === "length" ? " (cut off)" : "";
    return `${COUNT.format(count)} ${nameText(reason)}${meaning}`;
  });
  if (reasons.length > SHOWN_NAMES) {
    parts.push(`and ${COUNT.format(reasons.length - SHOWN_NAMES)} more reasons`);
  }
  return parts.length === 0 ? [] : [`Finish reasons: ${parts.join(", ")}`];
}

/** The counts: a line for all, and one for each requested model. */
export function totalLines(summary: ResultSummary): string[] {
  const { total, succeeded, failed, requestedModels } = summary;
  const counts = (good: number, bad: number) =>
    `${COUNT.format(good)} succeeded, ${COUNT.format(bad)} failed`;
  return [
    `${counted(total, requestedModels.length > 0 ? "result" : "record")}: ` +
    counts(succeeded, failed),
    ...firstLines(
      requestedModels,
      ({ model, succeeded, failed }) => `  ${nameText(model)}: ${counts(succeeded, failed)}`,
    ),
  ];
}

/** The lines of a summary. `details` is the command that lists the failures. */
export function summaryLines(summary: ResultSummary, details: string): string[] {
  const { tokens, cost, unpriced, succeeded, cached, spentBefore } = summary;
  const lines = totalLines(summary);
  lines.push(...firstLines(
    Object.entries(summary.errors),
    ([code, count]) => `  ${COUNT.format(count)} × ${nameText(code)}`,
  ));
  if (summary.failed > 0) lines.push(`For their messages: ${details}`);
  if (tokens.prompt + tokens.completion > 0) {
    const read = tokens.cached > 0 ? ` (${COUNT.format(tokens.cached)} cached)` : "";
    const thought = tokens.reasoning > 0 ? ` (${COUNT.format(tokens.reasoning)} reasoning)` : "";
    lines.push(
      `Tokens: ${COUNT.format(tokens.prompt)} in${read}, ${
        COUNT.format(tokens.completion)
      } out${thought}`,
    );
  }
  const spent = costText(cost, unpriced, succeeded);
  const before = spentBefore > 0 ? `, and ${dollars(spentBefore)} on answers they replaced` : "";
  if (spent !== undefined) lines.push(`Cost: ${spent}${before}`);
  lines.push(...latencyLine(summary), ...finishLine(summary));
  if (cached > 0) lines.push(`From the cache: ${counted(cached, "answer")}`);
  return [...lines, ...modelLines(summary.models)];
}

function rounded(seconds: number | undefined): number | null {
  return seconds === undefined ? null : Math.round(seconds * 1000) / 1000;
}

/** The fields of a summary as JSON. */
export function summaryJson(summary: ResultSummary) {
  const { latency, requestedModels } = summary;
  return {
    total: summary.total,
    succeeded: summary.succeeded,
    failed: summary.failed,
    ...requestedModels.length > 0
      ? {
        by_requested_model: requestedModels.map(({ model, ...rest }) => ({
          requested_model: model,
          ...rest,
        })),
      }
      : {},
    errors: summary.errors,
    ...amountsJson(summary),
    latency: latency.count === 0 ? null : {
      p50: rounded(latency.percentile(0.5)),
      p90: rounded(latency.percentile(0.9)),
      p99: rounded(latency.percentile(0.99)),
      max: rounded(latency.max),
    },
    finish_reasons: summary.finishReasons,
    cached: summary.cached,
    by_model: summary.models.map((model) => ({
      model: model.model,
      answers: model.answers,
      prompt_tokens: model.promptTokens,
      completion_tokens: model.completionTokens,
      cost: model.unpriced === model.answers ? null : model.cost,
      unpriced: model.unpriced,
    })),
  };
}
