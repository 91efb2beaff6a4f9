/**
 * Which store is used, and where it is.
 *
 * @module
 */
import { join, resolve } from "node:path";
import { type Environment, homeFolder } from "../files/paths.ts";
import { CacheError, ConfigurationError, FlexLLMError } from "../errors.ts";
import { openKv } from "../runtime/deno_kv.ts";
import { surviveFileSizeLimit } from "../runtime/runtime.ts";
import { MemoryStore } from "./stores/memory.ts";
import type { CacheStore, StoreKind } from "./store.ts";
import { isUrl } from "./store_file.ts";

/** How a store can be asked for; `auto` is Deno KV where it is there, else SQLite. */
export type StoreName = "auto" | "kv" | "sqlite" | "memory";

/** All names of stores. */
export const STORE_NAMES: readonly StoreName[] = ["auto", "kv", "sqlite", "memory"];

/** Which store to open. */
export interface StoreOptions {
  /** Default `auto`. */
  store?: StoreName;
  /** The file, or the URL of a server that speaks KV Connect; default a file in the user's folder. */
  path?: string;
}

/** The kind of store, and its place, that `options` mean. */
export interface StorePlace {
  kind: StoreKind;
  /** The file or URL; `undefined` for memory. */
  location: string | undefined;
}

/** Each kind has a file of its own, since neither can read the other's. */
const FILE_NAMES = { kv: "responses.kv", sqlite: "responses.sqlite" };

/**
 * Finds out which store `options` mean, without opening it.
 *
 * @throws {ConfigurationError} when a name is unknown, or this runtime cannot open what is asked for
 */
export function storePlace(options: StoreOptions, env: Environment): StorePlace {
  const { store = "auto", path } = options;
  if (!STORE_NAMES.includes(store)) {
    throw new ConfigurationError(`unknown cache store "${store}"`, {
      hint: `Known are ${STORE_NAMES.join(", ")}.`,
    });
  }
  const remote = path !== undefined && isUrl(path);
  if (store === "memory") return { kind: "memory", location: undefined };
  if (remote && store === "sqlite") {
    throw new ConfigurationError(
      `the cache path ${path} is a URL, which only the store kv can open`,
    );
  }
  const kind = store === "auto" ? openKv === undefined && !remote ? "sqlite" : "kv" : store;
  if (kind === "kv" && openKv === undefined) {
    throw new ConfigurationError(
      remote ? `the cache path ${path} needs Deno KV` : "the cache store kv needs Deno KV",
      { hint: "Run on Deno with --unstable-kv, or give a file and the store sqlite." },
    );
  }
  if (remote && !env.DENO_KV_ACCESS_TOKEN) {
    throw new ConfigurationError(`the cache path ${path} needs an access token`, {
      hint: "Set the environment variable DENO_KV_ACCESS_TOKEN.",
    });
  }
  if (remote) return { kind, location: path };
  return { kind, location: resolve(path || join(homeFolder(env), "cache", FILE_NAMES[kind])) };
}

/** What a failure of the store at `location` means for a person. */
export function storeProblem(error: unknown, location: string | undefined): FlexLLMError {
  if (error instanceof FlexLLMError) {
    if (location === undefined || error.message.includes(location)) return error;
    return new CacheError(`${location}: ${error.message}`, { cause: error, hint: error.hint });
  }
  const place = location ?? "its store";
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const text = `${code} ${message}`;
  if (/not a database|malformed|corrupt/i.test(text)) {
    return new CacheError(`${place} is damaged, or not a cache`, {
      cause: error,
      hint: "Remove it, or choose another path.",
    });
  }
  if (/\b(locked|busy)\b/i.test(text)) {
    return new CacheError(`${place} is locked by another program`, { cause: error });
  }
  if (/ENOSPC|EDQUOT|EFBIG|is full|disk I\/O error/i.test(text)) {
    return new CacheError(`${place} cannot be written: the disk is full or failing`, {
      cause: error,
      hint: "Make room, or choose another path.",
    });
  }
  if (/EACCES|EPERM|EROFS|ENOENT|ENOTDIR|EISDIR|EEXIST|readonly|unable to open/i.test(text)) {
    return new CacheError(`${place} cannot be opened or written`, {
      cause: error,
      hint: "Choose another path, or change the permissions.",
    });
  }
  return new CacheError(`${place}: ${message}`, { cause: error });
}

/**
 * Opens the store that `options` mean.
 *
 * @throws {ConfigurationError} when the options are wrong
 * @throws {CacheError} when the store cannot be used
 */
export async function openStore(options: StoreOptions, env: Environment): Promise<CacheStore> {
  const { kind, location } = storePlace(options, env);
  if (kind === "memory" || location === undefined) return new MemoryStore();
  surviveFileSizeLimit();
  try {
    if (kind === "kv") {
      const { openKvStore } = await import("./stores/kv.ts");
      return await openKvStore(location);
    }
    const { openSqliteStore } = await import("./stores/sqlite.ts");
    return await openSqliteStore(location);
  } catch (error) {
    throw storeProblem(error, location);
  }
}
