/**
 * Draws how values are distributed: bars for one series, lines for several.
 *
 * @module
 */
import { bucketEnd, bucketsWithin, type LogHistogram } from "../../results/log_histogram.ts";
import type { Axis, Line, Plot, Rect, Rule } from "../charts/plot.ts";
import { compact, linearScale, logTicks } from "../charts/ticks.ts";
import { count, type DataTable } from "./picture.ts";

/** What the values are. */
export interface ValueKind {
  /** What is counted, in the plural: "answers". */
  noun: string;
  /** What the values are: "latency". */
  name: string;
  format(value: number): string;
  /** Whether values are whole numbers, which bars must not be narrower than. */
  isWhole?: boolean;
}

/** A distribution with its name. */
export interface Distribution {
  name: string;
  values: LogHistogram;
}

/** Maximum bars from the smallest value to the largest. */
const BARS = 48;
/** Buckets per doubling of the value. */
const DOUBLING = Math.round(bucketsWithin(2));

interface Bins {
  edges: number[];
  /** Of each distribution. */
  counts: number[][];
}

/** Buckets of all distributions, grouped in the same way. */
function binsOf(distributions: readonly LogHistogram[], isWhole: boolean): Bins {
  const buckets = distributions.map((values) => [...values.buckets()]);
  const positions = buckets.flatMap((list) => list.map(({ position }) => position));
  let first = Math.min(...positions);
  let last = Math.max(...positions);
  // Equal values would be one bar as wide as the picture.
  const missing = DOUBLING - (last - first);
  if (missing > 0) {
    first = Math.max(0, first - Math.ceil(missing / 2));
    last += Math.ceil(missing / 2);
  }
  const one = isWhole ? bucketsWithin(1 + 1 / bucketEnd(first)) : 1;
  const group = Math.max(
    Math.min(DOUBLING, Math.ceil(one)),
    Math.ceil((last - first + 1) / BARS),
  );
  const length = Math.ceil((last - first + 1) / group);
  const edges = Array.from({ length: length + 1 }, (_, i) => bucketEnd(first - 1 + i * group));
  const counts = buckets.map((list) => {
    const sums = new Array<number>(length).fill(0);
    for (const { position, count } of list) sums[Math.floor((position - first) / group)] += count;
    return sums;
  });
  return { edges, counts };
}

const SHARES = [["p50", 0.5], ["p90", 0.9], ["p99", 0.99]] as const;

/** The share of the width that a label takes up. */
const LABEL_WIDTH = 0.09;

/** Lines at the percentiles. Those that are close together have one label. */
function percentileRules(values: LogHistogram, from: number, to: number): Rule[] {
  const rules = [
    ...SHARES.map(([label, share]) => ({ at: values.percentile(share)!, label })),
    { at: values.max, label: "max" },
  ];
  const position = (at: number) => Math.log(at / from) / Math.log(to / from);
  const labeled: { at: number; label: string }[] = [];
  for (const rule of rules) {
    const last = labeled.at(-1);
    if (last !== undefined && position(rule.at) - position(last.at) < LABEL_WIDTH) {
      last.label += `, ${rule.label}`;
      labeled.push({ at: rule.at, label: "" });
      // The label belongs to the group, wherever it ends.
      labeled.splice(-2, 2, labeled.at(-1)!, last);
    } else labeled.push(rule);
  }
  return labeled.map(({ at, label }): Rule => ({ on: "x", at, label, color: "muted" }));
}

/** The picture of one or more distributions. The last one may be drawn separately, for cached answers. */
export function distributionPlot(
  distributions: readonly Distribution[],
  { noun, name, format, isWhole = false }: ValueKind,
): Plot {
  const { edges, counts } = binsOf(distributions.map(({ values }) => values), isWhole);
  const range = (bin: number) => `${format(edges[bin])} to ${format(edges[bin + 1])}`;
  const x: Axis = {
    name,
    log: true,
    min: edges[0],
    max: edges.at(-1)!,
    ticks: logTicks(edges[0], edges.at(-1)!, format),
  };
  if (distributions.length === 1) {
    const rects = counts[0].flatMap((count, bin): Rect[] =>
      count === 0 ? [] : [{
        x: [edges[bin], edges[bin + 1]],
        y: [0, count],
        color: 0,
        title: `${range(bin)}: ${count.toLocaleString("en-US")} ${noun}`,
      }]
    );
    const rules = percentileRules(distributions[0].values, edges[0], edges.at(-1)!);
    const y = { name: noun, ...linearScale(Math.max(...counts[0])), format: compact };
    return { x, y, rects, rules };
  }
  const lines = distributions.map(({ name, values }, color): Line => ({
    color,
    title: name,
    points: values.count === 0 ? [] : counts[color].map((count, bin): [number, number] => [
      Math.sqrt(edges[bin] * edges[bin + 1]),
      count / values.count * 100,
    ]),
  }));
  const most = Math.max(...lines.flatMap(({ points }) => points.map(([, y]) => y)));
  const y: Axis = {
    name: `share of ${noun}`,
    ...linearScale(most),
    format: (value) => `${compact(value)}%`,
  };
  return { x, y, lines };
}

/** The table of distributions: their percentiles. */
export function distributionTable(
  distributions: readonly Distribution[],
  { noun, format, isWhole = false }: ValueKind,
): DataTable {
  // Percentiles are approximate, but "5.99 tokens" would puzzle readers.
  const percentile = (value: number) => format(isWhole ? Math.round(value) : value);
  const title = (title: string) => ({ title, isNumber: true });
  return {
    columns: [
      { title: "" },
      title(noun),
      ...[...SHARES.map(([name]) => name), "max"].map(title),
    ],
    rows: distributions.map(({ name, values }) => [
      name,
      count(values.count),
      ...SHARES.map(([, share]) => percentile(values.percentile(share) ?? 0)),
      format(values.max),
    ]),
  };
}

/** Nines of the percentile curve, each with a label. */
const NINES = [
  [0, "0%"],
  [Math.log10(2), "50%"],
  [1, "90%"],
  [2, "99%"],
  [3, "99.9%"],
  [4, "99.99%"],
  [5, "99.999%"],
] as const;

/** The curve of percentiles: the tail takes as much room as the rest. */
export function percentilePlot(
  distributions: readonly Distribution[],
  { name, format }: ValueKind,
): Plot {
  const largest = Math.max(...distributions.map(({ values }) => values.count));
  const end = Math.max(1, Math.min(5, Math.floor(Math.log10(Math.max(10, largest)))));
  const lines = distributions.map(({ name, values }, color): Line => {
    const points: [number, number][] = [];
    for (let nines = 0; values.count > 0 && nines <= end + 1e-9; nines += 0.05) {
      points.push([nines, values.percentile(1 - 10 ** -nines)!]);
    }
    return { color, points, title: name, filled: distributions.length === 1 };
  });
  const most = Math.max(...lines.map(({ points }) => points.at(-1)?.[1] ?? 0));
  const ticks = NINES.filter(([value]) => value <= end).map(([value, label]) => ({ value, label }));
  return {
    x: { name: "share of answers that took at most this long", min: 0, max: end, ticks },
    y: { name, ...linearScale(most), format },
    lines,
  };
}

/** The table of the curve. */
export function percentileTable(
  distributions: readonly Distribution[],
  { format }: ValueKind,
): DataTable {
  const shares = [0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999];
  return {
    columns: [
      { title: "share" },
      ...distributions.map(({ name }) => ({ title: name, isNumber: true })),
    ],
    rows: shares.map((share) => [
      `${Number((share * 100).toPrecision(6))}%`,
      ...distributions.map(({ values }) =>
        values.count === 0 ? "–" : format(values.percentile(share)!)
      ),
    ]),
  };
}
