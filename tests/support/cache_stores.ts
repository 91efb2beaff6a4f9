/** The cache stores that this runtime supports, for tests that all stores must pass. */
import { openKv } from "../../lib/runtime/deno_kv.ts";
import { MemoryStore } from "../../lib/cache/stores/memory.ts";
import { RedisStore } from "../../lib/cache/stores/redis.ts";
import type { ManagedStore, StoreKind } from "../../lib/cache/store.ts";
import { parseRedisAddress } from "../../lib/redis/redis_address.ts";
import { RedisServer, redisServer } from "./redis_server.ts";
import { temporaryFolder } from "./temporary_folder.ts";

/** The stores that are files. */
export const FILE_KINDS: readonly StoreKind[] = openKv === undefined
  ? ["sqlite"]
  : ["kv", "sqlite"];

export const KINDS: readonly StoreKind[] = [
  ...FILE_KINDS,
  "memory",
  ...redisServer === undefined ? [] : ["redis" as const],
];

/** The stores that several processes can share. */
export const SHARED_KINDS: readonly StoreKind[] = KINDS.filter((kind) => kind !== "memory");

/** Milliseconds in which a store answers even on a busy machine. */
const LONG = 600_000;

/** Where a store can be for one test: a file in its own folder, or a server of its own. */
export async function storePlace(kind: StoreKind): Promise<AsyncDisposable & { path: string }> {
  if (kind === "redis") {
    const server = await RedisServer.start();
    return { path: server.url, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
  }
  const folder = temporaryFolder();
  const path = folder.file("folder/of/its/own/cache");
  return { path, [Symbol.asyncDispose]: async () => await folder[Symbol.dispose]() };
}

/** Opens a store that is never given up because the machine is busy. */
export function openRedisStore(url: string, options: { lifetime?: number } = {}): RedisStore {
  const address = parseRedisAddress(url, "test");
  return new RedisStore(address, { lifetime: Infinity, readTimeout: LONG, ...options });
}

export async function openKind(
  kind: StoreKind,
  path: string,
  timeout?: number,
): Promise<ManagedStore> {
  switch (kind) {
    case "kv":
      return await (await import("../../lib/cache/stores/kv.ts")).openKvStore(path, timeout);
    case "sqlite":
      return await (await import("../../lib/cache/stores/sqlite.ts")).openSqliteStore(
        path,
        timeout,
      );
    case "redis":
      return openRedisStore(path);
    case "memory":
      return new MemoryStore();
  }
}
