/**
 * Brings the user's price file up to date with the models that OpenRouter lists.
 *
 * Source: OpenRouter, "List available models": `GET /models`, prices in USD per token, as text.
 *
 * @module
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { ConfigurationError, MalformedResponseError } from "../errors.ts";
import { asObject, asObjects, asText, type Json } from "../json/json.ts";
import { type Fetch, send } from "../transport/http.ts";
import { readPriceFile } from "./price_file.ts";
import { fileReason } from "../files/reasons.ts";

/** Where the list comes from. */
export const OPENROUTER = "https://openrouter.ai/api/v1";
/** What the rows that were fetched say of themselves; all others are the user's own. */
const SOURCE = "openrouter";
const TIMEOUT = 60;

/** A price of one model that is not what it was. */
export interface PriceChange {
  model: string;
  /** As it stood in the file; `undefined` for a new model. */
  before: Json | undefined;
  /** As it stands now; `undefined` for a model that is no longer listed. */
  after: Json | undefined;
}

/** What an update did. */
export interface PriceUpdate {
  /** Models whose prices are known now. */
  models: number;
  changes: PriceChange[];
}

/** USD per million tokens; `undefined` for what has no price, or none that is fixed (-1). */
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
    // 0 means "no price of its own" for these.
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
  if (status !== 200) throw new MalformedResponseError(`${url} answered ${status}`);
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (cause) {
    throw new MalformedResponseError(`${url} did not answer with JSON`, { cause });
  }
  const rows = asObjects(asObject(value)?.data).map(toRow).filter((row) => row !== undefined);
  if (rows.length === 0) throw new MalformedResponseError(`${url} lists no model with a price`);
  return rows;
}

/** The rows of the file at `path`, as they stand in it. */
function fileRows(path: string): Json[] {
  // Tells what is wrong with the file, if anything is.
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

/** Puts `text` in the place of the file at once: a reader sees the old or the new one. */
function replaceFile(path: string, text: string): void {
  const temporary = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(temporary, text);
    renameSync(temporary, path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw new ConfigurationError(`cannot write ${path}: ${fileReason(cause)}`, {
      cause,
      hint: "Check the permissions of the file and its folder.",
    });
  }
}

/**
 * Fetches the prices and writes them to the file at `path`; the user's own rows stay, and come first.
 * After any error the file is as it was.
 *
 * @throws {FlexLLMError} when the list cannot be had, or the file cannot be read or written
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
  replaceFile(path, `{\n  "updated": "${updated}",\n  "prices": [\n${rows.join(",\n")}\n  ]\n}\n`);
  const changes = changesOf(before.filter(({ source }) => source === SOURCE), fetched);
  return { models: fetched.length, changes };
}
