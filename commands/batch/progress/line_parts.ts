/**
 * Joins the parts of a progress line: what fits the terminal, by rank.
 *
 * @module
 */
import { twoUnits } from "../../terminal/format.ts";
import type { Style } from "../../terminal/output.ts";

/** Colors a text, or returns it unchanged. */
export type Paint = (style: Style, text: string) => string;

/** A part of a line. */
export interface LinePart {
  text: string;
  /** Shown instead of `text` in a narrow terminal. */
  short?: string;
  /** Parts with a higher rank are dropped first. */
  rank: number;
  style?: Style;
  /** Its separator from the previous part; must be as long as {@link SEPARATOR}. */
  separator?: ": " | ", ";
}

/** Between two parts. */
const SEPARATOR = "  ";
/** An estimated duration; more precise values would only flicker. */
export function approximate(seconds: number): string {
  if (seconds < 99.5) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 100) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return twoUnits(hours, "h", minutes % 60, "min");
  return `${Math.round(hours / 24)} days`;
}

const compact = new Intl.NumberFormat("en-US", { notation: "compact" });

/** A rate with about two digits, in a unit that avoids leading zeros. */
export function speed(perSecond: number): string {
  if (perSecond >= 9.95) return `${compact.format(Math.round(perSecond))}/s`;
  if (perSecond >= 0.95) return `${perSecond.toFixed(1)}/s`;
  const perMinute = perSecond * 60;
  if (perMinute >= 0.95) return `${perMinute.toFixed(perMinute < 9.95 ? 1 : 0)}/min`;
  return `${(perMinute * 60).toFixed(1)}/h`;
}

/** Joins the parts that fit in `columns`: first as many as possible, then in their long form. */
export function fitLine(parts: readonly LinePart[], columns: number, paint: Paint): string {
  // The last column stays empty: a terminal may wrap after a full line.
  let room = columns - 1;
  const chosen = new Map<LinePart, string>();
  const byRank = parts.toSorted((a, b) => a.rank - b.rank);
  for (const part of byRank) {
    const text = part.short ?? part.text;
    const width = text.length + (chosen.size > 0 ? SEPARATOR.length : 0);
    if (width > room) continue;
    room -= width;
    chosen.set(part, text);
  }
  for (const part of byRank) {
    const more = part.text.length - (chosen.get(part)?.length ?? Infinity);
    if (!(more > 0 && more <= room)) continue;
    room -= more;
    chosen.set(part, part.text);
  }
  let line = "";
  for (const part of parts) {
    const text = chosen.get(part);
    if (text === undefined) continue;
    if (line !== "") line += part.separator ?? SEPARATOR;
    line += part.style === undefined ? text : paint(part.style, text);
  }
  return line;
}
