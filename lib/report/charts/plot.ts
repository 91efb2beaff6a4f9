/**
 * Describes pictures independently of the library that draws them.
 *
 * @module
 */
import type { Tick } from "./ticks.ts";

/** A horizontal or vertical axis. */
export interface Axis {
  /** What it shows, in a few words. */
  name?: string;
  min?: number;
  max?: number;
  /** The distance between marks, unless `ticks` are given. */
  interval?: number;
  /** Whether the axis is logarithmic. */
  log?: boolean;
  /** @default the library's choice */
  ticks?: readonly Tick[];
  /** Formats the labels, unless `ticks` are given. */
  format?: (value: number) => string;
}

/** A color of a picture: that of a series, or one with a meaning. */
export type Color = number | "muted" | "bad" | "warn" | "good";

/** A rectangle, in the units of the axes. */
export interface Rect {
  x: readonly [from: number, to: number];
  y: readonly [from: number, to: number];
  color: Color;
  /** 0 to 1. @default 1 */
  opacity?: number;
  /** Shown by the browser as a tooltip. */
  title: string;
}

/** A line through points. */
export interface Line {
  color: Color;
  points: readonly (readonly [x: number, y: number])[];
  /** Whether the area below it is tinted. */
  filled?: boolean;
  dashed?: boolean;
  title: string;
}

/** A labeled line across the picture. */
export interface Rule {
  /** The axis that it crosses. */
  on: "x" | "y";
  at: number;
  label: string;
  color: Color;
}

/** A mark at one point. */
export interface Mark {
  x: number;
  color: Color;
  title: string;
}

/** A picture with two axes. */
export interface Plot {
  x: Axis;
  y: Axis;
  rects?: readonly Rect[];
  lines?: readonly Line[];
  rules?: readonly Rule[];
  /** Triangles along the upper edge. */
  marks?: readonly Mark[];
}

/** A bar of a {@link BarPlot}: its parts in the order of its colors. */
export interface Bar {
  label: string;
  parts: readonly { value: number; color: Color; title: string }[];
  /** The text at its end. */
  text: string;
}

/** A picture with horizontal bars. */
export interface BarPlot {
  bars: readonly Bar[];
  /** Whether parts are drawn below each other instead of one after the other. */
  grouped?: boolean;
}
