/**
 * The pictures of what happened over time: records, tokens and requests in flight, cost, and the cache.
 *
 * @module
 */
import { formatDollars } from "../../pricing/format_dollars.ts";
import type { Line, Plot } from "../charts/plot.ts";
import { renderPlot } from "../charts/render.ts";
import { compact, linearScale, shortTime } from "../charts/ticks.ts";
import type { ReportData, ReportRun } from "../collect.ts";
import type { SeriesStats } from "../series_stats.ts";
import {
  count,
  type DataTable,
  type LegendEntry,
  type MissingPicture,
  percent,
  type Picture,
  seriesLegend,
} from "./picture.ts";
import {
  eventMarks,
  inFlightOf,
  markLegend,
  outageBands,
  ratePoints,
  restRules,
  type TimeScale,
  timeScale,
  valuesOf,
} from "./timeline.ts";

const NO_TIME = "the results don't say when requests were made";

type Points = readonly (readonly [x: number, y: number])[];

/** A line with its name. */
interface NamedLine {
  name: string;
  points: Points;
}

const TABLE_ROWS = 20;

/** A table of lines at about 20 points. */
function timeTable(lines: readonly NamedLine[], format: (value: number) => string): DataTable {
  const longest = lines.reduce((a, b) => b.points.length > a.points.length ? b : a).points;
  const step = Math.max(1, Math.ceil(longest.length / TABLE_ROWS));
  return {
    columns: [
      { title: "elapsed" },
      ...lines.map(({ name }) => ({ title: name, isNumber: true })),
    ],
    rows: longest.filter((_, i) => i % step === 0).map(([x], row) => [
      shortTime(x),
      ...lines.map(({ points }) => {
        const point = points[row * step];
        return point === undefined ? "" : format(point[1]);
      }),
    ]),
  };
}

function linesPlot(
  { runs }: ReportData,
  scale: TimeScale,
  lines: readonly NamedLine[],
  name: string,
  format: (value: number) => string,
  filled = true,
): Plot {
  const most = Math.max(...lines.flatMap(({ points }) => points.map(([, y]) => y)));
  const single = runs.length === 1 ? runs[0] : undefined;
  const y = { name, ...linearScale(most), format };
  return {
    x: scale.axis,
    y,
    rects: single && outageBands(single, y.max),
    lines: lines.map(({ name, points }, color): Line => ({
      color,
      points,
      title: name,
      filled: filled && lines.length === 1,
    })),
    rules: single && restRules(single),
    marks: single && eventMarks(single, scale),
  };
}

/** Makes room for a larger value. */
function rescale(plot: Plot, run: ReportRun | undefined, most: number): void {
  const scale = linearScale(most);
  Object.assign(plot.y, scale);
  plot.rects = run && outageBands(run, scale.max);
}

/** The legend of lines, and of the marks of a single run. */
function legendOf(
  { runs }: ReportData,
  entries: readonly LegendEntry[] | undefined,
): LegendEntry[] | undefined {
  const marks = runs.length === 1 ? markLegend(runs[0]) : [];
  return entries === undefined && marks.length === 0 ? undefined : [...entries ?? [], ...marks];
}

/** Whether only the events have times. */
function lacksTimes({ runs, series }: ReportData): boolean {
  return runs.length === 1 && series.every(({ time }) => time.list().length === 0);
}

/** The rates of a channel of each series; of the events if the results have no times. */
function rateLines(data: ReportData, scale: TimeScale, channels: readonly string[]): NamedLine[] {
  const rates = (time: SeriesStats["time"], run: ReportRun) => {
    const lists = channels.map((channel) => valuesOf(time, channel, run, scale));
    const sums = lists[0].map((_, i) => lists.reduce((sum, values) => sum + values[i], 0));
    return ratePoints(sums, scale, run.time.seconds);
  };
  if (lacksTimes(data)) {
    const [run] = data.runs;
    return [{ name: "all", points: run.events ? rates(run.events.time, run) : [] }];
  }
  return data.series.map(({ name, time, run }) => ({ name, points: rates(time, data.runs[run]) }));
}

/** A picture of a rate over time. */
function ratePicture(
  data: ReportData,
  { title, caption, unit, channels, missing }: {
    title: string;
    caption: string;
    unit: string;
    channels: readonly string[];
    missing: string;
  },
): Picture | MissingPicture {
  const scale = timeScale(data, lacksTimes(data) ? "events" : "results");
  if (scale === undefined) return { title, reason: NO_TIME };
  const lines = rateLines(data, scale, channels);
  if (lines.every(({ points }) => points.every(([, y]) => y === 0))) {
    return { title, reason: missing };
  }
  return {
    title,
    caption,
    legend: legendOf(data, lines.length > 1 ? seriesLegend(data) : undefined),
    drawings: [{ svg: renderPlot(linesPlot(data, scale, lines, unit, compact), title) }],
    table: timeTable(lines, count),
  };
}

/** Records per second. */
export function throughputPicture(data: ReportData): Picture | MissingPicture {
  return ratePicture(data, {
    title: "Records per second",
    caption: "How many records finished per second, failed ones included?",
    unit: "records/s",
    channels: ["succeeded", "failed"],
    missing: NO_TIME,
  });
}

/** Tokens per second. */
export function tokenRatePicture(data: ReportData): Picture | MissingPicture {
  return ratePicture(data, {
    title: "Tokens per second",
    caption: "How many tokens, input and output, did finished records use per second?",
    unit: "tokens/s",
    channels: ["prompt", "completion"],
    missing: "the results have no token counts",
  });
}

/** Requests in flight. */
export function inFlightPicture(data: ReportData): Picture | MissingPicture {
  const title = "Requests in flight";
  const { runs, series } = data;
  const areEvents = runs.every(({ events, files }) => events !== undefined && files.length === 1);
  const scale = timeScale(data, areEvents ? "events" : "results");
  if (scale === undefined) return { title, reason: NO_TIME };
  const points = (values: readonly number[]): Points =>
    values.map((value, i) => [(i + 0.5) * scale.step, value] as const)
      .filter(([x]) => x <= scale.seconds);
  const fromEvents = (run: ReportRun, channel: string) =>
    points(valuesOf(run.events!.time, channel, run, scale, "max"));
  const [run] = runs;
  let lines: NamedLine[];
  let legend: LegendEntry[] | undefined;
  if (areEvents && runs.length === 1) {
    lines = [{ name: "in flight", points: fromEvents(run, "in_flight") }];
    const waiting = fromEvents(run, "waiting");
    if (waiting.some(([, y]) => y > 0)) {
      lines.push({ name: "waiting for an endpoint", points: waiting });
      legend = lines.map(({ name }, color) => ({ name, color }));
    }
  } else {
    lines = series.map((each) => ({
      name: each.name,
      points: areEvents
        ? fromEvents(runs[each.run], "in_flight")
        : points(inFlightOf(each, runs[each.run], scale)),
    }));
    legend = seriesLegend(data);
  }
  if (lines.every(({ points }) => points.every(([, y]) => y === 0))) {
    return { title, reason: "the results have no latencies, and there is no events file" };
  }
  const source = areEvents
    ? ""
    : " Computed from the answers: failed attempts are not included, since there is no events file.";
  return {
    title,
    caption: `Were there always enough requests in flight?${source}`,
    legend: legendOf(data, legend),
    drawings: [{ svg: renderPlot(linesPlot(data, scale, lines, "requests", compact), title) }],
    table: timeTable(lines, count),
  };
}

/** The cost so far, and the budget. */
export function spendingPicture(data: ReportData): Picture | MissingPicture {
  const title = "Cost over time";
  const scale = timeScale(data, "results");
  if (data.series.every(({ summary }) => summary.cost === 0)) {
    return { title, reason: "no result has a cost" };
  }
  if (scale === undefined) return { title, reason: NO_TIME };
  const lines = data.series.map(({ name, time, run }): NamedLine => {
    let sum = 0;
    const spent = valuesOf(time, "cost", data.runs[run], scale).map((value, i) => {
      sum += value;
      return [Math.min((i + 1) * scale.step, data.runs[run].time.seconds), sum] as const;
    });
    return { name, points: [[0, 0], ...spent] };
  });
  const plot = linesPlot(data, scale, lines, "USD", (value) => formatDollars(value));
  const run = data.runs.length === 1 ? data.runs[0] : undefined;
  const budget = run?.events?.runs.at(-1)?.budget;
  const total = data.series.reduce((sum, { summary }) => sum + summary.cost, 0);
  let note = "";
  if (budget !== undefined) {
    note = ` The budget was ${formatDollars(budget)}; ${percent(total, budget)} of it was spent.`;
    const label = `budget ${formatDollars(budget)}`;
    // A line far above would leave no room for the cost.
    if (data.series.length === 1 && budget > 0 && budget < total * 4) {
      rescale(plot, run, Math.max(budget * 1.05, total));
      plot.rules = [...plot.rules ?? [], { on: "y", at: budget, label, color: "bad" }];
    }
  }
  return {
    title,
    caption: `How did the cost add up? Results whose cost is unknown are left out.${note}`,
    legend: legendOf(data, seriesLegend(data)),
    drawings: [{ svg: renderPlot(plot, title) }],
    table: timeTable(lines, (value) => formatDollars(value)),
  };
}

/** Answers from the cache. */
export function cachePicture(data: ReportData): Picture | MissingPicture {
  const title = "Answers from the cache";
  if (data.series.every(({ summary }) => summary.cached === 0)) {
    return { title, reason: "no answer came from the response cache" };
  }
  const scale = timeScale(data, "results");
  if (scale === undefined) return { title, reason: NO_TIME };
  const lines = data.series.map(({ name, time, run }): NamedLine => {
    const of = (channel: string) => valuesOf(time, channel, data.runs[run], scale);
    const cached = of("cached");
    const points = of("succeeded").flatMap((all, i): [number, number][] =>
      all === 0 ? [] : [[(i + 0.5) * scale.step, cached[i] / all * 100]]
    );
    return { name, points };
  });
  const plot = linesPlot(data, scale, lines, "share of answers", (value) => `${value}%`);
  rescale(plot, data.runs.length === 1 ? data.runs[0] : undefined, 100);
  return {
    title,
    caption: "What share of the answers came from the response cache?",
    legend: legendOf(data, seriesLegend(data)),
    drawings: [{ svg: renderPlot(plot, title) }],
    table: {
      columns: [
        { title: "" },
        ...["answers", "from the cache", "share"].map((title) => ({
          title,
          isNumber: true,
        })),
      ],
      rows: data.series.map(({ name, summary: { succeeded, cached } }) => [
        name,
        count(succeeded),
        count(cached),
        percent(cached, succeeded),
      ]),
    },
  };
}
