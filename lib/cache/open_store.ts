/**
 * Selects and opens the store of the response cache.
 *
 * @module
 */
import { join, resolve } from "node:path";
import { type Environment, homeFolder } from "../files/paths.ts";
import { ConfigurationError } from "../errors.ts";
import { openKv } from "../runtime/deno_kv.ts";
import { surviveFileSizeLimit } from "../runtime/runtime.ts";
import type { BatchedStore } from "./batching_store.ts";
import { MemoryStore } from "./stores/memory.ts";
import type { CacheStore, ManagedStore, StoreKind } from "./store.ts";
import { storeError } from "./store_error.ts";
import { isRemote } from "./store_file.ts";

/** The name of a built-in store. `auto` is Deno KV on Deno, else SQLite. */
export type StoreName = "auto" | "kv" | "sqlite" | "memory";

/** All names of stores. */
export const STORE_NAMES: readonly StoreName[] = ["auto", "kv", "sqlite", "memory"];

/** Selects a built-in store. */
export interface StoreOptions {
  /**
   * The store.
   *
   * @default "auto"
   */
  store?: StoreName;
  /**
   * The file, or the URL of a KV Connect server.
   *
   * @default a file in the user's folder
   */
  path?: string;
}

/** The kind and location of a built-in store. */
export interface StoreLocation {
  kind: StoreKind;
  /** The file or URL; `undefined` for memory. */
  location: string | undefined;
}

/** Each kind has its own file, since neither can read the other's. */
const FILE_NAMES = { kv: "responses.kv", sqlite: "responses.sqlite" };

/**
 * Determines the store that `options` select, without opening it.
 *
 * @throws {ConfigurationError} if a name is unknown, or this runtime does not have the store
 */
export function locateStore(options: StoreOptions, env: Environment): StoreLocation {
  const { store = "auto", path } = options;
  if (!STORE_NAMES.includes(store)) {
    throw new ConfigurationError(`unknown cache store "${store}"`, {
      hint: `Use one of ${STORE_NAMES.join(", ")}, or an object with getMany and setMany.`,
    });
  }
  const remote = path !== undefined && isRemote(path);
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
      { hint: "Run on Deno with --unstable-kv, or use a file and the store sqlite." },
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

/**
 * Opens the built-in store that `options` select.
 *
 * @throws {ConfigurationError} if the options are invalid
 * @throws {CacheError} if the store cannot be used
 */
export async function openStore(options: StoreOptions, env: Environment): Promise<ManagedStore> {
  const { kind, location } = locateStore(options, env);
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
    throw storeError(error, location);
  }
}

/**
 * Checks which store a client uses, and returns the function that opens it: a built-in store, which the
 * client closes, or the caller's own store, which it does not.
 *
 * @throws {ConfigurationError} if an option is invalid, or this runtime does not have the store
 */
export function storeOpener(
  { store, path }: { store?: StoreName | CacheStore; path?: string },
  env: Environment,
): () => Promise<BatchedStore> {
  if (typeof store === "object" && store !== null) {
    const own = ownStore(store, path);
    return () => Promise.resolve(own);
  }
  locateStore({ store, path }, env);
  return () => openStore({ store, path }, env);
}

/** Wraps the caller's store, so that only the methods of {@link CacheStore} are called. */
function ownStore(store: CacheStore, path: string | undefined): BatchedStore {
  if (typeof store.getMany !== "function" || typeof store.setMany !== "function") {
    throw new ConfigurationError("cache store: expected an object with getMany and setMany", {
      hint: `Or use one of ${STORE_NAMES.join(", ")}.`,
    });
  }
  if (path !== undefined) {
    throw new ConfigurationError("cache path: only built-in stores have a path", {
      hint: "Remove it, or set store to kv or sqlite.",
    });
  }
  return {
    getMany: async (keys) => await store.getMany(keys),
    setMany: async (entries) => await store.setMany(entries),
  };
}
