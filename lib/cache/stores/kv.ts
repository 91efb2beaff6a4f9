/**
 * A store in Deno KV: a file, or a server that speaks KV Connect.
 *
 * Under `["flexllm", FORMAT]` stand the entries, each with its text where that fits into a value of KV.
 * A longer one is cut into chunks, which are named by their content and written before the entry that
 * names them. So a reader never joins chunks of two writes, and of a killed writer only chunks remain
 * that no entry names.
 *
 * @module
 */
import { hash } from "node:crypto";
import { type KvDatabase, type KvKey, openKv } from "../../runtime/runtime.ts";
import { CacheError } from "../../errors.ts";
import { checkKvFile } from "./kv_file.ts";
import { pack, unpack } from "../packing.ts";
import { PATIENCE } from "../store_timeout.ts";
import {
  type ClearFilter,
  FORMAT,
  type KeyedEntry,
  type ManagedStore,
  type StoredEntry,
  type StoreStats,
} from "../store.ts";
import { createStoreFile, isUrl, storeFileBytes } from "../store_file.ts";
import { StatsCounter } from "../store_stats.ts";

/** The most bytes of text in a value; KV allows 64 KiB with what stands around it. */
const CHUNK_BYTES = 60 * 1024;

/** The most keys that KV reads at once. */
const READ_KEYS = 10;

/** The most changes, and bytes, of one commit; KV allows 1000 and 800 KiB. */
const COMMIT_CHANGES = 100;
const COMMIT_BYTES = 600 * 1024;

/** How many entries are listed at once. */
const LIST_BATCH = 100;

/** Chunks without an entry that are younger than this may be of a writer that is still at work. */
const ORPHAN_AGE = 60 * 60 * 1000;

const ROOT: KvKey = ["flexllm"];
const ENTRIES: KvKey = ["flexllm", FORMAT, "entry"];
const CHUNKS: KvKey = ["flexllm", FORMAT, "chunk"];
const HITS: KvKey = ["flexllm", FORMAT, "hits"];

/** What stands under the key of an entry. */
interface Head {
  created: number;
  model: string;
  /** Bytes of the packed text. */
  size: number;
  /** The packed text, or its chunks. */
  value: Uint8Array | { id: string; count: number };
}

/** A change of the database; without a value it removes the key. */
interface Change {
  key: KvKey;
  value?: unknown;
  bytes: number;
}

/** The time comes first, so that the age of a chunk can be told without an entry. */
function chunkKeys({ created, value }: Head): KvKey[] {
  if (value instanceof Uint8Array) return [];
  return Array.from({ length: value.count }, (_, i) => [...CHUNKS, created, value.id, i]);
}

/** The changes that write an entry, the one that makes it visible last. */
function changesOf({ key, created, model, value }: KeyedEntry): Change[] {
  const packed = pack(value);
  const size = packed.length;
  const place = [...ENTRIES, key];
  if (size <= CHUNK_BYTES) {
    return [{
      key: place,
      value: { created, model, size, value: packed } satisfies Head,
      bytes: size,
    }];
  }
  const id = hash("sha256", packed, "base64url");
  const head: Head = { created, model, size, value: { id, count: Math.ceil(size / CHUNK_BYTES) } };
  const chunks = chunkKeys(head).map((key, i) => {
    // A copy, since KV would write the whole buffer behind a part of it.
    const chunk = packed.slice(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES);
    return { key, value: chunk, bytes: chunk.length };
  });
  return [...chunks, { key: place, value: head, bytes: 0 }];
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
  /** What KV is at work on. */
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
    return counter.result(this, isUrl(this.location) ? undefined : storeFileBytes(this.location));
  }

  async clear({ model, before }: ClearFilter = {}): Promise<number> {
    const removals: Change[] = [];
    let count = 0;
    for await (const { key, head } of this.#heads()) {
      if ((model ?? head.model) !== head.model || head.created >= (before ?? Infinity)) continue;
      count++;
      // The entry goes first: without its chunks it would be damaged.
      for (const gone of [key, ...chunkKeys(head)]) removals.push({ key: gone, bytes: 0 });
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
    // Closed while it waits for a lock, KV lets the whole program wait with it.
    await Promise.allSettled(this.#pending);
    this.#kv.close();
  }

  #list(prefix: KvKey): AsyncIterable<{ key: KvKey; value: unknown }> {
    return this.#kv.list({ prefix }, { batchSize: LIST_BATCH });
  }

  async *#heads(): AsyncGenerator<{ key: KvKey; head: Head }> {
    for await (const { key, value } of this.#list(ENTRIES)) yield { key, head: value as Head };
  }

  /** The values of keys, as many at once as KV allows. */
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

  /** Makes changes in their order, in as few commits as KV allows. */
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
 * Opens the store at `location`: a file, which is made when it is not there, or the URL of a server
 * that speaks KV Connect, whose token Deno reads from `DENO_KV_ACCESS_TOKEN`. A lock of another process
 * is waited for at most `patience` milliseconds.
 *
 * @throws {CacheError} when this runtime has no Deno KV or the file is not one of Deno KV, or an error
 *   of KV or the file system
 */
export async function openKvStore(location: string, patience = PATIENCE): Promise<KvStore> {
  if (openKv === undefined) {
    throw new CacheError("Deno KV is not there", {
      hint: "Run on Deno with --unstable-kv, or choose the store sqlite.",
    });
  }
  if (!isUrl(location)) {
    createStoreFile(location);
    await checkKvFile(location, patience);
  }
  return new KvStore(await openKv(location), location);
}
