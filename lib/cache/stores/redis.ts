/**
 * A cache store in Redis or Valkey, which many machines can share.
 *
 * An entry is one value, which expires by itself: a line with its time and model, then the packed text. While a
 * process fetches an answer, it holds a claim, a value that expires soon and that names its holder.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { entriesOf } from "../../redis/hash_entries.ts";
import type { RedisAddress } from "../../redis/redis_address.ts";
import type { RedisCommand } from "../../redis/redis_connection.ts";
import { RedisScript } from "../../redis/redis_script.ts";
import { CLAIM_LIFETIME } from "../awaited_answers.ts";
import type {
  ClaimingStore,
  ClearFilter,
  KeyedEntry,
  Lookup,
  ManagedStore,
  StoredEntry,
  StoreStats,
} from "../store.ts";
import { StatsCounter } from "../store_stats.ts";
import { claimKey, decode, encode, entryKey, hitsKey, listEntries } from "./redis_entries.ts";
import { RedisLink, type RedisLinkOptions } from "./redis_link.ts";

/** Maximum keys of a script or a command. */
const MAX_KEYS = 500;

/**
 * Reads entries, and claims those that are missing. `KEYS` are pairs of entry and claim. Returns for each the
 * entry, 1 for our own claim, or 0 for one of another process. A full memory does not keep it from reading.
 */
const READ_OR_CLAIM = new RedisScript(`
local replies = {}
for i = 1, #KEYS, 2 do
  local entry = redis.call("GET", KEYS[i])
  if not entry then
    local claim = redis.pcall("SET", KEYS[i + 1], ARGV[1], "NX", "PX", ARGV[2])
    entry = 0
    if claim or redis.call("GET", KEYS[i + 1]) == ARGV[1] then entry = 1 end
  end
  replies[#replies + 1] = entry
end
return replies
`);

/** Deletes our own claims; those of other processes stay. */
const RELEASE = new RedisScript(`
for i = 1, #KEYS do
  if redis.call("GET", KEYS[i]) == ARGV[1] then redis.call("DEL", KEYS[i]) end
end
`);

function chunks<T>(items: readonly T[], size: number): T[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, i) => items.slice(i * size, (i + 1) * size));
}

/** Milliseconds for which the counts of hits are kept after the last one, at least: 30 days. */
const HITS_KEPT = 30 * 24 * 60 * 60 * 1000;

/** The options of a {@link RedisStore}. */
export interface RedisStoreOptions extends RedisLinkOptions {
  /** Milliseconds until an entry expires; `Infinity` for never. */
  lifetime: number;
}

/** A store on a Redis server. It connects at the first use, and again after a failure. */
export class RedisStore implements ManagedStore, ClaimingStore {
  readonly kind = "redis";
  readonly location: string;
  readonly recovers = true;
  readonly #link: RedisLink;
  readonly #lifetime: number;
  /** The name of this holder of claims. */
  readonly #holder = randomUUID();
  /** Our claims, and until when they last, by `performance.now()`. */
  readonly #claims = new Map<string, number>();

  constructor(address: RedisAddress, { lifetime, ...link }: RedisStoreOptions) {
    this.location = address.shown;
    this.#link = new RedisLink(address, link);
    this.#lifetime = lifetime;
  }

  /**
   * Connects, which other methods do by themselves.
   *
   * @throws {ConfigurationError} if the server cannot be used
   */
  async connect(): Promise<void> {
    await this.#link.open();
  }

  async getMany(keys: readonly string[]): Promise<(StoredEntry | undefined)[]> {
    const values = await this.#link.read((redis) => {
      const reads = chunks(keys, MAX_KEYS).map((some) => {
        const names = some.map((key) => entryKey(redis, key));
        return redis.command(["MGET", ...names], "bytes") as Promise<(Uint8Array | null)[]>;
      });
      return Promise.all(reads);
    });
    return values.flat().map((value) => value === null ? undefined : decode(value));
  }

  async readOrClaim(keys: readonly string[]): Promise<Lookup[]> {
    const until = performance.now() + CLAIM_LIFETIME;
    // Even if no answer comes in time, the server may have given the claims.
    for (const key of keys) this.#claims.set(key, until);
    const replies = await this.#link.read((redis) => {
      const reads = chunks(keys, MAX_KEYS).map((some) => {
        const names = some.flatMap((key) => [entryKey(redis, key), claimKey(redis, key)]);
        const args = [this.#holder, CLAIM_LIFETIME];
        return redis.run(READ_OR_CLAIM, names, args, "bytes") as Promise<(Uint8Array | number)[]>;
      });
      return Promise.all(reads);
    });
    return replies.flat().map((reply, i): Lookup => {
      if (reply === 1) return "claimed";
      this.#claims.delete(keys[i]);
      // A damaged entry is replaced by the next process that reads it.
      return reply === 0 ? "awaited" : decode(reply as Uint8Array) ?? "claimed";
    });
  }

  async setMany(entries: readonly KeyedEntry[]): Promise<void> {
    const redis = await this.#link.open();
    const expiry = Number.isFinite(this.#lifetime) ? ["PX", Math.ceil(this.#lifetime)] : [];
    const commands = entries.map((entry): RedisCommand => [
      ...["SET", entryKey(redis, entry.key)] as const,
      ...[encode(entry), ...expiry],
    ]);
    // In the same round trip; the server runs them in this order.
    const written = redis.pipeline(commands);
    const released = this.release(entries.map(({ key }) => key));
    await Promise.all([written, released]);
  }

  async release(keys: readonly string[]): Promise<void> {
    const now = performance.now();
    const held = keys.filter((key) => (this.#claims.get(key) ?? -Infinity) > now);
    for (const key of keys) this.#claims.delete(key);
    if (held.length === 0) return;
    const redis = await this.#link.open();
    const runs = chunks(held, MAX_KEYS).map((some) =>
      redis.run(RELEASE, some.map((key) => claimKey(redis, key)), [this.#holder])
    );
    await Promise.all(runs);
  }

  reportLoss(report: (line: string) => void): void {
    this.#link.reportLoss(report);
  }

  async addHits(hits: ReadonlyMap<string, number>): Promise<void> {
    const redis = await this.#link.open();
    const commands = [...hits].map(([model, count]): RedisCommand => [
      ...["HINCRBY", hitsKey(redis)] as const,
      ...[model, count],
    ]);
    const kept = Math.max(HITS_KEPT, this.#lifetime);
    if (Number.isFinite(kept)) commands.push(["PEXPIRE", hitsKey(redis), Math.ceil(kept)]);
    await redis.pipeline(commands);
  }

  async stats(): Promise<StoreStats> {
    const redis = await this.#link.open();
    const counter = new StatsCounter();
    for await (const entries of listEntries(redis)) {
      for (const { head, bytes } of entries) {
        if (head !== undefined) counter.add(head.model, 1, bytes, head.created, head.created);
      }
    }
    const hits = entriesOf(await redis.command(["HGETALL", hitsKey(redis)]));
    for (const [model, count] of hits) counter.addHits(model, Number(count));
    return counter.result(this);
  }

  async clear({ model, before = Infinity }: ClearFilter = {}): Promise<number> {
    const redis = await this.#link.open();
    let removed = 0;
    for await (const entries of listEntries(redis)) {
      const keys = entries.filter(({ head }) =>
        // A damaged entry has no model, and can only be removed with all others.
        head === undefined
          ? model === undefined && before === Infinity
          : (model ?? head.model) === head.model && head.created < before
      ).map(({ key }) => key);
      if (keys.length > 0) removed += Number(await redis.command(["UNLINK", ...keys]));
    }
    if (before === Infinity) {
      await redis.command(
        model === undefined ? ["DEL", hitsKey(redis)] : ["HDEL", hitsKey(redis), model],
      );
    }
    return removed;
  }

  async prune({ before }: { before: number }): Promise<number> {
    return await this.clear({ before });
  }

  async close(): Promise<void> {
    await this.release([...this.#claims.keys()]).catch(() => {});
    await this.#link.close();
  }
}
