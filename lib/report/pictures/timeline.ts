/**
 * Prepares values over time for drawing: evenly spaced, with idle time left out.
 *
 * @module
 */
import type { Axis, Color, Mark, Rect, Rule } from "../charts/plot.ts";
import { shortTime, timeTicks } from "../charts/ticks.ts";
import type { ReportData, ReportRun } from "../collect.ts";
import type { SeriesStats } from "../series_stats.ts";
import type { TimeBins } from "../time_bins.ts";
import type { LegendEntry } from "./picture.ts";

/** Maximum points of a line over time. */
const POINTS = 120;
/** With fewer results, lines have fewer points: rates of single results would be noise. */
const RESULTS_PER_POINT = 8;
const FEWEST_POINTS = 20;

/** The axis of time that all series share. */
export interface TimeScale {
  axis: Axis;
  /** Total seconds. */
  seconds: number;
  /** Seconds of each point. */
  step: number;
  /** The number of points. */
  length: number;
}

/** Where values over time come from: the times of results, or events. */
export type TimeSource = "results" | "events";

/** Seconds of the longest period of a source. */
function longestPeriod({ runs, series }: ReportData, source: TimeSource): number {
  if (source === "results") return Math.max(...series.map(({ time }) => time.width)) / 1000;
  return Math.max(
    0.1,
    ...runs.map(({ events }) =>
      events === undefined ? 0 : Math.max(events.time.width / 1000, events.longestPeriod)
    ),
  );
}

/** The shared axis; `undefined` if the time of nothing is known. */
export function timeScale(
  data: ReportData,
  source: TimeSource,
  points = POINTS,
): TimeScale | undefined {
  const { runs, series } = data;
  const seconds = Math.max(...runs.map(({ time }) => time.seconds));
  if (seconds <= 0) return undefined;
  const finest = longestPeriod(data, source);
  const results = Math.max(...series.map(({ summary }) => summary.total));
  const wanted = Math.min(points, Math.max(FEWEST_POINTS, results / RESULTS_PER_POINT));
  // A multiple of the period, so that every point covers the same number of periods.
  const step = Math.ceil(Math.max(seconds / wanted, finest) / finest - 1e-9) * finest;
  const length = Math.max(1, Math.ceil(seconds / step - 1e-9));
  const axis = { name: "elapsed time", min: 0, max: seconds, ticks: timeTicks(seconds) };
  return { axis, seconds, step, length };
}

/** The values of a channel at each point: the sums, or the largest. */
export function valuesOf(
  time: TimeBins,
  channel: string,
  run: ReportRun,
  { step, length }: TimeScale,
  merge: "sum" | "max" = "sum",
): number[] {
  const values = new Array<number>(length).fill(0);
  const position = time.channels.indexOf(channel);
  if (position < 0) return values;
  for (const { at, values: own } of time.list()) {
    const value = own[position] ?? 0;
    if (value === 0) continue;
    const point = Math.min(length - 1, Math.floor(run.time.elapsed(at + 1) / step));
    values[point] = merge === "sum" ? values[point] + value : Math.max(values[point], value);
  }
  return values;
}

/** Sums as rates per second, as points of a line. */
export function ratePoints(
  values: readonly number[],
  { step, seconds }: TimeScale,
  runSeconds: number,
): [x: number, y: number][] {
  const end = Math.min(seconds, runSeconds);
  return values.flatMap((value, i): [number, number][] => {
    const from = i * step;
    const length = Math.min(step, end - from);
    // The remainder of the last period is too short for a rate.
    if (length < step * 0.4 && i > 0) return [];
    return [[from + length / 2, value / length]];
  });
}

/** The largest number of requests in flight at each point, from the starts and ends of answered requests. */
export function inFlightOf(series: SeriesStats, run: ReportRun, scale: TimeScale): number[] {
  const { time } = series;
  const [started, ended] = ["started", "ended"].map((name) => time.channels.indexOf(name));
  const values = new Array<number>(scale.length).fill(0);
  let inFlight = 0;
  let filled = 0;
  for (const { at, values: own } of time.list()) {
    const point = Math.min(
      scale.length - 1,
      Math.floor(run.time.elapsed(at + 1) / scale.step),
    );
    // Nothing changed in the points between.
    for (; filled < point; filled++) values[filled] = Math.max(values[filled], inFlight);
    inFlight += (own[started] ?? 0) - (own[ended] ?? 0);
    values[point] = Math.max(values[point], inFlight);
  }
  return values;
}

/** Maximum idle gaps that are marked. */
const MAX_RESTS = 10;

/** Lines where idle time was left out. */
export function restRules({ time }: ReportRun): Rule[] {
  return time.rests.slice(0, MAX_RESTS).map(({ at, seconds }): Rule => ({
    on: "x",
    at,
    label: `idle ${shortTime(seconds)}`,
    color: "muted",
  }));
}

/** The kinds of marks, as a legend names them. */
const MARKS = {
  rate_limited: { color: "warn", name: "answers with status 429" },
  breaker_open: { color: "bad", name: "endpoint no longer used" },
  breaker_closed: { color: "good", name: "endpoint used again" },
  paused: { color: "bad", name: "no usable endpoint" },
  budget: { color: "bad", name: "budget exhausted" },
  stopped: { color: "muted", name: "stopped by the user" },
} as const;

/** Maximum marks of one kind in a picture. */
const MAX_MARKS = 60;

/** The marks of a run. Marks of one kind that are close together are merged. */
export function eventMarks({ events, time }: ReportRun, { seconds: all }: TimeScale): Mark[] {
  const merged = new Map<string, { x: number; color: Color; text: string; count: number }>();
  for (const { at, kind, endpoint, seconds, count = 1 } of events?.marks ?? []) {
    if (!Object.hasOwn(MARKS, kind)) continue;
    const x = time.elapsed(at);
    const key = `${kind} ${Math.floor(x / all * MAX_MARKS)}`;
    const mark = merged.get(key);
    if (mark !== undefined) {
      mark.count += count;
      continue;
    }
    const { color, name } = MARKS[kind];
    const details = [endpoint, seconds === undefined ? undefined : `for ${shortTime(seconds)}`]
      .filter((detail) => detail !== undefined).join(", ");
    merged.set(key, { x, color, text: details === "" ? name : `${name} (${details})`, count });
  }
  return [...merged.values()].map(({ x, color, text, count }) => ({
    x,
    color,
    title: `${shortTime(x)}: ${count > 1 ? `${count} × ` : ""}${text}`,
  }));
}

/** The legend of the marks of a run. */
export function markLegend({ events }: ReportRun): LegendEntry[] {
  const kinds = new Set(events?.marks.map(({ kind }) => kind));
  return Object.entries(MARKS).filter(([kind]) => kinds.has(kind as keyof typeof MARKS))
    .map(([, { color, name }]) => ({ name, color, isMark: true }));
}

/** Bands over the time in which an endpoint was not used, up to the height of the picture. */
export function outageBands({ events, time }: ReportRun, top: number): Rect[] {
  const open = new Map<string, number>();
  const bands: Rect[] = [];
  const add = (endpoint: string, from: number, to: number) => {
    if (bands.length === MAX_MARKS || to <= from) return;
    const title = `${endpoint || "endpoint"}: not used for ${shortTime(to - from)}`;
    bands.push({ x: [from, to], y: [0, top], color: "bad", opacity: 0.1, title });
  };
  for (const { at, kind, endpoint = "", seconds = 0 } of events?.marks ?? []) {
    const x = time.elapsed(at);
    if (kind === "breaker_open" && !open.has(endpoint)) open.set(endpoint, x);
    if (kind === "breaker_closed" && open.has(endpoint)) {
      add(endpoint, open.get(endpoint)!, x);
      open.delete(endpoint);
    }
    if (kind === "paused") add("all endpoints", x, Math.min(time.seconds, x + seconds));
  }
  for (const [endpoint, from] of open) add(endpoint, from, time.seconds);
  return bands;
}
