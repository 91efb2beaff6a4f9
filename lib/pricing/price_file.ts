/**
 * Reads the user's prices from `pricing.json` in `~/.flexllm`.
 *
 * ```json
 * { "prices": [{ "model": "qwen3", "base_url": "http://gpu1:8000/v1", "input": 0.1, "output": 0.4 }] }
 * ```
 *
 * @module
 */
import { readFileSync } from "node:fs";
import * as v from "valibot";
import { parseConfig, type Path } from "../files/document.ts";
import { ConfigurationError } from "../errors.ts";
import { jsonProblem } from "../json/problem.ts";
import type { PriceRow } from "./price.ts";
import type { Rate, Rates } from "./rates.ts";
import { fileReason } from "../files/reasons.ts";

const amount = v.pipe(
  v.number("expected a number (USD per million tokens)"),
  v.minValue(0, "expected a number ≥ 0"),
);

const rate = v.union([
  amount,
  v.strictObject({
    base: amount,
    tiers: v.array(v.strictObject({ start: amount, price: amount })),
  }),
], "expected USD per million tokens, or base and tiers");

const rateEntries = {
  input: rate,
  output: rate,
  cached_input: v.optional(rate),
  cache_write: v.optional(rate),
  cache_write_hour: v.optional(rate),
  reasoning: v.optional(rate),
  request: v.optional(amount),
};

/** A batch price as a share of the standard one. More than 1 is allowed: some batches cost more. */
const factor = v.pipe(
  v.number("expected a number"),
  v.minValue(0, "expected a number ≥ 0"),
  v.maxValue(10, "expected a share of the standard price, such as 0.5"),
);

/** The fields of a price in files. */
export const priceEntries = {
  ...rateEntries,
  batch: v.optional(
    v.union(
      [factor, v.strictObject(rateEntries)],
      "expected a share of the standard price, such as 0.5, or input and output",
    ),
  ),
};

const url = v.pipe(
  v.string("expected a URL"),
  v.check(
    (text) => /^https?:/i.test(text) && URL.canParse(text),
    "expected a URL such as https://host/v1",
  ),
);

const row = v.strictObject({
  model: v.pipe(v.string("expected a name"), v.nonEmpty("expected a name")),
  base_url: v.optional(url),
  /** Where the row was downloaded from; absent for the user's own rows. */
  source: v.optional(v.string("expected a name")),
  ...priceEntries,
}, "expected a price with model, input and output");

const schema = v.strictObject({
  /** When the downloaded rows were last updated. */
  updated: v.optional(v.string("expected a date")),
  prices: v.array(row, "expected a list of prices"),
}, "expected updated and prices");

/** A price in a file. */
export type PriceEntry = v.InferOutput<v.StrictObjectSchema<typeof priceEntries, undefined>>;

/** Sorts the tiers of a rate by `start`. */
function sorted(rate: Rate): Rate {
  if (typeof rate === "number") return rate;
  return { base: rate.base, tiers: rate.tiers.toSorted((a, b) => a.start - b.start) };
}

/** Rates in a file. */
type RateEntry = Omit<PriceEntry, "batch">;

function ratesOf(entry: RateEntry): Rates {
  return {
    input: sorted(entry.input),
    output: sorted(entry.output),
    cachedInput: entry.cached_input && sorted(entry.cached_input),
    cacheWrite: entry.cache_write && sorted(entry.cache_write),
    cacheWriteHour: entry.cache_write_hour && sorted(entry.cache_write_hour),
    reasoning: entry.reasoning && sorted(entry.reasoning),
    request: entry.request,
  };
}

/** Converts a price in a file to a {@link PriceRow}. */
export function priceRow(model: string, baseUrl: string | undefined, entry: PriceEntry): PriceRow {
  const { batch } = entry;
  return {
    model,
    baseUrl,
    ...ratesOf(entry),
    ...batch === undefined ? {} : { batch: typeof batch === "number" ? batch : ratesOf(batch) },
  };
}

/** Describes a violation of the schema. */
function describe(issue: v.BaseIssue<unknown>, path: Path): string {
  const field = path.at(-1);
  if (issue.expected === "never") {
    const known = Object.keys(path.length === 1 ? schema.entries : row.entries);
    return `unknown field "${field}": expected one of ${known.join(", ")}`;
  }
  if (issue.received === "undefined") return `missing field "${field}"`;
  const name = typeof field === "string" ? `${field}: ` : "";
  return `${name}${issue.message}, got ${issue.received.slice(0, 80)}`;
}

const PRICE_HINT =
  'A price looks like {"model": "qwen3", "input": 0.1, "output": 0.4}, in USD per million tokens.';

function problemAt(file: string, text: string, path: Path, problem: string): ConfigurationError {
  // Parsing with positions is many times slower, so it is done only for errors.
  const place = parseConfig(file, text).locate(path, "value");
  return new ConfigurationError(`${place}: ${problem}`, { hint: PRICE_HINT });
}

/**
 * Reads the prices in the file at `path`; returns none if it does not exist.
 *
 * @throws {ConfigurationError} if it cannot be read or is invalid, with the position of the problem
 */
export function readPriceFile(path: string): PriceRow[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8").replace(/^\uFEFF/, "");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw new ConfigurationError(`cannot read ${path}: ${fileReason(cause)}`, {
      cause,
      hint: "Check its permissions, or delete it.",
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const { line, column, reason } = jsonProblem(text);
    throw new ConfigurationError(`${path}:${line}:${column}: not valid JSON (${reason})`, {
      cause,
      hint: PRICE_HINT,
    });
  }
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (!result.success) {
    const [issue] = result.issues;
    const place = (issue.path ?? []).map(({ key }) => key as string | number);
    throw problemAt(path, text, place, describe(issue, place));
  }
  const seen = new Set<string>();
  return result.output.prices.map((entry, i) => {
    const { model, base_url, source } = entry;
    const key = `${model} ${base_url}`;
    // Downloaded rows follow the user's own, which take precedence.
    if (source === undefined && seen.has(key)) {
      const where = base_url === undefined ? "" : ` at ${base_url}`;
      throw problemAt(path, text, ["prices", i], `duplicate price of ${model}${where}`);
    }
    seen.add(key);
    return priceRow(model, base_url, entry);
  });
}
