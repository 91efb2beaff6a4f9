/**
 * Defines the pictures of a report: drawings, their legend, and the same numbers as a table.
 *
 * @module
 */
import type { Color } from "../charts/plot.ts";
import type { ReportData } from "../collect.ts";

/** Rows of text. */
export interface DataTable {
  columns: readonly { title: string; isNumber?: boolean }[];
  rows: readonly (readonly string[])[];
}

/** A drawing as SVG. */
export interface Drawing {
  /** What it shows, if the picture has several. */
  title?: string;
  svg: string;
}

/** An entry of a legend. */
export interface LegendEntry {
  name: string;
  color: Color;
  /** Whether it is a mark at the edge instead of a line or an area. */
  isMark?: boolean;
}

/** A picture. */
export interface Picture {
  title: string;
  /** The question it answers, or how to read it. */
  caption: string;
  legend?: readonly LegendEntry[];
  drawings: readonly Drawing[];
  table: DataTable;
}

/** A picture that is left out. */
export interface MissingPicture {
  title: string;
  /** Why, as a clause: "no result has a cost". */
  reason: string;
}

/** Whether a picture is left out. */
export function isMissing(picture: Picture | MissingPicture): picture is MissingPicture {
  return "reason" in picture;
}

/** The legend of pictures that compare series; none for a single one. */
export function seriesLegend({ series }: ReportData): LegendEntry[] | undefined {
  return series.length < 2
    ? undefined
    : series.map(({ name }, color): LegendEntry => ({ name, color }));
}

const COUNT = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 });

/** Formats a number in full, with at most two decimals. */
export function count(value: number): string {
  return COUNT.format(value);
}

/** Formats a share of a whole. */
export function percent(part: number, whole: number): string {
  if (whole === 0) return "–";
  const share = part / whole * 100;
  if (share === 0 || share === 100) return `${share}%`;
  return `${share < 1 || share > 99 ? share.toFixed(2) : share.toFixed(1)}%`;
}
