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
import type { GridCell } from "../log_grid.ts";
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
function distributionsOf(
  { series }: ReportData,
  values: (series: SeriesStats) => LogHistogram,
): Distribution[] {
  return series.map((each) => ({ name: each.name, values: values(each) }));
}

/** Whether no series has values. */
function areEmpty(distributions: readonly Distribution[]): boolean {
  return distributions.every(({ values }) => values.count === 0);
}

/** A picture of a distribution; `caption` must depend only on the kind of values. */
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

/** How long answers took. Cached answers are drawn separately. */
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
  const distributions = distributionsOf(data, ({ summary }) => summary.latency);
  if (areEmpty(distributions)) return { title, reason: "no result has a latency" };
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

/** The whole numbers in a range whose end is not included: "22 to 31". */
function wholeNumbers([start, end]: readonly [number, number]): string {
  // Edges are computed, so that 100 may be 100.00000000000001.
  const first = Math.ceil(start - 1e-6);
  const last = Math.max(first, Math.ceil(end - 1e-6) - 1);
  return first === last ? compact(first) : `${compact(first)} to ${compact(last)}`;
}

/** The plot of the cells of one series, on the scale that fits `all` of them. */
function gridPlot(cells: readonly GridCell[], all: readonly GridCell[]): Plot {
  const most = Math.max(...cells.map(({ count }) => count));
  const bounds = (values: number[]) => [Math.min(...values), Math.max(...values)] as const;
  const [left, right] = bounds(all.flatMap(({ x }) => x));
  const [bottom, top] = bounds(all.flatMap(({ y }) => y));
  const rects = cells.map(({ x, y, count: answers }): Rect => ({
    x,
    y,
    color: 0,
    // Rare cells stay visible beside frequent ones.
    opacity: Math.round((0.12 + 0.88 * Math.log1p(answers) / Math.log1p(most)) * 100) / 100,
    title: `${wholeNumbers(x)} tokens in ${shortTime(y[0])} to ${shortTime(y[1])}: ${
      count(answers)
    } answers`,
  }));
  const x = { log: true, min: left, max: right, ticks: logTicks(left, right, compact) };
  const y = { log: true, min: bottom, max: top, ticks: logTicks(bottom, top, shortTime) };
  return { x: { ...x, name: "output tokens" }, y: { ...y, name: "latency" }, rects };
}

/** Maximum rows of the table of a grid: those with the most answers. */
const GRID_ROWS = 15;

/** Latency by output tokens: a picture for each series, all on the same scale. */
export function lengthPictures({ series }: ReportData): (Picture | MissingPicture)[] {
  const name = "Latency by output tokens";
  const grids = series.map(({ name, grid }) => ({ name, cells: grid.cells() }))
    .filter(({ cells }) => cells.length > 0);
  if (grids.length === 0) {
    return [{ title: name, reason: "no result has a latency and token counts" }];
  }
  const all = grids.flatMap(({ cells }) => cells);
  return grids.map((grid): Picture => {
    const title = series.length > 1 ? `${name}: ${grid.name}` : name;
    const rows = grid.cells.toSorted((a, b) => b.count - a.count).slice(0, GRID_ROWS).map((
      cell,
    ) => [
      wholeNumbers(cell.x),
      `${shortTime(cell.y[0])} to ${shortTime(cell.y[1])}`,
      count(cell.count),
    ]);
    const columns = [
      { title: "output tokens" },
      { title: "latency" },
      { title: "answers", isNumber: true },
    ];
    return {
      title,
      caption: "Are slow answers just long ones? The stronger the color, the more answers.",
      drawings: [{ svg: renderPlot(gridPlot(grid.cells, all), title) }],
      table: { columns, rows },
    };
  });
}
