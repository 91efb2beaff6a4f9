/**
 * Implements `flexllm pricing`, which shows and updates model prices.
 *
 * @module
 */
import { Command, Option } from "@commander-js/extra-typings";
import { join } from "node:path";
import process from "node:process";
import type { ListedModel } from "../../lib/pricing/price_list.ts";
import type { PriceRow } from "../../lib/pricing/price.ts";
import type { Rate, Rates } from "../../lib/pricing/rates.ts";
import type { PriceChange } from "../../lib/pricing/update_prices.ts";
import { addExamples } from "../flags/shared_options.ts";
import { counted } from "../terminal/format.ts";
import { table } from "../terminal/table.ts";
import { colored, writeJson, writeOutput } from "../terminal/output.ts";
import { writeSentences } from "../terminal/sentences.ts";

/** A model and its prices, from the user's file or the price list. */
interface ModelPrice extends Rates {
  model: string;
  /** The vendor, or the server that the user's price applies to. */
  vendor: string;
  /** Tokens. */
  contextWindow?: number;
  /** Through the provider's batch API; `undefined` if that price is unknown. */
  batch?: Rates;
}

/** Maximum number of changes listed after an update. */
const MAX_CHANGES = 20;
/** Number of similar names suggested for an unknown one. */
const SUGGESTIONS = 5;

async function pricePath(): Promise<string> {
  const { homeFolder } = await import("../../lib/files/paths.ts");
  return join(homeFolder(process.env), "pricing.json");
}

/** The user's prices, then the price list. */
async function allPrices(): Promise<ModelPrice[]> {
  const [{ readPriceFile }, { ownBatchRates }, { listedModels }, path] = await Promise.all([
    import("../../lib/pricing/price_file.ts"),
    import("../../lib/pricing/price.ts"),
    import("../../lib/pricing/price_list.ts"),
    pricePath(),
  ]);
  const own = readPriceFile(path).map((price: PriceRow): ModelPrice => {
    const { baseUrl, batch: _own, ...row } = price;
    return {
      ...row,
      batch: ownBatchRates(price),
      vendor: baseUrl === undefined ? "your prices" : `your prices (${baseUrl})`,
    };
  });
  const listed = (await listedModels()).map((
    { model, provider, contextWindow, rates, batch }: ListedModel,
  ): ModelPrice => ({ ...rates, model, vendor: provider, contextWindow, batch }));
  return [...own, ...listed];
}

function amount(rate: Rate | undefined): string {
  if (rate === undefined) return "";
  // Half of a price can have more digits than its text, such as 0.15 / 2.
  const text = (price: number) => String(Number(price.toPrecision(12)));
  return typeof rate === "number" ? text(rate) : `${text(rate.base)}+`;
}

/** Converts rates to the field names of `pricing.json`. */
function ratesJson({ input, output, reasoning, request, ...cache }: Rates) {
  return {
    input,
    output,
    reasoning,
    request,
    cached_input: cache.cachedInput,
    cache_write: cache.cacheWrite,
    cache_write_hour: cache.cacheWriteHour,
  };
}

function toJson(price: ModelPrice) {
  const { model, vendor, contextWindow, batch } = price;
  return {
    model,
    vendor,
    ...ratesJson(price),
    context_window: contextWindow,
    batch: batch && ratesJson(batch),
  };
}

/** Formats a table grouped by vendor, in the order of their first rows. */
function lines(rows: readonly ModelPrice[]): string[] {
  const right = { align: "right" } as const;
  const columns = [
    { title: "model" },
    { title: "input", ...right },
    { title: "cached", ...right },
    { title: "output", ...right },
    { title: "batch in", ...right },
    { title: "batch out", ...right },
    { title: "context", ...right },
  ];
  const groups = Map.groupBy(rows, ({ vendor }) => vendor);
  const cells = [...groups].flatMap(([vendor, rows]) => [
    vendor,
    ...rows.map((row) => [
      row.model,
      amount(row.input),
      amount(row.cachedInput),
      amount(row.output),
      amount(row.batch?.input),
      amount(row.batch?.output),
      row.contextWindow === undefined ? "" : `${Math.round(row.contextWindow / 1000)}k`,
    ]),
  ]);
  return table(columns, cells);
}

async function show(name: string | undefined, json: true | undefined): Promise<void> {
  const { InvalidInputError } = await import("../../lib/errors.ts");
  const { findModels, similarModels } = await import("./find_price.ts");
  const all = await allPrices();
  const rows = name === undefined ? all : findModels(all, name);
  if (name !== undefined && rows.length === 0) {
    const similar = similarModels(all.map(({ model }) => model), name, SUGGESTIONS);
    throw new InvalidInputError(`no known price for "${name}"`, {
      hint: similar.length > 0
        ? `Similar: ${similar.join(", ")}.`
        : "`flexllm pricing` lists all known prices; add others to the configuration.",
    });
  }
  if (json) return writeJson(rows.map(toJson));
  writeOutput(`${lines(rows).join("\n")}\n`);
  writeSentences(colored(
    "dim",
    "USD per million tokens; + means that long prompts cost more. Batch prices are those of the " +
      "provider's batch API; empty means that its discount is unknown.",
  ));
}

function changeLine({ model, before, after }: PriceChange): string {
  const rate = (value: unknown) => amount(value as Rate | undefined);
  const shown = (row: PriceChange["after"]) => `${rate(row?.input)} in, ${rate(row?.output)} out`;
  if (before === undefined) return `new: ${model}: ${shown(after)}`;
  if (after === undefined) return `removed: ${model}`;
  return `changed: ${model}: ${shown(before)} -> ${shown(after)}`;
}

async function update(from: string | undefined, json: true | undefined): Promise<void> {
  const [{ OPENROUTER, updatePrices }, { defaultFetch }, { normalizeBaseUrl }, path] = await Promise
    .all([
      import("../../lib/pricing/update_prices.ts"),
      import("../../lib/transport/default_fetch.ts"),
      import("../../lib/services/base_url.ts"),
      pricePath(),
    ]);
  const baseUrl = normalizeBaseUrl(from ?? OPENROUTER);
  const { models, changes } = await updatePrices(path, baseUrl, defaultFetch);
  if (json) return writeJson({ path, models, changes });
  for (const change of changes.slice(0, MAX_CHANGES)) writeOutput(`${changeLine(change)}\n`);
  const more = changes.length - MAX_CHANGES;
  if (more > 0) writeOutput(`… and ${more} more\n`);
  const summary = changes.length === 0 ? "no changes" : counted(changes.length, "change");
  writeSentences(`${counted(models, "model")} from OpenRouter, ${summary}; saved to ${path}`);
}

/** Creates the command. */
export function pricingCommand() {
  const command = new Command("pricing")
    .argument("[model]", "model, or part of its name (default: all)")
    .option("--update", "download OpenRouter's prices to your pricing.json")
    .addOption(
      new Option("--from <url>", "base URL for --update (default: OpenRouter's)"),
    )
    .option("--json", "print JSON")
    .action(async (name, flags) => {
      if (flags.update) return await update(flags.from, flags.json);
      if (flags.from === undefined) return await show(name, flags.json);
      const { ConfigurationError } = await import("../../lib/errors.ts");
      throw new ConfigurationError("--from requires --update", {
        hint: "Add --update, or remove --from.",
      });
    });
  return addExamples(command, [
    "flexllm pricing gpt-5.4",
    "flexllm pricing --json",
    "flexllm pricing --update",
  ]);
}
