/**
 * A cache store in Deno KV: a file, or a KV Connect server.
 *
 * Entries are stored under `["flexllm", FORMAT]`, with their text if it fits into a KV value. A longer text is
 * split into chunks, which are named by their content and written before the entry that refers to them. So a
 * reader never joins chunks of different writes, and a killed writer only leaves unreferenced chunks.
 *
 * @module
 */
import { hash } from "node:crypto";
import { type KvDatabase, type KvKey, openKv } from "../../runtime/deno_kv.ts";
import { CacheError } from "../../errors.ts";
import { checkKvFile } from "./kv_file.ts";
import { pack, unpack } from "../packing.ts";
import { STORE_TIMEOUT } from "../store_timeout.ts";
import {
  type ClearFilter,
  FORMAT,
  type KeyedEntry,
  type ManagedStore,
  type StoredEntry,
  type StoreStats,
} from "../store.ts";
import { createStoreFile, isRemote, storeFileBytes } from "../store_file.ts";
import { StatsCounter } from "../store_stats.ts";

/** Maximum bytes of text in a value. KV allows 64 KiB including its own overhead. */
const CHUNK_BYTES = 60 * 1024;

/** Maximum keys of one read, a limit of KV. */
const READ_KEYS = 10;

/** Maximum changes and bytes of one commit. KV allows 1000 and 800 KiB. */
const COMMIT_CHANGES = 100;
const COMMIT_BYTES = 600 * 1024;

/** Entries per read when listing. */
const LIST_BATCH = 100;

/** Unreferenced chunks younger than this, in milliseconds, may belong to a write in progress. */
const ORPHAN_AGE = 60 * 60 * 1000;

const ROOT: KvKey = ["flexllm"];
const ENTRIES: KvKey = ["flexllm", FORMAT, "entry"];
const CHUNKS: KvKey = ["flexllm", FORMAT, "chunk"];
const HITS: KvKey = ["flexllm", FORMAT, "hits"];

/** The KV value of an entry. */
interface Head {
  created: number;
  model: string;
  /** The size of the packed text in bytes. */
  size: number;
  /** The packed text, or a reference to its chunks. */
  value: Uint8Array | { id: string; count: number };
}

/** A change of the database. Without a value, it deletes the key. */
interface Change {
  key: KvKey;
  value?: unknown;
  bytes: number;
}

/** The keys of an entry's chunks. They start with the time, so that the age of unreferenced chunks is known. */
function chunkKeys({ created, value }: Head): KvKey[] {
  if (value instanceof Uint8Array) return [];
  return Array.from({ length: value.count }, (_, i) => [...CHUNKS, created, value.id, i]);
}

/** The changes that write an entry. The last one makes it visible. */
function changesOf({ key, created, model, value }: KeyedEntry): Change[] {
  const packed = pack(value);
  const size = packed.length;
  const entryKey = [...ENTRIES, key];
  if (size <= CHUNK_BYTES) {
    return [{
      key: entryKey,
      value: { created, model, size, value: packed } satisfies Head,
      bytes: size,
    }];
  }
  const id = hash("sha256", packed, "base64url");
  const head: Head = { created, model, size, value: { id, count: Math.ceil(size / CHUNK_BYTES) } };
  const chunks = chunkKeys(head).map((key, i) => {
    // A copy, because KV would write the whole underlying buffer.
    const chunk = packed.slice(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES);
    return { key, value: chunk, bytes: chunk.length };
  });
  return [...chunks, { key: entryKey, value: head, bytes: 0 }];
}

function join(chunks: unknown[], size: number): Uint8Array | undefined {
  const joined = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    if (!(chunk instanceof Uint8Array) || offset + chunk.length > size) return undefined;
    joined.set(chunk, offset);
    offset += chunk.length;
  }
  return offset === size ? joined : undefined;
}

/** A store in Deno KV; see {@link openKvStore}. */
export class KvStore implements ManagedStore {
  readonly kind = "kv";
  readonly location: string;
  readonly #kv: KvDatabase;
  /** Operations in progress. */
  readonly #pending = new Set<Promise<unknown>>();

  constructor(kv: KvDatabase, location: string) {
    this.#kv = kv;
    this.location = location;
  }

  async getMany(keys: readonly string[]): Promise<(StoredEntry | undefined)[]> {
    const heads = await this.#read(keys.map((key) => [...ENTRIES, key]));
    return await Promise.all(heads.map((head) => this.#entry(head as Head | null)));
  }

  async setMany(entries: readonly KeyedEntry[]): Promise<void> {
    await this.#commit(entries.flatMap(changesOf));
  }

  async addHits(hits: ReadonlyMap<string, number>): Promise<void> {
    const atomic = this.#kv.atomic();
    for (const [model, count] of hits) atomic.sum([...HITS, model], BigInt(count));
    await this.#track(atomic.commit());
  }

  async stats(): Promise<StoreStats> {
    const counter = new StatsCounter();
    for await (const { head } of this.#heads()) {
      counter.add(head.model, 1, head.size, head.created, head.created);
    }
    for await (const { key, value } of this.#list(HITS)) {
      counter.addHits(String(key.at(-1)), Number((value as { value: bigint }).value));
    }
    return counter.result(
      this,
      isRemote(this.location) ? undefined : storeFileBytes(this.location),
    );
  }

  async clear({ model, before }: ClearFilter = {}): Promise<number> {
    const removals: Change[] = [];
    let count = 0;
    for await (const { key, head } of this.#heads()) {
      if ((model ?? head.model) !== head.model || head.created >= (before ?? Infinity)) continue;
      count++;
      // The entry before its chunks: without them it would be damaged.
      for (const removed of [key, ...chunkKeys(head)]) removals.push({ key: removed, bytes: 0 });
    }
    if (before === undefined && model !== undefined) {
      removals.push({ key: [...HITS, model], bytes: 0 });
    }
    if (before === undefined && model === undefined) {
      for await (const { key } of this.#list(ROOT)) removals.push({ key, bytes: 0 });
    }
    await this.#commit(removals);
    return count;
  }

  async prune({ before, now }: { before: number; now: number }): Promise<number> {
    const count = await this.clear({ before });
    const named = new Set<string>();
    for await (const { head } of this.#heads()) {
      if (!(head.value instanceof Uint8Array)) named.add(head.value.id);
    }
    const removals: Change[] = [];
    for await (const { key } of this.#list(CHUNKS)) {
      const [created, id] = key.slice(CHUNKS.length);
      if (!named.has(String(id)) && Number(created) < now - ORPHAN_AGE) {
        removals.push({ key, bytes: 0 });
      }
    }
    await this.#commit(removals);
    return count;
  }

  async close(): Promise<void> {
    // If KV is closed while it waits for a lock, it blocks the whole process.
    await Promise.allSettled(this.#pending);
    this.#kv.close();
  }

  #list(prefix: KvKey): AsyncIterable<{ key: KvKey; value: unknown }> {
    return this.#kv.list({ prefix }, { batchSize: LIST_BATCH });
  }

  async *#heads(): AsyncGenerator<{ key: KvKey; head: Head }> {
    for await (const { key, value } of this.#list(ENTRIES)) yield { key, head: value as Head };
  }

  /** Reads the values of keys, in as few reads as KV allows. */
  async #read(keys: readonly KvKey[]): Promise<unknown[]> {
    const groups: Promise<{ value: unknown }[]>[] = [];
    for (let i = 0; i < keys.length; i += READ_KEYS) {
      groups.push(this.#track(this.#kv.getMany(keys.slice(i, i + READ_KEYS))));
    }
    return (await Promise.all(groups)).flat().map(({ value }) => value);
  }

  async #entry(head: Head | null): Promise<StoredEntry | undefined> {
    if (head === null) return undefined;
    const packed = head.value instanceof Uint8Array
      ? head.value
      : join(await this.#read(chunkKeys(head)), head.size);
    const value = packed && unpack(packed);
    return value === undefined ? undefined : { value, created: head.created, model: head.model };
  }

  /** Makes changes in order, in as few commits as KV allows. */
  async #commit(changes: readonly Change[]): Promise<void> {
    for (let i = 0; i < changes.length;) {
      const atomic = this.#kv.atomic();
      const end = i + COMMIT_CHANGES;
      for (let bytes = 0; i < changes.length && i < end; i++) {
        const { key, value } = changes[i];
        bytes += changes[i].bytes;
        if (bytes > COMMIT_BYTES) break;
        if (value === undefined) atomic.delete(key);
        else atomic.set(key, value);
      }
      await this.#track(atomic.commit());
    }
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#pending.add(work);
    const done = () => this.#pending.delete(work);
    work.then(done, done);
    return work;
  }
}

/**
 * Opens the store at `location`: a file, which is created if necessary, or the URL of a KV Connect server,
 * whose token Deno reads from `DENO_KV_ACCESS_TOKEN`. Waits up to `timeout` milliseconds for another
 * process's lock.
 *
 * @throws {CacheError} if this runtime has no Deno KV, or the file is not a Deno KV database
 * @throws an error of KV or the file system
 */
export async function openKvStore(location: string, timeout = STORE_TIMEOUT): Promise<KvStore> {
  if (openKv === undefined) {
    throw new CacheError("this runtime has no Deno KV", {
      hint: "Run on Deno with --unstable-kv, or choose the store sqlite.",
    });
  }
  if (!isRemote(location)) {
    createStoreFile(location);
    await checkKvFile(location, timeout);
  }
  return new KvStore(await openKv(location), location);
}
