/**
 * The user's own prices: `pricing.json` in the folder of flexllm.
 *
 * ```json
 * { "prices": [{ "model": "qwen3", "base_url": "http://gpu1:8000/v1", "input": 0.1, "output": 0.4 }] }
 * ```
 *
 * @module
 */
import { readFileSync } from "node:fs";
import * as v from "valibot";
import { ConfigurationError } from "../errors.ts";
import { jsonProblem } from "../json_problem.ts";
import type { PriceRow } from "./price.ts";

const amount = v.pipe(
  v.number("expected a number, USD per million tokens"),
  v.minValue(0, "expected 0 or more"),
);

const rate = v.union([
  amount,
  v.strictObject({
    base: amount,
    tiers: v.array(v.strictObject({ start: amount, price: amount })),
  }),
], "expected USD per million tokens, or base and tiers");

/** The fields of a price, as files name them. */
export const priceEntries = {
  input: rate,
  output: rate,
  cached_input: v.optional(rate),
  cache_write: v.optional(rate),
  reasoning: v.optional(rate),
  request: v.optional(amount),
};

const schema = v.strictObject({
  /** When the file was made. */
  updated: v.optional(v.string()),
  prices: v.array(v.strictObject({
    model: v.pipe(v.string(), v.nonEmpty()),
    base_url: v.optional(v.string()),
    /** Where the row came from, when it is not the user's own. */
    source: v.optional(v.string()),
    ...priceEntries,
  })),
});

/** A price as files write it. */
export type PriceEntry = v.InferOutput<v.StrictObjectSchema<typeof priceEntries, undefined>>;

/** The row that an entry of a file stands for. */
export function priceRow(model: string, baseUrl: string | undefined, entry: PriceEntry): PriceRow {
  return {
    model,
    baseUrl,
    input: entry.input,
    output: entry.output,
    cachedInput: entry.cached_input,
    cacheWrite: entry.cache_write,
    reasoning: entry.reasoning,
    request: entry.request,
  };
}

/**
 * Reads the file at `path`; no rows when there is none.
 *
 * @throws {ConfigurationError} when it cannot be read or is not of the form, with the place
 */
export function readPriceFile(path: string): PriceRow[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return [];
    const reason = cause instanceof Error ? cause.message : cause;
    throw new ConfigurationError(`cannot read ${path}: ${reason}`, { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const { line, column, reason } = jsonProblem(text);
    throw new ConfigurationError(`${path}:${line}:${column}: not valid JSON (${reason})`, {
      cause,
    });
  }
  const result = v.safeParse(schema, value);
  if (!result.success) {
    const [issue] = result.issues;
    const place = v.getDotPath(issue);
    throw new ConfigurationError(`${path}: ${place ? `${place}: ` : ""}${issue.message}`);
  }
  return result.output.prices.map((entry) => priceRow(entry.model, entry.base_url, entry));
}
