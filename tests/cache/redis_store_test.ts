/** The response cache in Redis: how long entries last, who fetches a missing answer, and what a failure does. */
import assert from "node:assert/strict";
import { ResponseCache, type ResponseCacheOptions } from "../../lib/cache/response_cache.ts";
import type { KeyedEntry } from "../../lib/cache/store.ts";
import { RedisStore } from "../../lib/cache/stores/redis.ts";
import { HttpError } from "../../lib/errors.ts";
import { parseRedisAddress } from "../../lib/redis/redis_address.ts";
import { RedisConnection } from "../../lib/redis/redis_connection.ts";
import type { ChatResult } from "../../lib/chat/result.ts";
import { openRedisStore } from "../support/cache_stores.ts";
import { chatResult } from "../support/chat_result.ts";
import { RedisServer, redisServer } from "../support/redis_server.ts";

const options = { ignore: redisServer === undefined };

function entry(key: string, value: string, created = 1000, model = "m"): KeyedEntry {
  return { key, value, created, model };
}

/** A cache as one process has it. */
function openCache(store: RedisStore, settings: Partial<ResponseCacheOptions> = {}): ResponseCache {
  return new ResponseCache({
    open: () => Promise.resolve(store),
    onWarning: (message) => assert.fail(message),
    ...settings,
  });
}

/** Calls that are answered on demand. */
function heldCalls() {
  const calls: { resolve(result: ChatResult): void; reject(error: Error): void }[] = [];
  const ask = (cache: ResponseCache, key = "a", signal?: AbortSignal) => {
    const request = { key, model: "m", endpoint: "http://127.0.0.1/v1" };
    const fetch = async () => {
      const { promise, resolve, reject } = Promise.withResolvers<ChatResult>();
      calls.push({ resolve, reject });
      return { result: await promise, request };
    };
    return cache.getOrFetch([request], fetch, signal);
  };
  return { calls, ask };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 30_000;
  while (!await condition()) {
    assert.ok(performance.now() < end, "waited too long");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The keys that begin with `flexllm:cache:1:` and `kind`. */
async function keysOf(redis: RedisConnection, kind: string): Promise<string[]> {
  return await redis.command(["KEYS", redis.key("cache", 1, kind, "*")]) as string[];
}

Deno.test(
  "redis store: entries expire by themselves; with a ttl of 0 they never do",
  options,
  async () => {
    await using server = await RedisServer.start();
    await using redis = await RedisConnection.open(server.address());
    const [day, forever] = [86_400_000, Infinity].map((lifetime) =>
      openRedisStore(server.url, { lifetime })
    );
    await day.setMany([entry("a", "1"), entry("b", "2")]);
    await forever.setMany([entry("b", "3"), entry("c", "4")]);
    const lifetimes = await Promise.all(
      ["a", "b", "c"].map((key) => redis.command(["PTTL", redis.key("cache", 1, "entry", key)])),
    );
    assert.ok(Number(lifetimes[0]) > 86_300_000 && Number(lifetimes[0]) <= 86_400_000);
    assert.deepEqual(lifetimes.slice(1), [-1, -1]);
    await day.addHits(new Map([["m", 1], ["n", 2]]));
    const hits = redis.key("cache", 1, "hits");
    assert.deepEqual(await redis.command(["HGETALL", hits]), ["m", "1", "n", "2"]);
    const left = Number(await redis.command(["PTTL", hits]));
    assert.ok(left > 29 * 86_400_000 && left <= 30 * 86_400_000, `${left}`);
    const short = openRedisStore(server.url, { lifetime: 1 });
    await short.setMany([entry("d", "5")]);
    await until(async () => (await short.getMany(["d"]))[0] === undefined);
    for (const store of [day, forever, short]) await store.close();
  },
);

Deno.test(
  "redis store: another prefix is another cache, and clearing one leaves the rest",
  options,
  async () => {
    await using server = await RedisServer.start();
    await using redis = await RedisConnection.open(server.address());
    const [one, two] = ["one", "two"].map((prefix) =>
      new RedisStore(server.address(prefix), { lifetime: Infinity, readTimeout: 600_000 })
    );
    await one.setMany(Array.from({ length: 2500 }, (_, i) => entry(`k${i}`, "1")));
    await two.setMany([entry("k1", "2")]);
    await redis.command(["SET", "one:budget:x", "5"]);
    assert.equal(await one.clear(), 2500);
    assert.equal((await two.getMany(["k1"]))[0]?.value, "2");
    assert.equal(await redis.command(["GET", "one:budget:x"]), "5");
    await one.close();
    await two.close();
  },
);

Deno.test(
  "redis store: a damaged entry is missing, and is removed with all others",
  options,
  async () => {
    await using server = await RedisServer.start();
    await using redis = await RedisConnection.open(server.address());
    const store = openRedisStore(server.url);
    for (
      const [key, text] of Object.entries({ a: "", b: "{}", c: '[1,"m"]\n\u0009x', d: "x\ny" })
    ) {
      await redis.command(["SET", redis.key("cache", 1, "entry", key), text]);
    }
    assert.deepEqual(await store.getMany(["a", "b", "c", "d"]), [1, 2, 3, 4].map(() => undefined));
    assert.deepEqual(await store.readOrClaim(["b", "c"]), ["claimed", "claimed"]);
    assert.equal(await store.clear({ model: "other" }), 0);
    await store.clear();
    assert.deepEqual(await keysOf(redis, "entry"), ["flexllm:cache:1:entry:a"]);
    await store.close();
  },
);

Deno.test(
  "redis store: one holder at a time has a claim, and only its holder gives it up",
  options,
  async () => {
    await using server = await RedisServer.start();
    await using redis = await RedisConnection.open(server.address());
    const [one, two] = [openRedisStore(server.url), openRedisStore(server.url)];
    await one.setMany([entry("hit", "1")]);
    assert.deepEqual(await one.readOrClaim(["a", "hit"]), ["claimed", entryValue("1")]);
    assert.deepEqual(await keysOf(redis, "claim"), ["flexllm:cache:1:claim:a"]);
    // A claim that was lost on the way can be repeated.
    assert.deepEqual(await one.readOrClaim(["a"]), ["claimed"]);
    assert.deepEqual(await two.readOrClaim(["a", "b"]), ["awaited", "claimed"]);
    await two.release(["a"]);
    assert.deepEqual(await two.readOrClaim(["a"]), ["awaited"]);
    await one.setMany([entry("a", "2")]);
    assert.deepEqual(await two.readOrClaim(["a"]), [entryValue("2")]);
    await two.release(["b"]);
    assert.deepEqual(await one.readOrClaim(["b"]), ["claimed"]);
    await one.close();
    assert.deepEqual(await keysOf(redis, "claim"), []);
    await two.close();
  },
);

function entryValue(value: string) {
  return { value, created: 1000, model: "m" };
}

Deno.test("identical calls of several processes are sent once", options, async () => {
  await using server = await RedisServer.start();
  const { calls, ask } = heldCalls();
  const caches = [1, 2, 3].map(() => openCache(openRedisStore(server.url)));
  const first = ask(caches[0]);
  await until(() => calls.length === 1);
  const others = [...caches, ...caches].map((cache) => ask(cache));
  calls[0].resolve(chatResult("Hello"));
  assert.equal((await first).cached, false);
  for (const { content, cached } of await Promise.all(others)) {
    assert.deepEqual([content, cached], ["Hello", true]);
  }
  assert.equal(calls.length, 1);
  for (const cache of caches) await cache.close();
});

Deno.test("if the call of one process fails, another sends it", options, async () => {
  await using server = await RedisServer.start();
  const { calls, ask } = heldCalls();
  const [one, two] = [1, 2].map(() => openCache(openRedisStore(server.url)));
  const failed = assert.rejects(ask(one), { code: "http" });
  await until(() => calls.length === 1);
  const other = ask(two);
  calls[0].reject(new HttpError("refused", { status: 400 }));
  await failed;
  await until(() => calls.length === 2);
  // An incomplete answer is not stored, so nobody waits for it.
  calls[1].resolve(chatResult("cut", { finishReason: "length" }));
  assert.equal((await other).content, "cut");
  const again = ask(one);
  await until(() => calls.length === 3);
  calls[2].resolve(chatResult("Hello"));
  assert.equal((await again).content, "Hello");
  await one.close();
  await two.close();
});

Deno.test("a process that never answers delays others for a short time only", options, async () => {
  await using server = await RedisServer.start();
  const { calls, ask } = heldCalls();
  const [one, two] = [1, 2].map(() => openCache(openRedisStore(server.url)));
  const stuck = ask(one);
  await until(() => calls.length === 1);
  const other = ask(two);
  await until(() => calls.length === 2);
  calls[1].resolve(chatResult("Hello"));
  assert.equal((await other).cached, false);
  calls[0].resolve(chatResult("Hello, late"));
  assert.equal((await stuck).content, "Hello, late");
  await one.close();
  await two.close();
});

Deno.test(
  "a call that waits for another process can be aborted, and claims nothing",
  options,
  async () => {
    await using server = await RedisServer.start();
    await using redis = await RedisConnection.open(server.address());
    const { calls, ask } = heldCalls();
    const [one, two] = [1, 2].map(() => openCache(openRedisStore(server.url)));
    const first = ask(one);
    await until(() => calls.length === 1);
    const abort = new AbortController();
    const other = assert.rejects(ask(two, "a", abort.signal), { code: "aborted" });
    abort.abort();
    await other;
    calls[0].resolve(chatResult("cut", { finishReason: "length" }));
    await first;
    await until(async () => (await keysOf(redis, "claim")).length === 0);
    assert.equal(calls.length, 1);
    await one.close();
    await two.close();
  },
);

Deno.test(
  "a server that is killed: misses and one warning each way; used again when it is back",
  options,
  async () => {
    await using server = await RedisServer.start();
    const warnings: string[] = [];
    const { calls, ask } = heldCalls();
    const onWarning = (message: string) => void warnings.push(message);
    const cache = openCache(openRedisStore(server.url), { onWarning });
    const answered = async (key: string) => {
      const sent = calls.length;
      const result = ask(cache, key);
      let isDone = false;
      result.then(() => isDone = true);
      await until(() => isDone || calls.length > sent);
      calls[sent]?.resolve(chatResult(key));
      return (await result).cached;
    };
    assert.equal(await answered("a"), false);
    assert.equal(await answered("a"), true);
    await server.kill();
    for (const key of ["b", "c", "d"]) assert.equal(await answered(key), false);
    await server.restart();
    await until(async () => {
      await answered("e");
      return await answered("e");
    });
    // Answers that were not written yet are found without the server.
    await until(() => warnings.length > 1);
    assert.equal(warnings.length, 2, warnings.join("\n"));
    assert.match(
      warnings[0],
      /^Redis at redis:\/\/127.* cannot be used: .*; until it can be used again, no cached answers are used$/,
    );
    assert.match(warnings[1], /can be used again, after \d+ s$/);
    await cache.close();
  },
);

Deno.test("a frozen server delays one read, not those that follow", options, async () => {
  await using server = await RedisServer.start();
  const store = new RedisStore(server.address(), { lifetime: Infinity, readTimeout: 100 });
  await store.connect();
  server.freeze();
  await assert.rejects(store.getMany(["a"]), /did not answer within 0.1 s/);
  // In the same turn of the event loop, or as soon as promises are resolved.
  const rejected = assert.rejects(store.readOrClaim(["a"]), /did not answer|cannot be used/);
  assert.equal(await Promise.race([rejected.then(() => "at once"), afterTurn()]), "at once");
  server.thaw();
  await until(() => store.getMany(["a"]).then(() => true, () => false));
  await store.close();
});

async function afterTurn(): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, 0));
  return "later";
}

Deno.test(
  "a server that is unreachable at first is used later; the password is never shown",
  options,
  async () => {
    await using server = await RedisServer.start("--requirepass", "sesame-secret");
    await server.kill();
    const warnings: string[] = [];
    const url = `redis://:sesame-secret@127.0.0.1:${server.port}`;
    const store = new RedisStore(parseRedisAddress(url, "test"), { lifetime: Infinity });
    const cache = openCache(store, { onWarning: (message) => void warnings.push(message) });
    const request = { key: "a", model: "m", endpoint: "http://127.0.0.1/v1" };
    const fetch = () => Promise.resolve({ result: chatResult("Hello"), request });
    assert.equal((await cache.getOrFetch([request], fetch)).cached, false);
    await cache.close();
    assert.equal(warnings.length, 1);
    assert.match(warnings[0], /Redis at redis:\/\/127.*: the connection was refused/);
    assert.ok(!warnings[0].includes("sesame"), warnings[0]);
  },
);

Deno.test(
  "a full memory: answers are read, and writing them fails without harm",
  options,
  async () => {
    await using server = await RedisServer.start("--maxmemory-policy", "noeviction");
    await using redis = await RedisConnection.open(server.address());
    const store = openRedisStore(server.url);
    await store.setMany([entry("a", "1")]);
    await redis.command(["CONFIG", "SET", "maxmemory", "1mb"]);
    assert.deepEqual(await store.readOrClaim(["a", "b"]), [entryValue("1"), "claimed"]);
    await assert.rejects(store.setMany([entry("b", "2")]), /its memory is full/);
    await redis.command(["CONFIG", "SET", "maxmemory", "0"]).catch(() => {});
    await store.close();
  },
);
