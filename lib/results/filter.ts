/**
 * Selects results by status, model, numbers and text.
 *
 * @module
 */
import type { ResultRecord } from "../batch/journal/result_line.ts";
import type { LineFacts } from "./line_facts.ts";
import { messageTexts, outputText } from "./message_text.ts";
import type { NumberTest } from "./number_range.ts";

/** The places to search for a text. */
export const TEXT_PLACES = ["input", "output", "error"] as const;

/** A place to search for a text. */
export type TextPlace = (typeof TEXT_PLACES)[number];

/** What selected results have in common; all conditions must hold. */
export interface ResultFilter {
  status?: "success" | "error";
  /** One of these finish reasons. */
  finishReasons?: readonly string[];
  /** One of these models, requested or reported. */
  models?: readonly string[];
  /** One of these error codes. */
  errorCodes?: readonly string[];
  /** Seconds. */
  latency?: NumberTest;
  /** USD. */
  cost?: NumberTest;
  /** Whether a text matches. */
  text?: (text: string) => boolean;
  /**
   * Where to look for the text.
   *
   * @default input and output
   */
  textIn?: TextPlace;
  /** These indexes, as ranges. */
  indexes?: readonly (readonly [first: number, last: number])[];
}

/** Whether the facts of a result meet all conditions except that on its text. */
export function matchesFacts(filter: ResultFilter, facts: LineFacts): boolean {
  const { status, finishReasons, models, errorCodes, latency, cost, indexes } = filter;
  if (status !== undefined && facts.succeeded !== (status === "success")) return false;
  if (indexes !== undefined && !isWithin(indexes, facts.index)) return false;
  if (finishReasons !== undefined && !finishReasons.includes(facts.finishReason ?? "")) {
    return false;
  }
  if (
    models !== undefined && !models.includes(facts.model ?? "") &&
    !models.includes(facts.requestedModel ?? "")
  ) return false;
  if (errorCodes !== undefined) {
    if (facts.succeeded || !errorCodes.includes(facts.errorCode ?? "unknown")) return false;
  }
  if (latency !== undefined && !latency(facts.latency)) return false;
  return cost === undefined || cost(facts.cost);
}

function isWithin(ranges: NonNullable<ResultFilter["indexes"]>, index: number): boolean {
  return ranges.some(([first, last]) => index >= first && index <= last);
}

/** Whether a result meets the condition on its text. */
export function matchesText({ text, textIn }: ResultFilter, record: ResultRecord): boolean {
  if (text === undefined) return true;
  if (textIn === "error") return text(typeof record.error === "string" ? record.error : "");
  if (textIn !== "input" && text(outputText(record))) return true;
  return textIn !== "output" && messageTexts(record).some((message) => text(message.text));
}

/**
 * Parses what to look for: a regular expression between slashes, such as `/\bcats?\b/i`, or a text, whose case
 * is ignored.
 *
 * @throws {SyntaxError} if the regular expression is invalid
 */
export function textTest(pattern: string): (text: string) => boolean {
  const [, source, flags] = /^\/(.+)\/([imsu]*)$/s.exec(pattern) ?? [];
  if (source !== undefined) {
    const expression = new RegExp(source, flags);
    return (text) => expression.test(text);
  }
  const wanted = pattern.toLowerCase();
  return (text) => text.toLowerCase().includes(wanted);
}
