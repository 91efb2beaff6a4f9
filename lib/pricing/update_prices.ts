/**
 * Updates the user's price file with the prices of OpenRouter.
 *
 * Source: OpenRouter, "List available models": `GET /models`, prices in USD per token, as strings.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { MalformedResponseError } from "../errors.ts";
import { writeUserFile } from "../files/replace_file.ts";
import { asObject, asObjects, asText, type Json } from "../json/json.ts";
import { type Fetch, send } from "../transport/http.ts";
import { readPriceFile } from "./price_file.ts";

/** The base URL of OpenRouter. */
export const OPENROUTER = "https://openrouter.ai/api/v1";
/** Marks downloaded rows; rows without it are the user's own. */
const SOURCE = "openrouter";
/** Seconds. */
const TIMEOUT = 60;

/** A changed price. */
export interface PriceChange {
  model: string;
  /** The previous row; `undefined` for a new model. */
  before: Json | undefined;
  /** The new row; `undefined` for a model that is no longer listed. */
  after: Json | undefined;
}

/** The result of an update. */
export interface PriceUpdate {
  /** Number of downloaded prices. */
  models: number;
  changes: PriceChange[];
}

/** Converts to USD per million tokens; `undefined` if there is no price or it varies (-1). */
function perMillion(value: unknown): number | undefined {
  const price = typeof value === "number" ? value : Number(asText(value) ?? NaN);
  return price >= 0 ? Number((price * 1e6).toPrecision(12)) : undefined;
}

function toRow(model: Json): Json | undefined {
  const id = asText(model.id);
  const pricing = asObject(model.pricing);
  const input = perMillion(pricing?.prompt);
  const output = perMillion(pricing?.completion);
  if (id === undefined || input === undefined || output === undefined) return undefined;
  const row: Json = { model: id, base_url: OPENROUTER, input, output };
  const rates: [string, unknown][] = [
    ["cached_input", pricing!.input_cache_read],
    ["cache_write", pricing!.input_cache_write],
    ["reasoning", pricing!.internal_reasoning],
  ];
  for (const [name, value] of rates) {
    const rate = perMillion(value);
    // Here, 0 means that there is no separate price.
    if (rate !== undefined && rate > 0) row[name] = rate;
  }
  const request = Number(asText(pricing!.request) ?? NaN);
  if (request > 0) row.request = request;
  return { ...row, source: SOURCE };
}

async function fetchRows(baseUrl: string, fetch: Fetch): Promise<Json[]> {
  const url = `${baseUrl}/models`;
  const headers = { accept: "application/json" };
  const { status, body } = await send({ url, headers }, fetch, { timeout: TIMEOUT });
  if (status !== 200) throw new MalformedResponseError(`${url} responded with status ${status}`);
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (cause) {
    throw new MalformedResponseError(`${url} did not respond with JSON`, { cause });
  }
  const rows = asObjects(asObject(value)?.data).map(toRow).filter((row) => row !== undefined);
  if (rows.length === 0) throw new MalformedResponseError(`${url} lists no models with prices`);
  return rows;
}

/** The rows of the file at `path`, unconverted. */
function fileRows(path: string): Json[] {
  // Throws if the file is invalid.
  if (readPriceFile(path).length === 0) return [];
  return asObjects(asObject(JSON.parse(readFileSync(path, "utf8")))?.prices);
}

function changesOf(before: readonly Json[], after: readonly Json[]): PriceChange[] {
  const old = new Map(before.map((row) => [String(row.model), row]));
  const changes: PriceChange[] = [];
  for (const row of after) {
    const model = String(row.model);
    const was = old.get(model);
    old.delete(model);
    if (JSON.stringify(was) !== JSON.stringify(row)) {
      changes.push({ model, before: was, after: row });
    }
  }
  for (const [model, row] of old) changes.push({ model, before: row, after: undefined });
  return changes;
}

/**
 * Downloads the prices and writes them to the file at `path`, after the user's own rows, which are
 * preserved. If an error occurs, the file is unchanged.
 *
 * @throws {FlexLLMError} if the download fails, or the file cannot be read or written
 */
export async function updatePrices(
  path: string,
  baseUrl: string,
  fetch: Fetch,
): Promise<PriceUpdate> {
  const before = fileRows(path);
  const fetched = await fetchRows(baseUrl, fetch);
  const own = before.filter(({ source }) => source !== SOURCE);
  const updated = new Date().toISOString();
  const rows = [...own, ...fetched].map((row) => `    ${JSON.stringify(row)}`);
  const text = `{\n  "updated": "${updated}",\n  "prices": [\n${rows.join(",\n")}\n  ]\n}\n`;
  writeUserFile(path, text, false);
  const changes = changesOf(before.filter(({ source }) => source === SOURCE), fetched);
  return { models: fetched.length, changes };
}
