/**
 * Opens Deno KV databases, on runtimes that have Deno KV.
 *
 * @module
 */
import { globals } from "./globals.ts";

/** A key of Deno KV. */
export type KvKey = readonly (string | number)[];

/** The parts of a `Deno.Kv` that are used here. */
export interface KvDatabase {
  /** Reads up to 10 keys. */
  getMany(keys: readonly KvKey[]): Promise<{ value: unknown }[]>;
  list(
    selector: { prefix: KvKey },
    options: { batchSize: number },
  ): AsyncIterable<{ key: KvKey; value: unknown }>;
  atomic(): KvAtomic;
  close(): void;
}

/** An atomic operation of Deno KV: all of its changes are made, or none. */
export interface KvAtomic {
  set(key: KvKey, value: unknown): KvAtomic;
  delete(key: KvKey): KvAtomic;
  sum(key: KvKey, amount: bigint): KvAtomic;
  commit(): Promise<unknown>;
}

/** Opens a Deno KV database; `undefined` if this runtime has none. */
export const openKv = globals.Deno?.openKv?.bind(globals.Deno) as
  | ((path: string) => Promise<KvDatabase>)
  | undefined;
