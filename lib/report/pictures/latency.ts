/**
 * The pictures of latency: its distribution, percentiles, first tokens, and dependence on the length of answers.
 *
 * @module
 */
import type { LogHistogram } from "../../results/log_histogram.ts";
import type { Plot, Rect } from "../charts/plot.ts";
import { renderPlot } from "../charts/render.ts";
import { compact, logTicks, shortTime } from "../charts/ticks.ts";
import type { ReportData } from "../collect.ts";
import type { SeriesStats } from "../series_stats.ts";
import {
  type Distribution,
  distributionPlot,
  distributionTable,
  percentilePlot,
  percentileTable,
  type ValueKind,
} from "./distribution.ts";
import { count, type MissingPicture, type Picture, seriesLegend } from "./picture.ts";

const LATENCY: ValueKind = { noun: "answers", name: "latency", format: shortTime };

/** The distributions of all series that have values. */
export function distributionsOf(
  { series }: ReportData,
  values: (series: SeriesStats) => LogHistogram,
): Distribution[] {
  return series.map((each) => ({ name: each.name, values: values(each) }));
}

/** Whether no series has values. */
export function areEmpty(distributions: readonly Distribution[]): boolean {
  return distributions.every(({ values }) => values.count === 0);
}

/** A picture of a distribution; `caption` may depend on nothing but the kind of values. */
export function distributionPicture(
  data: ReportData,
  { title, caption, missing, kind, values }: {
    title: string;
    caption: string;
    missing: string;
    kind: ValueKind;
    values: (series: SeriesStats) => LogHistogram;
  },
): Picture | MissingPicture {
  const distributions = distributionsOf(data, values);
  if (areEmpty(distributions)) return { title, reason: missing };
  return {
    title,
    caption,
    legend: seriesLegend(data),
    drawings: [{ svg: renderPlot(distributionPlot(distributions, kind), title) }],
    table: distributionTable(distributions, kind),
  };
}

/** How long answers took. Those from the cache are drawn apart. */
export function latencyPicture(data: ReportData): Picture | MissingPicture {
  const picture = distributionPicture(data, {
    title: "Latency",
    caption: "How long did answers take? Time in the queue and earlier attempts don't count.",
    missing: "no result has a latency",
    kind: LATENCY,
    values: ({ summary }) => summary.latency,
  });
  const cached = distributionsOf(data, ({ cachedLatency }) => cachedLatency)
    .filter(({ values }) => values.count > 0 && values.max > 0);
  if (cached.length === 0 || !("drawings" in picture)) return picture;
  const named = cached.map(({ name, values }) => ({ name: `${name}, from the cache`, values }));
  const table = distributionTable(named, LATENCY);
  return { ...picture, table: { ...picture.table, rows: [...picture.table.rows, ...table.rows] } };
}

/** The tail of the latency. */
export function percentilePicture(data: ReportData): Picture | MissingPicture {
  const title = "Latency by percentile";
  const distributions = distributionsOf(data, ({ summary }) => summary.latency)
    .filter(({ values }) => values.count > 0);
  if (distributions.length === 0) return { title, reason: "no result has a latency" };
  return {
    title,
    caption: "How slow are the slowest? Each step to the right is ten times rarer.",
    legend: seriesLegend(data),
    drawings: [{ svg: renderPlot(percentilePlot(distributions, LATENCY), title) }],
    table: percentileTable(distributions, LATENCY),
  };
}

/** The time to the first token of streams. */
export function firstTokenPicture(data: ReportData): Picture | MissingPicture {
  return distributionPicture(data, {
    title: "Time to first token",
    caption: "How long until a stream began?",
    missing: "no answer was streamed",
    kind: { ...LATENCY, name: "time to first token" },
    values: ({ firstToken }) => firstToken,
  });
}

/** The time between tokens of streams. */
export function tokenTimePicture(data: ReportData): Picture | MissingPicture {
  return distributionPicture(data, {
    title: "Time per output token",
    caption: "How fast did streams run once they had begun? The mean of each answer.",
    missing: "no answer was streamed",
    kind: { ...LATENCY, name: "time per token" },
    values: ({ tokenTime }) => tokenTime,
  });
}

/** The time in the queue. */
export function queuePicture(data: ReportData): Picture | MissingPicture {
  return distributionPicture(data, {
    title: "Time in the queue",
    caption:
      "How long did requests wait for a slot, for rate limits, and between attempts? Waits below 1 ms are left out.",
    missing: "no request waited, or the results don't say",
    kind: { ...LATENCY, noun: "requests", name: "time in the queue" },
    values: ({ queued }) => queued,
  });
}

function gridPlot({ grid }: SeriesStats): Plot {
  const cells = grid.cells();
  const most = Math.max(...cells.map(({ count }) => count));
  const xs = cells.flatMap(({ x }) => x);
  const ys = cells.flatMap(({ y }) => y);
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [bottom, top] = [Math.min(...ys), Math.max(...ys)];
  const rects = cells.map(({ x, y, count: answers }): Rect => ({
    x,
    y,
    color: 0,
    // Rare cells stay visible beside frequent ones.
    opacity: Math.round((0.12 + 0.88 * Math.log1p(answers) / Math.log1p(most)) * 100) / 100,
    title: `${compact(x[0])} to ${compact(x[1])} tokens in ${shortTime(y[0])} to ${
      shortTime(y[1])
    }: ${count(answers)} answers`,
  }));
  return {
    x: {
      name: "output tokens",
      log: true,
      min: left,
      max: right,
      ticks: logTicks(left, right, compact),
    },
    y: {
      name: "latency",
      log: true,
      min: bottom,
      max: top,
      ticks: logTicks(bottom, top, shortTime),
    },
    rects,
  };
}

/** Latency by output tokens. */
export function lengthPicture(data: ReportData): Picture | MissingPicture {
  const title = "Latency by output tokens";
  const series = data.series.filter(({ grid }) => grid.cells().length > 0);
  if (series.length === 0) return { title, reason: "no result has a latency and token counts" };
  const isNamed = data.series.length > 1;
  const drawings = series.map((each) => ({
    title: isNamed ? each.name : undefined,
    svg: renderPlot(gridPlot(each), isNamed ? `${title}: ${each.name}` : title),
  }));
  const rows = series.flatMap((each) =>
    each.grid.cells().sort((a, b) => b.count - a.count).slice(0, 10).map((cell) => [
      each.name,
      `${compact(cell.x[0])} to ${compact(cell.x[1])}`,
      `${shortTime(cell.y[0])} to ${shortTime(cell.y[1])}`,
      count(cell.count),
    ])
  );
  return {
    title,
    caption: "Are slow answers just long ones? The stronger the color, the more answers.",
    drawings,
    table: {
      columns: [
        { title: "" },
        { title: "output tokens" },
        { title: "latency" },
        { title: "answers", isNumber: true },
      ],
      rows,
    },
  };
}
