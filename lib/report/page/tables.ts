/**
 * Renders the tables of a report: failures by reason, the slowest and most expensive results, and a sample.
 *
 * @module
 */
import { formatDollars } from "../../pricing/format_dollars.ts";
import type { FailureGroup } from "../../results/failure_groups.ts";
import { shortTime } from "../charts/ticks.ts";
import type { ReportData } from "../collect.ts";
import { cutText } from "../cut_text.ts";
import type { Excerpt } from "../excerpts.ts";
import { count } from "../pictures/picture.ts";
import { type Html, markup, type RichCell, tableHtml } from "./parts.ts";

/** Maximum reasons listed. */
const MAX_GROUPS = 50;
/** Maximum bytes of a message. */
const MESSAGE = 600;

/** Renders commands that can be copied. */
export function commandsHtml(commands: readonly string[]): Html {
  return markup`<pre class="command">${
    commands.map((command) => cutText(command, 1000)).join("\n")
  }</pre>
`;
}

/** Renders the failures by reason, and the commands that retry them. */
export function failuresHtml(
  { series, runs }: ReportData,
  retry: readonly string[],
  redact: (text: string) => string,
): Html {
  const isNamed = runs.length > 1;
  const groups = series.flatMap(({ name, failures }) =>
    failures.list().map((group): FailureGroup & { name: string } => ({ ...group, name }))
  ).sort((a, b) => b.count - a.count);
  if (groups.length === 0) {
    return markup`<p class="note">No record failed.</p>
`;
  }
  const rest = groups.length - MAX_GROUPS;
  const rows = groups.slice(0, MAX_GROUPS).map((group) => [
    group.code,
    count(group.count),
    isNamed ? group.name : group.model ?? "",
    cutText(group.message === undefined ? "other messages" : redact(group.message), MESSAGE),
    `${group.examples.join(", ")}${group.count > group.examples.length ? ", …" : ""}`,
  ]);
  const hasNames = rows.some((row) => row[2] !== "");
  const columns = [
    { title: "error" },
    { title: "records", isNumber: true },
    { title: isNamed ? "file" : "model" },
    { title: "message of the first one" },
    { title: "indexes" },
  ];
  const without = <T>(cells: T[]) => hasNames ? cells : cells.filter((_, i) => i !== 2);
  const table = { columns: without(columns), rows: rows.map(without) };
  return markup`<div class="card long">${tableHtml("Failed records by reason", table)}</div>
${
    rest > 0
      ? markup`<p class="note">And ${count(rest)} more reasons.</p>
`
      : ""
  }<p>To retry them:</p>
${commandsHtml(retry)}${
    // Commands from events are complete.
    retry.some((command) => command.includes(" INPUT "))
      ? markup`<p class="note">Use the input and the flags of the run that wrote the file.</p>
`
      : ""}`;
}

function factsOf(excerpt: Excerpt): string {
  const { latency, promptTokens, completionTokens, cost, finishReason, cached } = excerpt;
  return [
    excerpt.model,
    latency === undefined ? undefined : shortTime(latency),
    promptTokens === undefined ? undefined : `${count(promptTokens)} tokens in`,
    completionTokens === undefined ? undefined : `${count(completionTokens)} out`,
    cost === undefined ? undefined : formatDollars(cost),
    finishReason === "stop" ? undefined : finishReason,
    cached ? "from the cache" : undefined,
  ].filter((fact) => fact !== undefined && fact !== "").join(" · ");
}

/** Renders a list of results, such as the slowest. */
export function excerptTable(
  { series, runs }: ReportData,
  caption: string,
  excerpts: readonly Excerpt[],
): Html {
  const isNamed = runs.length > 1;
  const number = (title: string) => ({ title, isNumber: true });
  const hasTexts = excerpts.some(({ input }) => input !== undefined);
  const columns = [
    number("index"),
    ...isNamed ? [{ title: "file" }] : [],
    { title: "model" },
    ...["latency", "tokens in", "tokens out", "cost"].map(number),
    ...hasTexts ? [{ title: "input" }] : [],
  ];
  const optional = (value: number | undefined, format: (value: number) => string) =>
    value === undefined ? "" : format(value);
  const rows = excerpts.map((excerpt): (string | RichCell)[] => [
    String(excerpt.index),
    ...isNamed ? [series[excerpt.series].name] : [],
    excerpt.model ?? (excerpt.succeeded ? "" : excerpt.errorCode ?? "failed"),
    optional(excerpt.latency, shortTime),
    optional(excerpt.promptTokens, count),
    optional(excerpt.completionTokens, count),
    optional(excerpt.cost, (cost) => formatDollars(cost)),
    ...hasTexts ? [{ html: markup`<span class="text">${excerpt.input ?? ""}</span>` }] : [],
  ]);
  return markup`<div class="card long">${tableHtml(caption, { columns, rows })}</div>
`;
}

function textHtml(title: string | Html, text: string, style = ""): Html {
  return markup`<div class="text-block${style}"><p class="note">${title}</p>
<pre dir="auto">${text}</pre></div>
`;
}

function answerHtml(excerpt: Excerpt, name: string | undefined): Html {
  const facts = [name, factsOf(excerpt)].filter((fact) => fact).join(" · ");
  if (excerpt.succeeded) return textHtml(facts, excerpt.output ?? "");
  const text = [`${excerpt.errorCode ?? "failed"}: ${excerpt.error ?? ""}`, excerpt.output]
    .filter((part) => part).join("\n\n");
  return textHtml(facts, text, " failed");
}

/** Renders a sample: each record with its answers, side by side. */
export function sampleHtml({ series, excerpts }: ReportData): Html {
  const byIndex = Map.groupBy(excerpts.sample, ({ index }) => index);
  const isNamed = series.length > 1;
  return markup`${
    [...byIndex].map(([index, answers]) =>
      markup`<article class="card sample"><h3>Record ${index}</h3>
<div class="texts">
${textHtml("input", answers.find(({ input }) => input)?.input ?? "")}${
        answers.map((excerpt) =>
          answerHtml(excerpt, isNamed ? series[excerpt.series].name : undefined)
        )
      }</div></article>
`
    )
  }`;
}
