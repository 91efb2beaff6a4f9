/**
 * Draws pictures as SVG with ECharts, without a browser.
 *
 * Colors are variables of the page's style sheet, so that one picture fits light and dark screens and paper.
 *
 * @module
 */
import { BarChart, CustomChart, LineChart, ScatterChart } from "echarts/charts";
import { GridComponent, MarkLineComponent, TitleComponent } from "echarts/components";
import { type EChartsCoreOption, init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { cutText } from "../cut_text.ts";
import type { Axis, BarPlot, Color, Plot } from "./plot.ts";

use([
  BarChart,
  CustomChart,
  LineChart,
  ScatterChart,
  GridComponent,
  MarkLineComponent,
  TitleComponent,
  SVGRenderer,
]);

const WIDTH = 440;
const HEIGHT = 240;
const FONT = "system-ui, sans-serif";
const TEXT = "var(--muted)";
const LINE = "var(--line)";

/** The variable of a color. */
function colorOf(color: Color): string {
  return typeof color === "number" ? `var(--s${color + 1})` : `var(--${color})`;
}

function label(text?: (value: number) => string) {
  return { color: TEXT, fontFamily: FONT, fontSize: 12, formatter: text };
}

function axisOption({ name, min, max, interval, log, ticks, format }: Axis, isX: boolean) {
  const scale = (value: number) => log ? Math.log10(value) : value;
  const values = ticks?.map(({ value }) => scale(value));
  const labels = new Map(ticks?.map(({ value, label }) => [scale(value).toPrecision(9), label]));
  const text = ticks === undefined
    ? format
    : (value: number) => labels.get(value.toPrecision(9)) ?? "";
  return {
    type: "value",
    // The name of the other axis is above the picture.
    name: isX ? name : undefined,
    nameLocation: "middle",
    nameGap: 26,
    nameTextStyle: label(),
    min: min === undefined ? undefined : scale(min),
    max: max === undefined ? undefined : scale(max),
    interval,
    splitNumber: 4,
    axisLine: { show: isX, onZero: false, lineStyle: { color: TEXT } },
    axisTick: { show: isX, lineStyle: { color: TEXT }, customValues: values },
    axisLabel: { ...label(text), customValues: values, hideOverlap: true, showMaxLabel: true },
    splitLine: { show: !isX, lineStyle: { color: LINE } },
  };
}

/** The titles of the shapes, by the position of their series and their own. */
type Titles = string[][];

function plotOption({ x, y, rects = [], lines = [], rules = [], marks = [] }: Plot) {
  const titles: Titles = [];
  const logX = (value: number) => x.log ? Math.log10(value) : value;
  const logY = (value: number) => y.log ? Math.log10(value) : value;
  const series: unknown[] = [];
  if (rects.length > 0) {
    titles.push(rects.map(({ title }) => title));
    series.push({
      type: "custom",
      emphasis: { disabled: true },
      data: rects.map((rect) => [logX(rect.x[0]), logY(rect.y[0])]),
      encode: { x: 0, y: 1 },
      clip: true,
      renderItem(
        { dataIndex }: { dataIndex: number },
        api: { coord(point: readonly [number, number]): [number, number] },
      ) {
        const { x, y, color, opacity } = rects[dataIndex];
        const [left, bottom] = api.coord([logX(x[0]), logY(y[0])]);
        const [right, top] = api.coord([logX(x[1]), logY(y[1])]);
        return {
          type: "rect",
          shape: rounded({
            x: left,
            y: top,
            // A gap between bars, unless they are too narrow for one.
            width: Math.max(0.5, right - left - (right - left > 3 ? 1 : 0)),
            height: bottom - top,
          }),
          style: { fill: colorOf(color), opacity },
        };
      },
    });
  }
  for (const { color, points, filled, dashed, title } of lines) {
    titles.push([title]);
    series.push({
      type: "line",
      emphasis: { disabled: true },
      data: points.map(([x, y]) => [logX(x), logY(y)]),
      showSymbol: false,
      lineStyle: { color: colorOf(color), width: 1.75, type: dashed ? [4, 4] : "solid" },
      areaStyle: filled ? { color: colorOf(color), opacity: 0.12 } : undefined,
    });
  }
  if (marks.length > 0) {
    titles.push(marks.map(({ title }) => title));
    series.push({
      type: "scatter",
      emphasis: { disabled: true },
      symbol: "triangle",
      symbolRotate: 180,
      symbolSize: 8,
      symbolOffset: [0, -5],
      clip: false,
      data: marks.map(({ x, color }) => ({
        value: [logX(x), y.max],
        itemStyle: { color: colorOf(color) },
      })),
    });
  }
  if (rules.length > 0) {
    titles.push([]);
    series.push({ type: "line", data: [], markLine: ruleOption(rules, x, logX, logY) });
  }
  // Room for the name of the axis, and for labels of lines in two rows.
  const top = 28 + (rules.some(({ on }) => on === "x") ? 20 : 0);
  return {
    titles,
    option: {
      title: {
        text: y.name,
        left: 0,
        top: 0,
        padding: 0,
        textStyle: { ...label(), fontWeight: 400 },
      },
      grid: { left: 12, right: 20, top, bottom: x.name === undefined ? 6 : 28, ...CONTAIN },
      xAxis: axisOption(x, true),
      yAxis: axisOption(y, false),
      series,
    },
  };
}

const CONTAIN = { outerBoundsMode: "same", outerBoundsContain: "axisLabel" };

function rounded<T extends Record<string, number>>(shape: T): T {
  const entries = Object.entries(shape).map(([name, value]) => [name, Math.round(value * 10) / 10]);
  return Object.fromEntries(entries) as T;
}

/** How a label above a line is aligned: one at an edge must not leave the picture. */
function alignment(position: number): "left" | "center" | "right" {
  return position > 0.85 ? "right" : position < 0.1 ? "left" : "center";
}

function ruleOption(
  rules: NonNullable<Plot["rules"]>,
  { min = 0, max = 1 }: Axis,
  logX: (value: number) => number,
  logY: (value: number) => number,
) {
  return {
    symbol: "none",
    silent: true,
    data: rules.map(({ on, at, label: text, color }, i) => ({
      [on === "x" ? "xAxis" : "yAxis"]: on === "x" ? logX(at) : logY(at),
      lineStyle: { color: colorOf(color), type: [3, 3], width: 1.25 },
      label: {
        ...label(() => text),
        color: color === "muted" ? TEXT : colorOf(color),
        position: on === "x" ? "end" : "insideEndTop",
        align: on === "x" ? alignment((logX(at) - logX(min)) / (logX(max) - logX(min))) : undefined,
        // Labels of neighbors must not cover one another.
        distance: on === "x" ? [0, rules.length > 1 && i % 2 === 1 ? 16 : 3] : 2,
      },
    })),
  };
}

const BAR_LABEL = 24;

function shortened(text: string): string {
  if (text.length <= BAR_LABEL) return text;
  const half = (BAR_LABEL - 1) / 2;
  return `${text.slice(0, Math.ceil(half))}…${text.slice(-Math.floor(half))}`;
}

function barOption({ bars, grouped }: BarPlot) {
  const count = Math.max(0, ...bars.map(({ parts }) => parts.length));
  const titles = Array.from(
    { length: count },
    (_, part) => bars.map(({ parts }) => parts[part]?.title ?? ""),
  );
  const total = ({ parts }: BarPlot["bars"][number]) =>
    grouped
      ? Math.max(...parts.map(({ value }) => value))
      : parts.reduce((sum, { value }) => sum + value, 0);
  const series = Array.from({ length: count }, (_, part) => ({
    type: "bar",
    stack: grouped ? undefined : "all",
    emphasis: { disabled: true },
    barCategoryGap: "32%",
    barMaxWidth: 22,
    data: bars.map(({ parts, text }) => ({
      value: parts[part]?.value ?? 0,
      itemStyle: { color: colorOf(parts[part]?.color ?? "muted") },
      label: {
        ...label(() => text),
        show: !grouped && part === parts.length - 1,
        position: "right",
        color: "var(--text)",
      },
    })),
  }));
  const labels = bars.map(({ label }) => shortened(label));
  const lengthOf = (texts: readonly string[]) => Math.max(0, ...texts.map(({ length }) => length));
  // The library's estimates are too short for wide fonts.
  const left = 8 + lengthOf(labels);
  const right = 14 + (grouped ? 0 : lengthOf(bars.map(({ text }) => text)) * 7);
  return {
    titles,
    option: {
      grid: { left, right, top: 8, bottom: 8, ...CONTAIN },
      xAxis: { type: "value", show: false, max: Math.max(...bars.map(total)) || 1 },
      yAxis: {
        type: "category",
        inverse: true,
        data: labels,
        axisLine: { show: false },
        axisTick: { show: false },
        axisLabel: { ...label(), color: "var(--text)", interval: 0 },
      },
      series,
    },
  };
}

/** Bytes of a title. */
const TITLE = 300;

function escapeTitle(title: string): string {
  const text = cutText(title, TITLE);
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

const META = / ecmeta_series_index="(\d+)"| ecmeta_data_index="(\d+)"| ecmeta_ssr_type="\w*"/g;

/** Declarations of a style attribute as attributes of their own, which every Content-Security-Policy allows. */
function presentation(style: string): string {
  return style.split(";").map((declaration) => declaration.split(":"))
    .filter(([name, value]) => value !== undefined && name !== "" && value !== "")
    .map(([name, value]) => ` ${name.trim()}="${value.trim().replaceAll('"', "'")}"`).join("");
}

/** Adds titles to the shapes, and removes what the page does not need. */
function finished(svg: string, titles: Titles, title: string): string {
  const [, opening, content] = /^(<svg[^>]*>)([\s\S]*)<\/svg>\s*$/.exec(svg)!;
  const [, width, height] = /width="(\d+)" height="(\d+)"/.exec(opening)!;
  const shapes = content
    .replace(/<style[\s\S]*?<\/style>/g, "")
    .replace(/^<rect width="\d+" height="\d+" x="0" y="0"[^>]*><\/rect>/m, "")
    .replace(/ (?:class|pointer-events)="[^"]*"/g, "")
    .replace(/ style="([^"]*)"/g, (_, style) => presentation(style))
    // The style sheet has them.
    .replace(/ (?:font-size|font-family|xml:space)="[^"]*"/g, "")
    .replace(/<(\w+)([^>]*)>(?=<\/\1>)/g, (element, name, attributes) => {
      let series = -1;
      let item = 0;
      const rest = attributes.replace(META, (_: string, inSeries?: string, inData?: string) => {
        if (inSeries !== undefined) series = Number(inSeries);
        if (inData !== undefined) item = Number(inData);
        return "";
      });
      if (series < 0) return element;
      const text = titles[series]?.[item] ?? "";
      return `<${name}${rest}>${text === "" ? "" : `<title>${escapeTitle(text)}</title>`}`;
    })
    .replace(META, "")
    // What is invisible: backgrounds of titles, lines without points, colors of clipping.
    .replace(/<path [^>]*fill-opacity="0"[^>]*stroke-width="0"><\/path>/g, "")
    .replace(/<path d=""[^>]*><\/path>/g, "")
    .replace(/(<clipPath[^>]*>\s*<path [^>]*?) fill="[^"]*"/g, "$1")
    .replace(/(<(?:path|rect)\b[^>]*)><\/\w+>/g, "$1/>")
    .replace(/\n+/g, "\n").trim();
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${
    escapeTitle(title).replaceAll('"', "&quot;")
  }"><title>${escapeTitle(title)}</title>\n${shapes}\n</svg>`;
}

function render(
  { option, titles }: { option: EChartsCoreOption; titles: Titles },
  height: number,
  title: string,
): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height });
  try {
    chart.setOption({ animation: false, ...option });
    return finished(chart.renderToSVGString(), titles, title);
  } finally {
    chart.dispose();
  }
}

/**
 * Draws a picture with two axes.
 *
 * @param title what it shows, for screen readers and as a tooltip
 */
export function renderPlot(plot: Plot, title: string): string {
  return render(plotOption(plot), HEIGHT, title);
}

/** Draws horizontal bars; the picture is as high as they need. */
export function renderBars(plot: BarPlot, title: string): string {
  const perBar = plot.grouped ? Math.max(1, ...plot.bars.map(({ parts }) => parts.length)) : 1;
  return render(barOption(plot), 16 + plot.bars.length * (16 + perBar * 12), title);
}
