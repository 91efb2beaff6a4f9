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
import { parseConfig, type Path } from "../files/document.ts";
import { ConfigurationError } from "../errors.ts";
import { jsonProblem } from "../json/problem.ts";
import type { PriceRow } from "./price.ts";
import type { Rate } from "./rates.ts";
import { fileReason } from "../files/reasons.ts";

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
  cache_write_hour: v.optional(rate),
  reasoning: v.optional(rate),
  request: v.optional(amount),
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
  /** Where the row came from, when it is not the user's own. */
  source: v.optional(v.string("expected a name")),
  ...priceEntries,
}, "expected a price with model, input and output");

const schema = v.strictObject({
  /** When the file was made. */
  updated: v.optional(v.string("expected a date")),
  prices: v.array(row, "expected a list of prices"),
}, "expected updated and prices");

/** A price as files write it. */
export type PriceEntry = v.InferOutput<v.StrictObjectSchema<typeof priceEntries, undefined>>;

/** The rate with its tiers in order, however they were written. */
function sorted(rate: Rate): Rate {
  if (typeof rate === "number") return rate;
  return { base: rate.base, tiers: rate.tiers.toSorted((a, b) => a.start - b.start) };
}

/** The row that an entry of a file stands for. */
export function priceRow(model: string, baseUrl: string | undefined, entry: PriceEntry): PriceRow {
  return {
    model,
    baseUrl,
    input: sorted(entry.input),
    output: sorted(entry.output),
    cachedInput: entry.cached_input && sorted(entry.cached_input),
    cacheWrite: entry.cache_write && sorted(entry.cache_write),
    cacheWriteHour: entry.cache_write_hour && sorted(entry.cache_write_hour),
    reasoning: entry.reasoning && sorted(entry.reasoning),
    request: entry.request,
  };
}

/** What is wrong at `path`, with the field's name. */
function describe(issue: v.BaseIssue<unknown>, path: Path): string {
  const field = path.at(-1);
  if (issue.expected === "never") {
    const known = Object.keys(path.length === 1 ? schema.entries : row.entries);
    return `unknown field "${field}": known are ${known.join(", ")}`;
  }
  if (issue.received === "undefined") return `the field "${field}" is missing`;
  const name = typeof field === "string" ? `${field}: ` : "";
  return `${name}${issue.message}, got ${issue.received.slice(0, 80)}`;
}

const PRICE_HINT =
  'A row is such as {"model": "qwen3", "input": 0.1, "output": 0.4}, in USD per million tokens.';

function problemAt(file: string, text: string, path: Path, problem: string): ConfigurationError {
  // Read again only for the place: reading with places takes many times longer.
  const place = parseConfig(file, text).locate(path, "value");
  return new ConfigurationError(`${place}: ${problem}`, { hint: PRICE_HINT });
}

/**
 * Reads the file at `path`; no rows when there is none.
 *
 * @throws {ConfigurationError} when it cannot be read or is not of the form, with the place
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
      hint: "Check its permissions, or remove it.",
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
    // Fetched rows come after the user's own, which win.
    if (source === undefined && seen.has(key)) {
      const where = base_url === undefined ? "" : ` at ${base_url}`;
      throw problemAt(path, text, ["prices", i], `a second price of ${model}${where}`);
    }
    seen.add(key);
    return priceRow(model, base_url, entry);
  });
}
