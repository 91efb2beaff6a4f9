/**
 * `flexllm pricing`: what models cost.
 *
 * @module
 */
import { Command, Option } from "@commander-js/extra-typings";
import { join } from "node:path";
import process from "node:process";
import type { ListedModel } from "../../lib/pricing/price_list.ts";
import type { Rate, Rates } from "../../lib/pricing/rates.ts";
import type { PriceChange } from "../../lib/pricing/update_prices.ts";
import { addExamples } from "../flags/shared_options.ts";
import { table } from "../terminal/table.ts";
import { colored, writeJson, writeNote, writeOutput } from "../terminal/output.ts";

/** A model and its prices, wherever they come from. */
interface Row extends Rates {
  model: string;
  /** The vendor, or the server that the user's price holds for. */
  vendor: string;
  contextWindow?: number;
}

/** How many changes are shown one by one. */
const SHOWN_CHANGES = 20;
/** How many suggestions are made for a name that nothing has. */
const SUGGESTIONS = 5;

function pricePath(): Promise<string> {
  return import("../../lib/files/paths.ts")
    .then(({ homeFolder }) => join(homeFolder(process.env), "pricing.json"));
}

/** The user's prices first, then the list's. */
async function allRows(): Promise<Row[]> {
  const [{ readPriceFile }, { listedModels }, path] = await Promise.all([
    import("../../lib/pricing/price_file.ts"),
    import("../../lib/pricing/price_list.ts"),
    pricePath(),
  ]);
  const own = readPriceFile(path).map(({ baseUrl, ...row }) => ({
    ...row,
    vendor: baseUrl === undefined ? "your prices" : `your prices (${baseUrl})`,
  }));
  const listed = (await listedModels()).map((
    { model, provider, contextWindow, rates }: ListedModel,
  ) => ({ ...rates, model, vendor: provider, contextWindow }));
  return [...own, ...listed];
}

function amount(rate: Rate | undefined): string {
  if (rate === undefined) return "";
  if (typeof rate === "number") return String(rate);
  return `${rate.base}+`;
}

/** With the names that `pricing.json` has. */
function toJson({ cachedInput, cacheWrite, cacheWriteHour, contextWindow, vendor, ...row }: Row) {
  const { model, ...rates } = row;
  return {
    model,
    vendor,
    ...rates,
    cached_input: cachedInput,
    cache_write: cacheWrite,
    cache_write_hour: cacheWriteHour,
    context_window: contextWindow,
  };
}

/** A table by vendor, in the order in which the vendors come first. */
function lines(rows: readonly Row[]): string[] {
  const right = { align: "right" } as const;
  const columns = [
    { title: "model" },
    { title: "input", ...right },
    { title: "cached", ...right },
    { title: "output", ...right },
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
      row.contextWindow === undefined ? "" : `${Math.round(row.contextWindow / 1000)}k`,
    ]),
  ]);
  return table(columns, cells);
}

async function show(name: string | undefined, json: true | undefined): Promise<void> {
  const { InvalidInputError } = await import("../../lib/errors.ts");
  const { findModels, similarModels } = await import("./find_price.ts");
  const all = await allRows();
  const rows = name === undefined ? all : findModels(all, name);
  if (name !== undefined && rows.length === 0) {
    const close = similarModels(all.map(({ model }) => model), name, SUGGESTIONS);
    throw new InvalidInputError(`no price is known of a model like "${name}"`, {
      hint: `Close to it are ${close.join(", ")}.`,
    });
  }
  if (json) return writeJson(rows.map(toJson));
  writeOutput(`${lines(rows).join("\n")}\n`);
  writeNote(colored("dim", "USD per million tokens; + means more for long prompts."));
}

function changeLine({ model, before, after }: PriceChange): string {
  const rate = (value: unknown) => amount(value as Rate | undefined);
  const shown = (row: PriceChange["after"]) => `${rate(row?.input)} in, ${rate(row?.output)} out`;
  if (before === undefined) return `new: ${model}: ${shown(after)}`;
  if (after === undefined) return `gone: ${model}`;
  return `changed: ${model}: ${shown(before)} -> ${shown(after)}`;
}

async function update(from: string | undefined, json: true | undefined): Promise<void> {
  const [{ OPENROUTER, updatePrices }, { defaultFetch }, { normalizeBaseUrl }, path] = await Promise
    .all([
      import("../../lib/pricing/update_prices.ts"),
      import("../../lib/runtime/runtime.ts"),
      import("../../lib/services/base_url.ts"),
      pricePath(),
    ]);
  const baseUrl = normalizeBaseUrl(from ?? OPENROUTER);
  const { models, changes } = await updatePrices(path, baseUrl, defaultFetch);
  if (json) return writeJson({ path, models, changes });
  for (const change of changes.slice(0, SHOWN_CHANGES)) writeOutput(`${changeLine(change)}\n`);
  const more = changes.length - SHOWN_CHANGES;
  if (more > 0) writeOutput(`… and ${more} more\n`);
  const count = changes.length === 1 ? "1 change" : `${changes.length} changes`;
  const what = changes.length === 0 ? "nothing changed" : count;
  writeNote(`${models} models of OpenRouter, ${what}; written to ${path}`);
}

/** The command. */
export function pricingCommand() {
  const command = new Command("pricing")
    .argument("[model]", "a model, or a part of its name; all when left out")
    .option("--update", "fetch OpenRouter's prices into your pricing.json")
    .addOption(
      new Option("--from <url>", "where --update fetches them (default: OpenRouter's base URL)"),
    )
    .option("--json", "print JSON")
    .action((name, flags) =>
      flags.update ? update(flags.from, flags.json) : show(name, flags.json)
    );
  return addExamples(command, [
    "flexllm pricing gpt-5.4",
    "flexllm pricing --json",
    "flexllm pricing --update",
  ]);
}
