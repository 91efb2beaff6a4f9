/**
 * The pictures of failures: by kind and over time, retries, and answers that missed their schema.
 *
 * @module
 */
import { OTHERS } from "../../results/summary.ts";
import type { Bar, Color, Plot, Rect } from "../charts/plot.ts";
import { renderBars, renderPlot } from "../charts/render.ts";
import { compact, linearScale, shortTime } from "../charts/ticks.ts";
import type { ReportData, ReportRun } from "../collect.ts";
import type { TimeBins } from "../time_bins.ts";
import {
  count,
  type LegendEntry,
  type MissingPicture,
  percent,
  type Picture,
  seriesLegend,
} from "./picture.ts";
import { eventMarks, restRules, type TimeScale, timeScale, valuesOf } from "./timeline.ts";

/** Maximum kinds drawn separately; all others are combined. */
const MAX_KINDS = 5;
/** Maximum columns of a stacked picture. */
const COLUMNS = 60;

/** Values by kind, those with the highest totals first. */
interface Kinds {
  name: string;
  total: number;
  values: number[];
}

function kindsOver(
  times: readonly TimeBins[],
  prefix: string,
  run: ReportRun,
  scale: TimeScale,
): Kinds[] {
  const byName = new Map<string, number[]>();
  for (const time of times) {
    for (const channel of time.channels) {
      // Kinds that had no channel of their own share one.
      const isShared = channel === OTHERS;
      if (!isShared && !channel.startsWith(prefix)) continue;
      const values = valuesOf(time, channel, run, scale);
      const name = isShared ? OTHERS : channel.slice(prefix.length);
      const sums = byName.get(name);
      byName.set(name, sums === undefined ? values : sums.map((sum, i) => sum + values[i]));
    }
  }
  const kinds = [...byName].map(([name, values]): Kinds => ({
    name,
    total: values.reduce((sum, value) => sum + value, 0),
    values,
  }));
  const sorted = kinds.filter(({ name }) => name !== OTHERS).sort((a, b) => b.total - a.total);
  const shared = kinds.filter(({ name, total }) => name === OTHERS && total > 0);
  const rest = [...sorted.splice(MAX_KINDS), ...shared];
  if (rest.length === 0) return sorted;
  return [...sorted, {
    name: OTHERS,
    total: rest.reduce((sum, { total }) => sum + total, 0),
    values: rest[0].values.map((_, i) => rest.reduce((sum, { values }) => sum + values[i], 0)),
  }];
}

function stackedPlot(
  kinds: readonly Kinds[],
  colors: ReadonlyMap<string, Color>,
  run: ReportRun,
  scale: TimeScale,
  name: string,
): Plot {
  const rects: Rect[] = [];
  for (let i = 0; i < scale.length; i++) {
    let bottom = 0;
    for (const { name, values } of kinds) {
      const value = values[i];
      if (value === 0) continue;
      const from = i * scale.step;
      rects.push({
        x: [from, Math.min(scale.seconds, from + scale.step)],
        y: [bottom, bottom += value],
        color: colors.get(name) ?? "muted",
        title: `${shortTime(from)} to ${shortTime(from + scale.step)}: ${count(value)} × ${name}`,
      });
    }
  }
  const most = Math.max(...rects.map(({ y }) => y[1]));
  return {
    x: scale.axis,
    y: { name, ...linearScale(most), format: compact },
    rects,
    rules: restRules(run),
    marks: eventMarks(run, scale),
  };
}

/** The colors of kinds: each kind that is drawn separately has its own, the same in every picture. */
function colorsOf(data: ReportData): ReadonlyMap<string, Color> {
  const codes = new Set(data.series.flatMap(({ summary }) => Object.keys(summary.errors)));
  for (const { events } of data.runs) {
    for (const channel of events?.time.channels ?? []) {
      if (channel.startsWith("retried:")) codes.add(channel.slice("retried:".length));
    }
  }
  return new Map(
    [...codes].map((code, i): [string, Color] => [code, i <= MAX_KINDS ? i : "muted"]),
  );
}

function kindsPicture(
  data: ReportData,
  scale: TimeScale,
  kinds: readonly Kinds[],
  { title, caption, name }: { title: string; caption: string; name: string },
): Picture {
  const colors = colorsOf(data);
  const plot = stackedPlot(kinds, colors, data.runs[0], scale, name);
  return {
    title,
    caption,
    legend: kinds.map(({ name }): LegendEntry => ({ name, color: colors.get(name) ?? "muted" })),
    drawings: [{ svg: renderPlot(plot, title) }],
    table: {
      columns: [{ title: "error" }, { title: name, isNumber: true }],
      rows: kinds.map(({ name, total }) => [name, count(total)]),
    },
  };
}

/** Failed records over time; without times, by kind. */
export function failurePicture(data: ReportData): Picture | MissingPicture {
  const title = "Failed records";
  const failed = data.series.reduce((sum, { summary }) => sum + summary.failed, 0);
  if (failed === 0) return { title, reason: "no record failed" };
  const scale = timeScale(data, "results", COLUMNS);
  if (data.runs.length === 1 && scale !== undefined) {
    const times = data.series.map(({ time }) => time);
    const kinds = kindsOver(times, "failed:", data.runs[0], scale);
    const caption = "When did records fail, and why?";
    if (kinds.length > 0) {
      return kindsPicture(data, scale, kinds, { title, caption, name: "failed records" });
    }
  }
  return failureBars(data, title);
}

/** Retried attempts over time. */
export function retryPicture(data: ReportData): Picture | MissingPicture {
  const title = "Retried attempts";
  const [run] = data.runs;
  const retries = data.series.reduce((sum, { retries }) => sum + retries, 0);
  const scale = timeScale(data, "events", COLUMNS);
  if (data.runs.length > 1) return { title, reason: "they are drawn for a single run only" };
  if (run.events === undefined || scale === undefined) {
    const number = retries > 0 ? `${count(retries)} attempts were retried; ` : "";
    return { title, reason: `${number}when and why is not known without an events file` };
  }
  const kinds = kindsOver([run.events.time], "retried:", run, scale);
  if (kinds.length === 0) return { title, reason: "no attempt was retried" };
  const caption = "When were failed attempts retried, and why?";
  return kindsPicture(data, scale, kinds, { title, caption, name: "attempts" });
}

function failureBars(data: ReportData, title: string): Picture {
  const codes = [...new Set(data.series.flatMap(({ summary }) => Object.keys(summary.errors)))];
  const total = (code: string) =>
    data.series.reduce((sum, { summary }) => sum + (summary.errors[code] ?? 0), 0);
  codes.sort((a, b) => total(b) - total(a));
  const bars = codes.slice(0, 12).map((code): Bar => ({
    label: code,
    text: count(total(code)),
    parts: data.series.map(({ name, summary }, color) => ({
      value: summary.errors[code] ?? 0,
      color,
      title: `${name}: ${count(summary.errors[code] ?? 0)} × ${code}`,
    })),
  }));
  return {
    title,
    caption: "Why did records fail?",
    legend: seriesLegend(data),
    drawings: bars.length === 0
      ? []
      : [{ svg: renderBars({ bars, grouped: data.series.length > 1 }, title) }],
    table: {
      columns: [
        { title: "error" },
        ...data.series.map(({ name }) => ({ title: name, isNumber: true })),
      ],
      rows: codes.slice(0, 20).map((code) => [
        code,
        ...data.series.map(({ summary }) => count(summary.errors[code] ?? 0)),
      ]),
    },
  };
}

/** Answers that missed their schema, by the place in the schema. */
export function schemaPicture(data: ReportData): Picture | MissingPicture {
  const title = "Answers that missed their schema";
  const byPath = new Map<string, number[]>();
  for (const [i, { schemaMisses }] of data.series.entries()) {
    for (const [path, misses] of schemaMisses) {
      const counts = byPath.get(path) ?? data.series.map(() => 0);
      counts[i] = misses;
      byPath.set(path, counts);
    }
  }
  if (byPath.size === 0) return { title, reason: "no record failed because of a schema" };
  const sum = (counts: readonly number[]) => counts.reduce((total, each) => total + each, 0);
  const sorted = [...byPath].sort(([, a], [, b]) => sum(b) - sum(a)).slice(0, 12);
  const bars = sorted.map(([label, counts]): Bar => ({
    label,
    text: count(sum(counts)),
    parts: counts.map((value, color) => ({ value, color, title: `${label}: ${count(value)}` })),
  }));
  const failed = data.series.reduce(
    (total, { summary }) => total + (summary.errors.schema_mismatch ?? 0),
    0,
  );
  const records = data.series.reduce((total, { summary }) => total + summary.total, 0);
  return {
    title,
    caption: `Which part of the schema was missed? ${count(failed)} records (${
      percent(failed, records)
    }) failed after all repairs; the first mismatch of each counts.`,
    legend: seriesLegend(data),
    drawings: [{ svg: renderBars({ bars, grouped: data.series.length > 1 }, title) }],
    table: {
      columns: [
        { title: "place in the schema" },
        ...data.series.map(({ name }) => ({ title: name, isNumber: true })),
      ],
      rows: sorted.map(([path, counts]) => [path, ...counts.map(count)]),
    },
  };
}
