import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import { locateStore, openStore, type StoreOptions } from "../../lib/cache/open_store.ts";
import { ResponseCache } from "../../lib/cache/response_cache.ts";
import type { CacheStore, StoreKind } from "../../lib/cache/store.ts";
import { parseRedisAddress } from "../../lib/redis/redis_address.ts";
import { openKv } from "../../lib/runtime/deno_kv.ts";
import { FILE_KINDS, openKind } from "../support/cache_stores.ts";
import { chatResult } from "../support/chat_result.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary_folder.ts";

/** Milliseconds in which a store responds even on a busy machine. */
const LONG = 600_000;

/** Requests answers one after the other; returns the warnings. */
async function run(open: () => Promise<CacheStore>, timeout = LONG): Promise<string[]> {
  const warnings: string[] = [];
  const onWarning = (message: string) => void warnings.push(message);
  const cache = new ResponseCache({ open, onWarning, timeout });
  for (let i = 0; i < 20; i++) {
    const request = { key: `k${i}`, model: "m", endpoint: "http://127.0.0.1/v1" };
    const fetch = () => Promise.resolve(chatResult(`Answer ${i}`));
    assert.equal(
      (await cache.getOrFetch([request], async () => ({ result: await fetch(), request }))).content,
      `Answer ${i}`,
    );
  }
  await cache.close();
  return warnings;
}

function testEach(
  name: string,
  body: (kind: StoreKind, folder: TemporaryFolder) => Promise<void>,
): void {
  for (const kind of FILE_KINDS) {
    Deno.test(`${kind} cache: ${name}`, async () => {
      using folder = temporaryFolder();
      await body(kind, folder);
    });
  }
}

/** Runs with the unusable file at `path`; returns the only warning. */
async function warningOf(kind: StoreKind, path: string): Promise<string> {
  const warnings = await run(() => openStore({ store: kind, path }, {}));
  assert.equal(warnings.length, 1, warnings.join("\n"));
  assert.ok(warnings[0].includes(path), warnings[0]);
  assert.match(warnings[0], /^the response cache is off: .*; continuing without it\./);
  return warnings[0];
}

async function makeCache(kind: StoreKind, path: string): Promise<void> {
  const store = await openKind(kind, path);
  for (let i = 0; i < 500; i++) {
    const value = Math.random().toString(36).repeat(50);
    await store.setMany([{ key: `${i}`, value, created: 1000, model: "m" }]);
  }
  await store.close();
}

testEach("a file that is not a database is not changed", async (kind, folder) => {
  const text = "my diary, day one. ".repeat(1000);
  const path = folder.write("cache", text);
  assert.match(await warningOf(kind, path), /is damaged, or not a cache.*Delete it/);
  assert.equal(folder.read("cache"), text);
});

testEach("a damaged file", async (kind, folder) => {
  const path = folder.file("cache");
  await makeCache(kind, path);
  const whole = readFileSync(path);
  const damages: Record<string, (bytes: Uint8Array<ArrayBuffer>) => Uint8Array> = {
    "all but the first page": (bytes) => bytes.fill(0xa5, 4096),
    "all but the first two pages": (bytes) => bytes.fill(0xa5, 8192),
    "cut": (bytes) => bytes.subarray(0, 20_000),
    "cut within the first page": (bytes) => bytes.subarray(0, 1000),
  };
  for (const [name, damage] of Object.entries(damages)) {
    writeFileSync(path, damage(new Uint8Array(whole)));
    assert.match(await warningOf(kind, path), /damaged/, name);
  }
});

testEach("a damaged page in the middle of the file", async (kind, folder) => {
  const path = folder.file("cache");
  await makeCache(kind, path);
  const bytes = readFileSync(path);
  // Every page except the first dozen, which contain the table definitions.
  writeFileSync(path, new Uint8Array(bytes).fill(0xa5, 12 * 4096));
  const warnings = await run(() => openStore({ store: kind, path }, {}));
  assert.ok(warnings.length <= 1, warnings.join("\n"));
});

testEach("another program's database is not changed", async (kind, folder) => {
  const path = folder.file("cache");
  const database = new DatabaseSync(path);
  database.exec("CREATE TABLE diary (day TEXT); PRAGMA user_version = 1");
  database.close();
  const bytes = readFileSync(path);
  assert.match(await warningOf(kind, path), /is a database, but not/);
  assert.deepEqual(readFileSync(path), bytes);
});

testEach("the file of the other store", async (kind, folder) => {
  const path = folder.file("cache");
  if (openKv === undefined) return;
  await makeCache(kind === "kv" ? "sqlite" : "kv", path);
  assert.match(await warningOf(kind, path), /is a database, but not/);
});

testEach("a path that cannot be a file", async (kind, folder) => {
  mkdirSync(folder.file("folder"));
  const file = folder.write("file", "x");
  await warningOf(kind, folder.file("folder"));
  assert.match(await warningOf(kind, `${file}/cache`), /cannot be opened or written/);
  if (process.platform === "linux") await warningOf(kind, "/proc/cache");
});

testEach(
  "waits for a locked database only as long as `timeout` allows",
  async (kind, folder) => {
    const path = folder.file("cache");
    await makeCache(kind, path);
    const locker = new DatabaseSync(path);
    locker.exec("BEGIN EXCLUSIVE");
    // In this mode SQLite lets others read, so writing may be the first operation that meets the lock.
    const warnings = await run(() => openKind(kind, path, 300), 300);
    assert.equal(warnings.length, 1, warnings.join("\n"));
    assert.match(warnings[0], /locked by another program|did not respond/);
    locker.exec("ROLLBACK");
    locker.close();
    assert.deepEqual(await run(() => openKind(kind, path, LONG)), []);
  },
);

testEach("a database that is locked during the run", async (kind, folder) => {
  const path = folder.file("cache");
  const locker = new DatabaseSync(path);
  const warnings = await run(async () => {
    const store = await openKind(kind, path, 300);
    locker.exec("BEGIN EXCLUSIVE");
    return store;
  }, 300);
  assert.equal(warnings.length, 1, warnings.join("\n"));
  locker.exec("ROLLBACK");
  locker.close();
});

Deno.test("sqlite cache: a file of another version is not changed", async () => {
  using folder = temporaryFolder();
  const path = folder.file("cache");
  await makeCache("sqlite", path);
  const database = new DatabaseSync(path);
  database.exec("PRAGMA user_version = 99");
  database.close();
  assert.match(
    await warningOf("sqlite", path),
    /written by another version of flexllm \(format 99, expected 1\)/,
  );
});

Deno.test("each store has its own file in the user's folder", () => {
  const env = { FLEXLLM_HOME: "/home/me/.flexllm" };
  assert.deepEqual(locateStore({ store: "sqlite" }, env), {
    kind: "sqlite",
    location: "/home/me/.flexllm/cache/responses.sqlite",
  });
  assert.deepEqual(locateStore({ store: "memory" }, env), { kind: "memory", location: undefined });
  const { kind, location } = locateStore({}, env);
  assert.equal(kind, openKv === undefined ? "sqlite" : "kv");
  assert.equal(location, `/home/me/.flexllm/cache/responses.${kind}`);
});

Deno.test("impossible store options are rejected before anything is opened", () => {
  const wrong = (options: object, env = {}) =>
    assert.throws(() => locateStore(options, env), { code: "configuration" });
  const url = "https://kv.example.invalid/connect";
  wrong({ store: "mongo" });
  wrong({ store: "redis" });
  wrong({ store: "redis", path: "answers.sqlite" });
  wrong({ store: "redis", path: "redis://" });
  wrong({ store: "sqlite", path: "redis://localhost" });
  wrong({ store: "kv", path: "redis://localhost" });
  wrong({ store: "sqlite", path: url });
  wrong({ path: url });
  if (openKv === undefined) {
    wrong({ store: "kv" });
    wrong({ path: url }, { DENO_KV_ACCESS_TOKEN: "token" });
  } else {
    const place = locateStore({ path: url }, { DENO_KV_ACCESS_TOKEN: "token" });
    assert.deepEqual(place, { kind: "kv", location: url });
  }
});

Deno.test("the cache is in Redis if that is named, and nothing else is", () => {
  const redis = parseRedisAddress("redis://user:secret@one:7000/3", "--redis", "team");
  const found = (options: StoreOptions) => locateStore({ redis, ...options }, {});
  for (const options of [{}, { store: "redis" as const }]) {
    const place = found(options);
    assert.deepEqual([place.kind, place.location], ["redis", "redis://user@one:7000/3"]);
    assert.equal(place.redis, redis);
  }
  const other = found({ path: "rediss://:secret@two" });
  assert.deepEqual([other.location, other.redis?.prefix], ["rediss://two:6379", "team"]);
  assert.equal(found({ store: "memory" }).kind, "memory");
  assert.equal(found({ store: "sqlite" }).kind, "sqlite");
  assert.notEqual(found({ path: "answers" }).kind, "redis");
  assert.throws(
    () => found({ store: "sqlite", path: "redis://:secret@two" }),
    (error: Error) => !error.message.includes("secret"),
  );
});

Deno.test("kv cache: an unreachable server", async () => {
  if (openKv === undefined) return;
  process.env.DENO_KV_ACCESS_TOKEN = "token";
  const path = "http://127.0.0.1:1/connect";
  const warnings = await run(() => openStore({ path }, process.env), 300);
  delete process.env.DENO_KV_ACCESS_TOKEN;
  assert.equal(warnings.length, 1);
  assert.ok(warnings[0].includes(path), warnings[0]);
});
