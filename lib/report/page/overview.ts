/**
 * Renders the main numbers of a report: as tiles for one series, as a table for several.
 *
 * @module
 */
import { formatDollars } from "../../pricing/format_dollars.ts";
import { shortTime } from "../charts/ticks.ts";
import type { ReportData } from "../collect.ts";
import { count, percent } from "../pictures/picture.ts";
import type { SeriesStats } from "../series_stats.ts";
import { type Html, markup, tableHtml } from "./parts.ts";

/** A number and its meaning. */
interface Fact {
  title: string;
  value: string;
  note?: string;
}

function costFacts({ summary }: SeriesStats): Fact[] {
  const { cost, unpriced, succeeded, spentBefore } = summary;
  if (cost === 0 && unpriced === succeeded) return [{ title: "Cost", value: "unknown" }];
  const notes = [
    unpriced > 0 ? `${count(unpriced)} answers of unknown cost` : undefined,
    spentBefore > 0 ? `and ${formatDollars(spentBefore)} on replaced answers` : undefined,
  ].filter((note) => note !== undefined);
  const perThousand = succeeded > 0 ? `${formatDollars(cost / succeeded * 1000)} per 1,000` : "";
  return [{ title: "Cost", value: formatDollars(cost), note: [perThousand, ...notes].join(", ") }];
}

/** The time of a run; models of one run share it, so it says nothing about any one of them. */
function timeFacts({ runs, byModel }: ReportData, { run, summary }: SeriesStats): Fact[] {
  const { seconds, rests } = runs[run].time;
  if (seconds === 0 || byModel) return [];
  const idle = rests.reduce((sum, { seconds }) => sum + seconds, 0);
  const rate = summary.total / seconds;
  return [
    {
      title: "Duration",
      value: shortTime(seconds),
      note: idle > 0 ? `without ${shortTime(idle)} of rest` : undefined,
    },
    { title: "Throughput", value: `${count(Number(rate.toPrecision(3)))}/s`, note: "records" },
  ];
}

/** The facts of a series, the same for each. */
function factsOf(data: ReportData, series: SeriesStats): Fact[] {
  const { summary, retries, firstToken } = series;
  const { total, succeeded, failed, cached, tokens, latency } = summary;
  const time = (share: number) => latency.count === 0 ? "–" : shortTime(latency.percentile(share)!);
  const details = (cached: number, name: string) =>
    cached > 0 ? `${count(cached)} ${name}` : undefined;
  return [
    { title: "Records", value: count(total) },
    { title: "Succeeded", value: count(succeeded), note: percent(succeeded, total) },
    { title: "Failed", value: count(failed), note: percent(failed, total) },
    { title: "Retried attempts", value: count(retries) },
    { title: "From the cache", value: count(cached), note: percent(cached, succeeded) },
    ...timeFacts(data, series),
    { title: "Latency p50", value: time(0.5) },
    { title: "Latency p99", value: time(0.99), note: `max ${shortTime(latency.max)}` },
    ...firstToken.count > 0
      ? [{ title: "First token p50", value: shortTime(firstToken.percentile(0.5)!) }]
      : [],
    {
      title: "Tokens in",
      value: count(tokens.prompt),
      note: details(tokens.cached, "from the provider's cache"),
    },
    {
      title: "Tokens out",
      value: count(tokens.completion),
      note: details(tokens.reasoning, "for reasoning"),
    },
    ...costFacts(series),
  ];
}

function tilesHtml(facts: readonly Fact[]): Html {
  return markup`<dl class="stats card">
${
    facts.map(({ title, value, note }) =>
      markup`<div><dt>${title}</dt><dd>${value}${
        note ? markup` <span class="note">${note}</span>` : ""
      }</dd></div>
`
    )
  }</dl>
`;
}

/** Renders the main numbers. */
export function overviewHtml(data: ReportData): Html {
  const { series } = data;
  if (series.length === 1) return tilesHtml(factsOf(data, series[0]));
  const columns = series.map((each) =>
    new Map(
      factsOf(data, each).map((fact) => [fact.title, fact]),
    )
  );
  const titles = [...new Set(columns.flatMap((facts) => [...facts.keys()]))];
  const rows = titles.map((title) => [
    title,
    ...columns.map((facts) => {
      const { value = "–", note = undefined } = facts.get(title) ?? {};
      return {
        html: markup`${value}${note ? markup` <span class="note">${note}</span>` : ""}`,
      };
    }),
  ]);
  return markup`<div class="card">${
    tableHtml("Comparison", {
      columns: [{ title: "" }, ...series.map(({ name }) => ({ title: name, isNumber: true }))],
      rows,
    })
  }</div>
`;
}
