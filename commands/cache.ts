/**
 * Implements `flexllm cache`, which inspects and clears the response cache.
 *
 * @module
 */
import { Command, Option } from "@commander-js/extra-typings";
import process from "node:process";
import { DEFAULT_TTL, type ManagedStore, type StoreStats } from "../lib/cache/store.ts";
import type { CacheSettings } from "../lib/config/resolve_cache.ts";
import { duration } from "./flags/parse.ts";
import { addExamples, commonFlags } from "./flags/shared_options.ts";
import { bytes, COUNT, counted } from "./terminal/format.ts";
import { table } from "./terminal/table.ts";
import { writeJson, writeNote, writeOutput } from "./terminal/output.ts";
import { writeSentences } from "./terminal/sentences.ts";

const cacheRedis = new Option(
  "--redis <url>",
  "Redis or Valkey server that has the cache (env: FLEXLLM_REDIS_URL)",
);

/** The flags that all of these commands have. */
interface CacheCommandFlags {
  config?: string;
  redis?: string;
}

/** Reads the cache settings from the flags and the configuration. */
async function settings(flags: CacheCommandFlags): Promise<{
  options: CacheSettings;
  /** Returns the id of a configured model: the name under which its responses are cached. */
  idOf(name: string): string;
}> {
  const [
    { readConfig },
    { cacheSettings, reachableCache },
    { modelId },
    { resolveRedis },
    { requireApproval },
  ] = await Promise.all([
    import("./read_config.ts"),
    import("../lib/config/resolve_cache.ts"),
    import("../lib/config/models.ts"),
    import("../lib/config/resolve_redis.ts"),
    import("../lib/config/trust.ts"),
  ]);
  const config = readConfig(flags.config);
  requireApproval(config, ["cache"]);
  const redis = resolveRedis(config, process.env, flags);
  const options = reachableCache(config, cacheSettings(config), process.env, redis);
  return { options, idOf: (name) => modelId(config.value, name) };
}

/** Opens the cache and passes it to `use`; returns `undefined` if it does not exist yet. */
async function withStore<T>(
  options: CacheSettings,
  use: (store: ManagedStore) => Promise<T>,
): Promise<T | undefined> {
  const [{ openStore, locateStore }, { storeError }, { isRemote }, { existsSync }] = await Promise
    .all([
      import("../lib/cache/open_store.ts"),
      import("../lib/cache/store_error.ts"),
      import("../lib/cache/store_file.ts"),
      import("node:fs"),
    ]);
  const { location } = locateStore(options, process.env);
  const isFile = location !== undefined && !isRemote(location);
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

function date(time: number | undefined): string {
  return time === undefined ? "none" : new Date(time).toISOString().slice(0, 16).replace("T", " ");
}

function infoLines(stats: StoreStats): string[] {
  const { kind, location, entries, bytes: size, fileBytes, hits, oldest, newest, models } = stats;
  const file = fileBytes === undefined ? "" : `, file ${bytes(fileBytes)}`;
  return [
    ...location === undefined ? [] : [`${location} (${kind})`],
    `${counted(entries, "response")}, ${bytes(size)}${file}, ${counted(hits, "hit")}`,
    `written between ${date(oldest)} and ${date(newest)} UTC`,
    "",
    ...table(
      [
        { title: "model" },
        { title: "responses", align: "right" },
        { title: "size", align: "right" },
        { title: "hits", align: "right" },
      ],
      models.filter((row) => row.entries > 0).map((row) => [
        row.model,
        COUNT.format(row.entries),
        bytes(row.bytes),
        COUNT.format(row.hits),
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
    .description("show the size and contents of the cache")
    .option("--json", "print JSON")
    .addOption(cacheRedis)
    .addOption(commonFlags.config)
    .action(async ({ json, ...flags }) => {
      const { options } = await settings(flags);
      const stats = await withStore(options, (store) => store.stats());
      if (json) {
        writeJson(stats === undefined ? { entries: 0, hits: 0, models: [] } : infoJson(stats));
      } else if (stats === undefined || stats.entries === 0) {
        writeOutput(
          stats?.kind === "memory"
            ? "The cache is in memory: each process has its own, which ends with it.\n"
            : "The cache is empty.\n",
        );
      } else writeOutput(`${infoLines(stats).join("\n")}\n`);
    });
  return addExamples(command, ["flexllm cache info", "flexllm cache info --json"]);
}

function printRemoved(removed = 0, json: true | undefined): void {
  if (json) writeJson({ removed });
  else writeNote(`Deleted ${counted(removed, "cached response")}.`);
}

function clear() {
  const command = new Command("clear")
    .description("delete all cached responses, or those of one model")
    .option("-m, --model <name>", "delete only responses of this model")
    .option("--json", "print JSON")
    .addOption(cacheRedis)
    .addOption(commonFlags.config)
    .action(async ({ model, json, ...flags }) => {
      const { options, idOf } = await settings(flags);
      const id = model === undefined ? undefined : idOf(model);
      const result = await withStore(options, async (store) => {
        const { models } = await store.stats();
        return { models, removed: await store.clear({ model: id }) };
      });
      const others = (result?.models ?? []).filter(({ entries }) => entries > 0);
      if (id !== undefined && !json && others.length > 0 && result?.removed === 0) {
        const names = others.map(({ model }) => model).join(", ");
        return writeSentences(`No cached responses from ${id} (cached models: ${names}).`);
      }
      printRemoved(result?.removed, json);
    });
  return addExamples(command, ["flexllm cache clear", "flexllm cache clear -m gpt-5.4-mini"]);
}

function prune() {
  const command = new Command("prune")
    .description("delete expired responses and reclaim disk space")
    .addOption(
      new Option(
        "--older-than <duration>",
        "delete responses older than this, e.g. 12h or 7d (default: the cache's ttl)",
      ).argParser(duration(1e9)),
    )
    .option("--json", "print JSON")
    .addOption(cacheRedis)
    .addOption(commonFlags.config)
    .action(async ({ olderThan, json, ...flags }) => {
      const { options } = await settings(flags);
      const age = olderThan ?? options.ttl ?? DEFAULT_TTL;
      const now = Date.now();
      // A ttl of 0 means no expiry, but --older-than 0 means everything.
      const before = age === 0 && olderThan === undefined ? 0 : now - age * 1000;
      printRemoved(await withStore(options, (store) => store.prune({ before, now })), json);
    });
  return addExamples(command, ["flexllm cache prune", "flexllm cache prune --older-than 7d"]);
}

function path() {
  const command = new Command("path")
    .description("print the location of the cache")
    .option("--json", "print JSON")
    .addOption(cacheRedis)
    .addOption(commonFlags.config)
    .action(async ({ json, ...flags }) => {
      const { locateStore } = await import("../lib/cache/open_store.ts");
      const { kind, location } = locateStore((await settings(flags)).options, process.env);
      if (json) writeJson({ store: kind, path: location ?? null });
      else writeOutput(`${location ?? "memory"}\n`);
    });
  return addExamples(command, ["flexllm cache path"]);
}

/** Creates the command. */
export function cacheCommand() {
  const command = new Command("cache")
    .addCommand(info())
    .addCommand(clear())
    .addCommand(prune())
    .addCommand(path());
  return addExamples(command, [
    "flexllm cache info",
    "flexllm cache clear -m gpt-5.4-mini",
    "flexllm cache prune --older-than 7d",
    "flexllm cache info --redis redis://localhost:6379",
  ]);
}
