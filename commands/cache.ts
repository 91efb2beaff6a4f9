/**
 * `flexllm cache`: what the response cache holds, and removing it.
 *
 * @module
 */
import { Command, Option } from "@commander-js/extra-typings";
import process from "node:process";
import type { CacheStore, StoreStats } from "../lib/cache/store.ts";
import type { CacheOptions } from "../lib/client/cached_calls.ts";
import { addExamples, commonFlags, numberWithin } from "./flags.ts";
import { table } from "./table.ts";
import { writeJson, writeNote, writeOutput } from "./terminal.ts";

const number = new Intl.NumberFormat("en-US");
const DAY = 24 * 60 * 60;

async function settings(configFile: string | undefined): Promise<CacheOptions> {
  const [{ readConfig }, { cacheSettings }] = await Promise.all([
    import("./connect_model.ts"),
    import("../lib/config/resolve_cache.ts"),
  ]);
  return cacheSettings(readConfig(configFile));
}

/** Opens the cache for `use`; `undefined` when there is none yet. */
async function withStore<T>(
  options: CacheOptions,
  use: (store: CacheStore) => Promise<T>,
): Promise<T | undefined> {
  const [{ openStore, storePlace, storeProblem }, { existsSync }] = await Promise.all([
    import("../lib/cache/open_store.ts"),
    import("node:fs"),
  ]);
  const { location } = storePlace(options, process.env);
  const isFile = location !== undefined && !/^https?:/.test(location);
  if (isFile && !existsSync(location)) return undefined;
  const store = await openStore(options, process.env);
  try {
    return await use(store);
  } catch (error) {
    throw storeProblem(error, location);
  } finally {
    await store.close();
  }
}

function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ["kB", "MB", "GB", "TB"];
  const power = Math.min(Math.floor(Math.log10(bytes) / 3), units.length);
  return `${(bytes / 1000 ** power).toPrecision(3)} ${units[power - 1]}`;
}

function date(time: number | undefined): string {
  return time === undefined ? "none" : new Date(time).toISOString().slice(0, 16).replace("T", " ");
}

function infoLines(stats: StoreStats): string[] {
  const { kind, location, entries, bytes, fileBytes, hits, oldest, newest, models } = stats;
  const file = fileBytes === undefined ? "" : `, file ${size(fileBytes)}`;
  return [
    `${location} (${kind})`,
    `${number.format(entries)} answers, ${size(bytes)}${file}, ${number.format(hits)} hits`,
    `written from ${date(oldest)} to ${date(newest)} UTC`,
    "",
    ...table(
      [
        { title: "model" },
        { title: "answers", align: "right" },
        { title: "size", align: "right" },
        { title: "hits", align: "right" },
      ],
      models.map((row) => [
        row.model,
        number.format(row.entries),
        size(row.bytes),
        number.format(row.hits),
      ]),
    ),
  ];
}

function infoJson(stats: StoreStats) {
  const time = (value: number | undefined) =>
    value === undefined ? null : new Date(value).toISOString();
  return {
    store: stats.kind,
    path: stats.location ?? null,
    entries: stats.entries,
    bytes: stats.bytes,
    file_bytes: stats.fileBytes ?? null,
    hits: stats.hits,
    oldest: time(stats.oldest),
    newest: time(stats.newest),
    models: stats.models,
  };
}

function info() {
  const command = new Command("info")
    .description("count what is in the cache")
    .option("--json", "print JSON")
    .addOption(commonFlags.config)
    .action(async ({ json, config }) => {
      const options = await settings(config);
      const stats = await withStore(options, (store) => store.stats());
      if (stats !== undefined) {
        if (json) writeJson(infoJson(stats));
        else writeOutput(`${infoLines(stats).join("\n")}\n`);
      } else if (json) {
        writeJson({ entries: 0, hits: 0, models: [] });
      } else writeOutput("The cache is empty.\n");
    });
  return addExamples(command, ["flexllm cache info", "flexllm cache info --json"]);
}

/** Says how many entries were removed. */
function tell(removed: number | undefined, json: true | undefined): void {
  const count = removed ?? 0;
  if (json) writeJson({ removed: count });
  else writeNote(`${number.format(count)} answers removed.`);
}

function clear() {
  const command = new Command("clear")
    .description("remove all answers, or those of one model")
    .option("-m, --model <name>", "only the answers of this model")
    .option("--json", "print JSON")
    .addOption(commonFlags.config)
    .action(async ({ model, json, config }) => {
      const options = await settings(config);
      tell(await withStore(options, (store) => store.clear({ model })), json);
    });
  return addExamples(command, ["flexllm cache clear", "flexllm cache clear -m gpt-5.4-mini"]);
}

function prune() {
  const command = new Command("prune")
    .description("remove answers that are too old to be used, and give back room")
    .addOption(
      new Option("--older-than <seconds>", "age from which on to remove (default: the cache's ttl)")
        .argParser(numberWithin(0, 1e9)),
    )
    .option("--json", "print JSON")
    .addOption(commonFlags.config)
    .action(async ({ olderThan, json, config }) => {
      const options = await settings(config);
      const age = olderThan ?? options.ttl ?? DAY;
      const now = Date.now();
      // A ttl of 0 keeps answers for ever; an age that is asked for is meant.
      const before = age === 0 && olderThan === undefined ? 0 : now - age * 1000;
      tell(await withStore(options, (store) => store.prune({ before, now })), json);
    });
  return addExamples(command, ["flexllm cache prune", "flexllm cache prune --older-than 604800"]);
}

function path() {
  const command = new Command("path")
    .description("print where the cache is")
    .option("--json", "print JSON")
    .addOption(commonFlags.config)
    .action(async ({ json, config }) => {
      const { storePlace } = await import("../lib/cache/open_store.ts");
      const { kind, location } = storePlace(await settings(config), process.env);
      if (json) writeJson({ store: kind, path: location ?? null });
      else writeOutput(`${location ?? "memory"}\n`);
    });
  return addExamples(command, ["flexllm cache path"]);
}

/** The command. */
export function cacheCommand() {
  const command = new Command("cache")
    .addCommand(info())
    .addCommand(clear())
    .addCommand(prune())
    .addCommand(path());
  return addExamples(command, [
    "flexllm cache info",
    "flexllm cache clear -m gpt-5.4-mini",
    "flexllm cache prune --older-than 604800",
  ]);
}
