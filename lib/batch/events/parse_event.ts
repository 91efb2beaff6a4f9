/**
 * Parses the lines of an events file. Other programs may have written to it, so every value is checked.
 *
 * @module
 */
import * as v from "valibot";
import { tryParse } from "../../json/json.ts";
import type { EventLine, MarkLine } from "./event_lines.ts";

/** The end of the year 9999, in milliseconds since 1970. */
const MAX_TIME = 253_402_300_799_999;
/** Maximum seconds and USD. */
const MAX_AMOUNT = 1e9;
/** Maximum characters of a text. */
const MAX_TEXT = 10_000;

const text = v.pipe(v.string(), v.maxLength(MAX_TEXT));
const amount = v.pipe(v.number(), v.minValue(0), v.maxValue(MAX_AMOUNT));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const time = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(MAX_TIME));
const date = v.pipe(
  text,
  v.check((value) => Date.parse(value) >= 0 && Date.parse(value) <= MAX_TIME),
);
const counts = v.optional(v.record(text, count));

const KINDS = [
  "rate_limited",
  "breaker_open",
  "breaker_closed",
  "paused",
  "budget",
  "stopped",
] as const satisfies readonly MarkLine["kind"][];

const line = v.variant("type", [
  v.object({
    type: v.literal("run"),
    at: date,
    version: text,
    runtime: text,
    command: v.optional(text),
    models: v.array(text),
    endpoints: v.array(text),
    records: count,
    restored: count,
    concurrency: count,
    budget: v.optional(amount),
    spent_before: v.optional(amount),
    settings: v.record(text, v.union([text, v.pipe(v.number(), v.finite()), v.boolean()])),
  }),
  v.object({
    type: v.literal("period"),
    at: time,
    seconds: v.pipe(amount, v.gtValue(0)),
    in_flight: count,
    waiting: count,
    succeeded: count,
    cached: v.optional(count),
    failed: counts,
    retried: counts,
    prompt_tokens: count,
    completion_tokens: count,
    cost: amount,
  }),
  v.object({
    type: v.literal("mark"),
    at: time,
    kind: v.picklist(KINDS),
    endpoint: v.optional(text),
    seconds: v.optional(amount),
    count: v.optional(count),
  }),
  v.object({
    type: v.literal("end"),
    at: date,
    outcome: v.picklist(["done", "stopped", "failed"]),
    succeeded: count,
    failed: count,
    duration: amount,
  }),
]);

/** Parses a line; `undefined` if it is torn, of an unknown type, or has a value that no writer writes. */
export function parseEvent(json: string): EventLine | undefined {
  const parsed = v.safeParse(line, tryParse(json), { abortEarly: true });
  return parsed.success ? parsed.output : undefined;
}
