/**
 * The pictures of tokens and cost: by model and endpoint, their distributions, and why answers ended.
 *
 * @module
 */
import { formatDollars } from "../../pricing/format_dollars.ts";
import { OTHERS } from "../../results/summary.ts";
import type { Bar } from "../charts/plot.ts";
import { renderBars } from "../charts/render.ts";
import { compact, shortTime } from "../charts/ticks.ts";
import type { ReportData } from "../collect.ts";
import { cutText } from "../cut_text.ts";
import { distributionPicture } from "./latency.ts";
import {
  count,
  type DataTable,
  type Drawing,
  type MissingPicture,
  percent,
  type Picture,
  seriesLegend,
} from "./picture.ts";

/** Maximum names drawn separately; all others are combined. */
const MAX_NAMES = 12;

/** The tokens and cost of a model or an endpoint. */
interface Usage {
  name: string;
  answers: number;
  failed?: number;
  promptTokens: number;
  completionTokens: number;
  /** USD, of the answers whose cost is known. */
  cost: number;
  /** Answers without a known cost. */
  unpriced: number;
  /** Seconds; `undefined` if unknown. */
  latency?: number;
}

/** Maximum bytes of a name. */
const NAME = 150;

/** The largest ones; all others are combined. */
function withOthers(usages: readonly Usage[]): Usage[] {
  const shown = usages.slice(0, MAX_NAMES)
    .map((usage) => ({ ...usage, name: cutText(usage.name, NAME) }));
  const rest = usages.slice(MAX_NAMES);
  if (rest.length === 0) return shown;
  const sum = (value: (usage: Usage) => number) =>
    rest.reduce((total, usage) => total + value(usage), 0);
  return [...shown, {
    name: OTHERS,
    answers: sum(({ answers }) => answers),
    failed: sum(({ failed = 0 }) => failed),
    promptTokens: sum(({ promptTokens }) => promptTokens),
    completionTokens: sum(({ completionTokens }) => completionTokens),
    cost: sum(({ cost }) => cost),
    unpriced: sum(({ unpriced }) => unpriced),
  }];
}

/** The cost; a lower bound if that of some answers is unknown. */
function costText({ cost, unpriced }: Usage): string {
  if (unpriced === 0) return formatDollars(cost);
  return cost === 0 ? "unknown" : `at least ${formatDollars(cost)}`;
}

function usageDrawings(usages: readonly Usage[], subject: string): Drawing[] {
  const tokens = usages.map((usage): Bar => ({
    label: usage.name,
    text: compact(usage.promptTokens + usage.completionTokens),
    parts: [
      {
        value: usage.promptTokens,
        color: 0,
        title: `${usage.name}: ${count(usage.promptTokens)} tokens in`,
      },
      {
        value: usage.completionTokens,
        color: 1,
        title: `${usage.name}: ${count(usage.completionTokens)} tokens out`,
      },
    ],
  }));
  const cost = usages.map((usage): Bar => ({
    label: usage.name,
    text: costText(usage),
    parts: [{ value: usage.cost, color: 2, title: `${usage.name}: ${costText(usage)}` }],
  }));
  return [
    { title: "Tokens", svg: renderBars({ bars: tokens }, `Tokens by ${subject}`) },
    ...usages.some(({ cost }) => cost > 0)
      ? [{ title: "Cost", svg: renderBars({ bars: cost }, `Cost by ${subject}`) }]
      : [],
  ];
}

const LEGEND = [{ name: "input tokens", color: 0 }, { name: "output tokens", color: 1 }] as const;

/** Tokens and cost by model. */
export function modelPicture(data: ReportData): Picture | MissingPicture {
  const title = "Tokens and cost by model";
  const isComparison = data.series.length > 1;
  const usages = withOthers(
    data.series.flatMap(({ name, summary }) =>
      summary.models.map(({ model, ...usage }): Usage => ({
        ...usage,
        name: isComparison && model !== name ? `${model} (${name})` : model,
      }))
    ).sort((a, b) => b.answers - a.answers),
  );
  if (usages.length === 0) return { title, reason: "the results don't name the model" };
  const numbers = ["answers", "tokens in", "tokens out", "cost"];
  return {
    title,
    caption:
      "Which models used the tokens and the money? Models have the names that servers report.",
    legend: LEGEND,
    drawings: usageDrawings(usages, "model"),
    table: {
      columns: [{ title: "model" }, ...numbers.map((title) => ({ title, isNumber: true }))],
      rows: usages.map((usage) => [
        usage.name,
        count(usage.answers),
        count(usage.promptTokens),
        count(usage.completionTokens),
        costText(usage),
      ]),
    },
  };
}

/** Tokens and cost by endpoint. */
export function endpointPicture(data: ReportData): Picture | MissingPicture {
  const title = "Endpoints";
  const isComparison = data.series.length > 1;
  const usages = withOthers(
    data.series.flatMap(({ name, endpoints }) =>
      endpoints.map(({ endpoint, succeeded, failed, latency, ...usage }): Usage => ({
        ...usage,
        name: isComparison ? `${endpoint} (${name})` : endpoint,
        answers: succeeded,
        failed,
        latency: latency.percentile(0.5),
      }))
    ),
  );
  if (usages.length === 0) return { title, reason: "the results don't name the endpoint" };
  return {
    title,
    caption: "How was the work divided among the endpoints?",
    legend: LEGEND,
    drawings: usageDrawings(usages, "endpoint"),
    table: endpointTable(usages),
  };
}

function endpointTable(usages: readonly Usage[]): DataTable {
  const numbers = ["succeeded", "failed", "median latency", "tokens in", "tokens out", "cost"];
  return {
    columns: [{ title: "endpoint" }, ...numbers.map((title) => ({ title, isNumber: true }))],
    rows: usages.map((usage) => [
      usage.name,
      count(usage.answers),
      count(usage.failed ?? 0),
      usage.latency === undefined ? "" : shortTime(usage.latency),
      count(usage.promptTokens),
      count(usage.completionTokens),
      costText(usage),
    ]),
  };
}

/** The lengths of inputs. */
export function inputPicture(data: ReportData): Picture | MissingPicture {
  return distributionPicture(data, {
    title: "Input tokens",
    caption: "How long were the prompts?",
    missing: "the results have no token counts",
    kind: { noun: "answers", name: "input tokens", format: compact, isWhole: true },
    values: ({ promptTokens }) => promptTokens,
  });
}

/** The lengths of answers. */
export function outputPicture(data: ReportData): Picture | MissingPicture {
  return distributionPicture(data, {
    title: "Output tokens",
    caption: "How long were the answers?",
    missing: "the results have no token counts",
    kind: { noun: "answers", name: "output tokens", format: compact, isWhole: true },
    values: ({ completionTokens }) => completionTokens,
  });
}

/** Why answers ended. */
export function finishPicture(data: ReportData): Picture | MissingPicture {
  const title = "Finish reasons";
  const shares = data.series.map(({ summary }) => summary.finishReasons);
  const totals = shares.map((reasons) => Object.values(reasons).reduce((sum, n) => sum + n, 0));
  const all = new Map<string, number>();
  for (const reasons of shares) {
    for (const [reason, n] of Object.entries(reasons)) all.set(reason, (all.get(reason) ?? 0) + n);
  }
  if (all.size === 0) return { title, reason: "the results have no finish reasons" };
  const sorted = [...all].sort(([, a], [, b]) => b - a).slice(0, MAX_NAMES);
  const isComparison = data.series.length > 1;
  const bars = sorted.map(([reason, total]): Bar => ({
    label: cutText(reason, NAME),
    text: `${count(total)} (${percent(total, totals.reduce((sum, n) => sum + n, 0))})`,
    parts: shares.map((reasons, i) => ({
      value: (reasons[reason] ?? 0) / (isComparison ? Math.max(1, totals[i]) : 1),
      color: i,
      title: `${data.series[i].name}: ${count(reasons[reason] ?? 0)} × ${reason}`,
    })),
  }));
  const cutOff = all.get("length") ?? 0;
  const note = cutOff === 0
    ? ""
    : ` ${count(cutOff)} were cut off at the maximum number of tokens (length).`;
  return {
    title,
    caption: `Why did answers end?${note}`,
    legend: seriesLegend(data),
    drawings: [{ svg: renderBars({ bars, grouped: isComparison }, title) }],
    table: {
      columns: [
        { title: "finish reason" },
        ...data.series.map(({ name }) => ({ title: name, isNumber: true })),
      ],
      rows: sorted.map(([reason]) => [
        reason,
        ...shares.map((reasons, i) =>
          `${count(reasons[reason] ?? 0)} (${percent(reasons[reason] ?? 0, totals[i])})`
        ),
      ]),
    },
  };
}
