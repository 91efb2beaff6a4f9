/**
 * Reads fields of jobs that services write in different forms.
 *
 * @module
 */
import { asNumber, asText } from "../json/json.ts";

/** A time in milliseconds since 1970, from seconds or a date; `undefined` if it is neither. */
export function asTime(value: unknown): number | undefined {
  const seconds = asNumber(value);
  // 0 means "not yet".
  if (seconds !== undefined) return seconds > 0 ? seconds * 1000 : undefined;
  const text = asText(value);
  if (text === undefined) return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  // Without a zone it is UTC: Python writes such dates.
  const hasZone = /(z|[+-]\d\d:?\d\d)$/i.test(text) || !text.includes(":");
  const ms = Date.parse(hasZone ? text : `${text}Z`);
  return Number.isNaN(ms) ? undefined : ms;
}
