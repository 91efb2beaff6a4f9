/**
 * `flexllm cache`: what the response cache holds, and removing it.
 *
 * @module
 */
import { Command, Option } from "@commander-js/extra-typings";
import process from "node:process";
import { DEFAULT_TTL } from "../lib/cache/response_cache.ts";
import type { ManagedStore, StoreStats } from "../lib/cache/store.ts";
import type { CacheSettings } from "../lib/config/resolve_cache.ts";
import { addExamples, commonFlags, numberWithin } from "./flags/shared_options.ts";
import { table } from "./terminal/table.ts";
import { writeJson, writeNote, writeOutput } from "./terminal/output.ts";

const number = new Intl.NumberFormat("en-US");

/** What the configuration says of the cache. */
async function settings(configFile: string | undefined): Promise<{
  options: CacheSettings;
  /** What answers of the model of that name are kept under: its id. */
  idOf(name: string): string;
}> {
  const [{ readConfig }, { cacheSettings }, { modelId }, { requireApproval }] = await Promise.all([
    import("./connect.ts"),
    import("../lib/config/resolve_cache.ts"),
    import("../lib/config/resolve_model.ts"),
    import("../lib/config/trust.ts"),
  ]);
  const config = readConfig(configFile);
  requireApproval(config, ["cache"]);
  return { options: cacheSettings(config), idOf: (name) => modelId(config, name) };
}

/** Opens the cache for `use`; `undefined` when there is none yet. */
async function withStore<T>(
  options: CacheSettings,
  use: (store: ManagedStore) => Promise<T>,
): Promise<T | undefined> {
  const [{ openStore, locateStore }, { storeError }, { existsSync }] = await Promise.all([
    import("../lib/cache/open_store.ts"),
    import("../lib/cache/store_error.ts"),
    import("node:fs"),
  ]);
  const { location } = locateStore(options, process.env);
  const isFile = location !== undefined && !/^https?:/.test(location);
  if (isFile && !existsSync(location)) return undefined;
  const store = await openStore(options, process.env);
  try {
    return await use(store);
  } catch (error) {
    throw storeError(error, location);
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
    ...location === undefined ? [] : [`${location} (${kind})`],
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
      models.filter((row) => row.entries > 0).map((row) => [
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
      const { options } = await settings(config);
      const stats = await withStore(options, (store) => store.stats());
      if (json) {
        writeJson(stats === undefined ? { entries: 0, hits: 0, models: [] } : infoJson(stats));
      } else if (stats === undefined || stats.entries === 0) {
        writeOutput(
          stats?.kind === "memory"
            ? "The cache is kept in memory, so each process has its own, for as long as it runs.\n"
            : "The cache is empty.\n",
        );
      } else writeOutput(`${infoLines(stats).join("\n")}\n`);
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
      const { options, idOf } = await settings(config);
      const id = model === undefined ? undefined : idOf(model);
      const found = await withStore(options, async (store) => {
        const { models } = await store.stats();
        return { models, removed: await store.clear({ model: id }) };
      });
      const others = (found?.models ?? []).filter(({ entries }) => entries > 0);
      if (id !== undefined && !json && others.length > 0 && found?.removed === 0) {
        const names = others.map(({ model }) => model).join(", ");
        return writeNote(`There is no answer of ${id} in the cache; there are some of ${names}.`);
      }
      tell(found?.removed, json);
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
      const { options } = await settings(config);
      const age = olderThan ?? options.ttl ?? DEFAULT_TTL;
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
      const { locateStore } = await import("../lib/cache/open_store.ts");
      const { kind, location } = locateStore((await settings(config)).options, process.env);
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
