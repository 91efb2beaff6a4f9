/** The cache stores that this runtime supports, for tests that all stores must pass. */
import { openKv } from "../../lib/runtime/deno_kv.ts";
import { MemoryStore } from "../../lib/cache/stores/memory.ts";
import type { ManagedStore, StoreKind } from "../../lib/cache/store.ts";

/** The stores that are files. */
export const FILE_KINDS: readonly StoreKind[] = openKv === undefined
  ? ["sqlite"]
  : ["kv", "sqlite"];

export const KINDS: readonly StoreKind[] = [...FILE_KINDS, "memory"];

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
    case "memory":
      return new MemoryStore();
  }
}
