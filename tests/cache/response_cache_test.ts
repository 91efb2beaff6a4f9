import assert from "node:assert/strict";
import { AbortedError, type ChatResult, HttpError } from "../../mod.ts";
import { MemoryStore } from "../../lib/cache/stores/memory.ts";
import {
  type CacheRequest,
  ResponseCache,
  type ResponseCacheOptions,
} from "../../lib/cache/response_cache.ts";
import type { CacheStore } from "../../lib/cache/store.ts";
import { chatResult } from "../support/chat_result.ts";

const ENDPOINT = "http://127.0.0.1/v1";

/** Sends a request like a client with one endpoint. */
function askOne(
  cache: ResponseCache,
  request: CacheRequest,
  fetch: () => Promise<ChatResult>,
  signal?: AbortSignal,
): Promise<ChatResult> {
  return cache.getOrFetch([request], async () => ({ result: await fetch(), request }), signal);
}

function request(key: string) {
  return { key, model: "m", endpoint: ENDPOINT };
}

function openCache(store: CacheStore, options: Partial<ResponseCacheOptions> = {}) {
  return new ResponseCache({
    open: () => Promise.resolve(store),
    onWarning: (message) => assert.fail(message),
    ...options,
  });
}

/** A fetch that counts its calls and answers on demand. */
function heldFetch() {
  const calls: { resolve: (result: ChatResult) => void; reject: (error: Error) => void }[] = [];
  const fetch = () =>
    new Promise<ChatResult>((resolve, reject) => void calls.push({ resolve, reject }));
  return { calls, fetch };
}

/** Waits until only timers are pending. */
async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setTimeout(resolve, 0));
}

/** Polls until a condition is true. */
async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; !condition() && i < 5000; i++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

Deno.test("getOrFetch fetches once, then returns the stored answer, free and marked as cached", async () => {
  const store = new MemoryStore();
  await using cache = openCache(store);
  let fetched = 0;
  const send = () =>
    askOne(cache, request("a"), () => {
      fetched++;
      return Promise.resolve(chatResult("Hello"));
    });
  const first = await send();
  assert.deepEqual([first.content, first.cached, first.cost], ["Hello", false, 0.25]);
  // Found although it has not been written yet.
  const second = await send();
  assert.deepEqual([second.content, second.cached, second.cost], ["Hello", true, 0]);
  assert.equal(second.endpoint, ENDPOINT);
  assert.ok(second.latency >= 0 && second.latency < 1.5);
  assert.equal(fetched, 1);
});

Deno.test("the next cache on the same store finds the answer, and hits are counted", async () => {
  const store = new MemoryStore();
  // The store outlives its caches.
  store.close = () => Promise.resolve();
  const first = openCache(store);
  await first.put(request("a"), chatResult("Hello"));
  await first.close();
  const second = openCache(store);
  assert.equal((await second.get([request("a")]))?.content, "Hello");
  assert.equal(await second.get([request("b")]), undefined);
  await second.close();
  await second.close();
  const { entries, hits, models } = await store.stats();
  assert.deepEqual([entries, hits, models[0].model], [1, 1, "m"]);
});

Deno.test("incomplete answers are returned but not stored", async () => {
  await using cache = openCache(new MemoryStore());
  for (const finishReason of ["length", "content_filter", "other"] as const) {
    const fetch = () => Promise.resolve(chatResult("cut", { finishReason }));
    assert.equal((await askOne(cache, request("a"), fetch)).cached, false);
  }
  await assert.rejects(askOne(cache, request("a"), () => Promise.reject(new Error("no"))));
  assert.equal(await cache.get([request("a")]), undefined);
});

Deno.test("an answer expires ttl seconds after it was written, by this process or another", async () => {
  const store = new MemoryStore();
  store.close = () => Promise.resolve();
  let time = 1_000_000;
  const now = () => time;
  await using short = openCache(store, { ttl: 10, now });
  await using long = openCache(store, { ttl: 3600, now });
  await using forever = openCache(store, { ttl: 0, now });
  await using standard = openCache(store, { now });
  const caches = [short, long, standard, forever];
  const found = async () =>
    await Promise.all(caches.map(async (cache) => await cache.get([request("a")]) !== undefined));
  const writer = openCache(store, { now });
  await writer.put(request("a"), chatResult("Hello"));
  await writer.close();
  time += 9_999;
  assert.deepEqual(await found(), [true, true, true, true]);
  time += 1;
  assert.deepEqual(await found(), [false, true, true, true]);
  time += 86_400_000 - 10_001;
  assert.deepEqual(await found(), [false, false, true, true]);
  time += 1;
  assert.deepEqual(await found(), [false, false, false, true]);
  time += 1e15;
  assert.deepEqual(await found(), [false, false, false, true]);
  await short.put(request("a"), chatResult("Hello again"));
  assert.equal((await short.get([request("a")]))?.content, "Hello again");
});

Deno.test("an invalid ttl is rejected", () => {
  for (const ttl of [-1, NaN]) {
    assert.throws(() => openCache(new MemoryStore(), { ttl }), { code: "configuration" });
  }
});

Deno.test("identical concurrent requests are sent and paid for once", async () => {
  await using cache = openCache(new MemoryStore());
  const { calls, fetch } = heldFetch();
  const all = Array.from({ length: 50 }, () => askOne(cache, request("a"), fetch));
  const other = askOne(cache, request("b"), fetch);
  await settle();
  assert.equal(calls.length, 2);
  calls[0].resolve(chatResult("Hello"));
  calls[1].resolve(chatResult("Other"));
  const results = await Promise.all(all);
  assert.deepEqual(new Set(results.map(({ content }) => content)), new Set(["Hello"]));
  assert.equal(results.filter(({ cached }) => !cached).length, 1);
  assert.equal(results.reduce((sum, { cost }) => sum + cost!, 0), 0.25);
  // Callers cannot change each other's results.
  results[1].message.content = "changed";
  assert.equal(results[2].message.content, "Hello");
  assert.equal((await other).content, "Other");
});

Deno.test("waiting requests get the error of the one that was sent; the next request is sent again", async () => {
  await using cache = openCache(new MemoryStore());
  const { calls, fetch } = heldFetch();
  const all = [1, 2, 3].map(() => askOne(cache, request("a"), fetch));
  const settled = Promise.allSettled(all);
  await settle();
  const partial = { content: "Half", thinking: null, cost: 0.5 };
  calls[0].reject(new HttpError("refused", { status: 400, partial }));
  const errors = (await settled).map((outcome) => outcome.status === "rejected" && outcome.reason);
  assert.equal(new Set(errors).size, 3);
  assert.deepEqual(errors.map(({ message, code }) => [message, code]), [
    ["refused", "http"],
    ["refused", "http"],
    ["refused", "http"],
  ]);
  // The caller that sent the request has paid for it.
  assert.deepEqual(errors.map(({ partial }) => partial.cost), [0.5, 0, 0]);
  assert.equal(calls.length, 1);
  const again = askOne(cache, request("a"), fetch);
  await settle();
  calls[1].resolve(chatResult("Hello"));
  assert.equal((await again).cached, false);
});

Deno.test("if the request that was sent is cancelled, one of the waiting requests is sent", async () => {
  await using cache = openCache(new MemoryStore());
  const { calls, fetch } = heldFetch();
  const first = assert.rejects(askOne(cache, request("a"), fetch), { code: "aborted" });
  const others = [1, 2, 3].map(() => askOne(cache, request("a"), fetch));
  await settle();
  calls[0].reject(new AbortedError());
  await first;
  await settle();
  assert.equal(calls.length, 2);
  calls[1].resolve(chatResult("Hello"));
  assert.deepEqual((await Promise.all(others)).map(({ cached }) => cached), [false, true, true]);
});

Deno.test("a waiting request can be cancelled on its own", async () => {
  await using cache = openCache(new MemoryStore());
  const { calls, fetch } = heldFetch();
  const first = askOne(cache, request("a"), fetch);
  const abort = new AbortController();
  const second = askOne(cache, request("a"), fetch, abort.signal);
  await settle();
  abort.abort();
  await assert.rejects(second, { code: "aborted" });
  await assert.rejects(askOne(cache, request("a"), fetch, abort.signal), { code: "aborted" });
  calls[0].resolve(chatResult("Hello"));
  assert.equal((await first).content, "Hello");
  assert.equal(calls.length, 1);
});

Deno.test("an answer under the wrong key, or a damaged one, is not used", async () => {
  const store = new MemoryStore();
  store.close = () => Promise.resolve();
  const writer = openCache(store);
  await writer.put(request("a"), chatResult("Answer to a"));
  await writer.close();
  const [entry] = await store.getMany(["a"]);
  assert.ok(entry !== undefined);
  await store.setMany([
    { key: "b", ...entry },
    { key: "c", ...entry, value: entry.value.slice(0, -5) },
    { key: "d", ...entry, value: "{}" },
  ]);
  await using reader = openCache(store);
  for (const key of ["b", "c", "d"]) assert.equal(await reader.get([request(key)]), undefined, key);
  const fetch = () => Promise.resolve(chatResult("Answer to b"));
  assert.equal((await askOne(reader, request("b"), fetch)).content, "Answer to b");
  assert.equal((await reader.get([request("b")]))?.content, "Answer to b");
});

/** A memory store that records its calls. */
class WatchedStore extends MemoryStore {
  reads: number[] = [];
  writes: number[] = [];
  override getMany(keys: readonly string[]) {
    this.reads.push(keys.length);
    return super.getMany(keys);
  }
  override setMany(entries: Parameters<MemoryStore["setMany"]>[0]) {
    this.writes.push(entries.length);
    return super.setMany(entries);
  }
  override close() {
    return Promise.resolve();
  }
}

Deno.test("concurrent reads and writes are batched", async () => {
  const store = new WatchedStore();
  const cache = openCache(store);
  const keys = Array.from({ length: 500 }, (_, i) => `k${i}`);
  const send = () =>
    Promise.all(
      keys.map((key) =>
        askOne(cache, request(key), () => Promise.resolve(chatResult(`Answer to ${key}`)))
      ),
    );
  await send();
  await cache.close();
  assert.deepEqual(store.reads, [500]);
  assert.ok(store.writes.length < 10, `${store.writes.length} groups`);
  assert.ok(Math.max(...store.writes) <= 500);
  assert.equal((await store.stats()).entries, 500);
});

Deno.test("a store that fails or hangs is disabled with one warning", async () => {
  const never = () => new Promise<never>(() => {});
  const broken = () => Promise.reject(new Error("database disk image is malformed"));
  const cases: [string, Partial<CacheStore>, RegExp][] = [
    ["read", { getMany: broken }, /damaged/],
    ["stuck read", { getMany: never }, /did not respond/],
    ["write", { setMany: broken }, /damaged/],
  ];
  for (const [name, changes, expected] of cases) {
    const warnings: string[] = [];
    const cache = openCache(Object.assign(new MemoryStore(), changes), {
      onWarning: (message) => warnings.push(message),
      timeout: 100,
    });
    for (const key of ["a", "b", "c"]) {
      const all = [1, 2].map(() =>
        askOne(cache, request(key), () => Promise.resolve(chatResult(`Answer to ${key}`)))
      );
      assert.equal((await all[0]).content, `Answer to ${key}`, name);
      assert.equal((await all[1]).cached, true, name);
    }
    await until(() => warnings.length > 0);
    assert.match(warnings[0], /continuing without it/, name);
    await cache.put(request("d"), chatResult("not stored"));
    assert.equal(await cache.get([request("d")]), undefined, name);
    await cache.close();
    assert.equal(warnings.length, 1, name);
    assert.match(warnings[0], expected, name);
  }
});

Deno.test("a store that hangs when the cache is closed does not block the process", async () => {
  const warnings: string[] = [];
  const store = Object.assign(new MemoryStore(), { setMany: () => new Promise<never>(() => {}) });
  const onWarning = (message: string) => void warnings.push(message);
  const cache = openCache(store, { onWarning, timeout: 100 });
  await cache.put(request("a"), chatResult("Hello"));
  await cache.close();
  assert.equal(warnings.length, 1);
  assert.match(warnings[0], /its last answers may not be stored/);
});

Deno.test("a store that never finishes writing does not block the run", async () => {
  const warnings: string[] = [];
  const store = Object.assign(new MemoryStore(), { setMany: () => new Promise<never>(() => {}) });
  const onWarning = (message: string) => void warnings.push(message);
  const cache = openCache(store, { onWarning, timeout: 100 });
  const large = chatResult("x".repeat(5_000_000));
  for (const key of ["a", "b", "c", "d", "e", "f"]) await cache.put(request(key), large);
  await cache.close();
  assert.equal(warnings.length, 1);
  assert.match(warnings[0], /did not respond within 0.1 s; continuing without it/);
});

Deno.test("answers that could not be written at the end cause a warning", async () => {
  const warnings: string[] = [];
  const setMany = () => Promise.reject(new Error("database or disk is full"));
  const onWarning = (message: string) => void warnings.push(message);
  const cache = openCache(Object.assign(new MemoryStore(), { setMany }), { onWarning });
  for (const key of ["a", "b"]) await cache.put(request(key), chatResult("Hello"));
  await cache.close();
  assert.equal(warnings.length, 1);
  assert.match(warnings[0], /disk is full or failing; its last answers may not be stored/);
});
