/**
 * Encodes, names and lists the entries of a cache on a Redis server.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { RedisCommand, RedisConnection } from "../../redis/redis_connection.ts";
import { pack, unpack } from "../packing.ts";
import { FORMAT, type KeyedEntry, type StoredEntry } from "../store.ts";

/** Keys that the server looks at per step of a listing. */
const SCAN_COUNT = 1000;

/** The first bytes of a value, which hold its time and model. */
const HEAD_BYTES = 1024;

const NEWLINE = 10;

/** Encodes an entry: a line with its time and model, then the packed text. */
export function encode({ created, model, value }: KeyedEntry): Uint8Array {
  return Buffer.concat([Buffer.from(`${JSON.stringify([created, model])}\n`), pack(value)]);
}

/** The time and model of a value, from its first line; `undefined` if it is damaged. */
function headOf(line: string): { created: number; model: string } | undefined {
  try {
    const [created, model] = JSON.parse(line);
    return typeof created === "number" && typeof model === "string"
      ? { created, model }
      : undefined;
  } catch {
    return undefined;
  }
}

/** Decodes an entry; `undefined` if it is damaged. */
export function decode(bytes: Uint8Array): StoredEntry | undefined {
  const end = bytes.indexOf(NEWLINE);
  const head = headOf(new TextDecoder().decode(bytes.subarray(0, Math.max(end, 0))));
  const value = unpack(bytes.subarray(end + 1));
  return head === undefined || value === undefined ? undefined : { value, ...head };
}

/** A listed entry. */
export interface ListedEntry {
  key: string;
  head: { created: number; model: string } | undefined;
  bytes: number;
}

/** The key of an entry. */
export function entryKey(redis: RedisConnection, key: string): string {
  return redis.key("cache", FORMAT, "entry", key);
}

/** The key of a claim. */
export function claimKey(redis: RedisConnection, key: string): string {
  return redis.key("cache", FORMAT, "claim", key);
}

/** A hash with the hits of each model. It lasts as long as the entries at least. */
export function hitsKey(redis: RedisConnection): string {
  return redis.key("cache", FORMAT, "hits");
}

/** Lists all entries, some at a time, without blocking the server. */
export async function* listEntries(redis: RedisConnection): AsyncGenerator<ListedEntry[]> {
  let cursor = "0";
  do {
    const options = ["MATCH", entryKey(redis, "*"), "COUNT", SCAN_COUNT] as const;
    const reply = await redis.command(["SCAN", cursor, ...options]) as [string, string[]];
    const [next, keys] = reply;
    cursor = next;
    const values = await redis.pipeline(keys.flatMap((key): RedisCommand[] => [
      ["GETRANGE", key, 0, HEAD_BYTES - 1],
      ["STRLEN", key],
    ]));
    const entries = keys.map((key, i) => ({
      key,
      head: headOf(String(values[2 * i]).split("\n", 1)[0]),
      bytes: Number(values[2 * i + 1]),
    }));
    // One may have expired meanwhile.
    yield entries.filter(({ bytes }) => bytes > 0);
  } while (cursor !== "0");
}
