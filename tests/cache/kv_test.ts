import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type KvKey, openKv } from "../../lib/runtime/deno_kv.ts";
import { openKvStore } from "../../lib/cache/stores/kv.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const HOUR = 3_600_000;

function test(name: string, body: () => Promise<void>): void {
  // Bun has no Deno KV.
  if (openKv !== undefined) Deno.test(`kv store: ${name}`, body);
}

async function keysUnder(path: string, prefix: KvKey): Promise<KvKey[]> {
  const kv = await openKv!(path);
  const keys: KvKey[] = [];
  for await (const { key } of kv.list({ prefix }, { batchSize: 100 })) keys.push(key);
  kv.close();
  return keys;
}

async function remove(path: string, key: KvKey): Promise<void> {
  const kv = await openKv!(path);
  await kv.atomic().delete(key).commit();
  kv.close();
}

function large(key: string, created: number) {
  return { key, value: randomBytes(150_000).toString("hex"), created, model: "m" };
}

test("an answer with a missing chunk is not found", async () => {
  using folder = temporaryFolder();
  const path = folder.file("cache");
  const store = await openKvStore(path);
  await store.setMany([large("a", 1000)]);
  const chunks = await keysUnder(path, ["flexllm", 1, "chunk"]);
  assert.ok(chunks.length >= 3);
  await remove(path, chunks[1]);
  assert.deepEqual(await store.getMany(["a"]), [undefined]);
  await store.close();
});

test("prune() removes unreferenced chunks, unless they may belong to a write in progress", async () => {
  using folder = temporaryFolder();
  const path = folder.file("cache");
  const store = await openKvStore(path);
  const [old, young, kept] = [large("a", 1000), large("b", 2 * HOUR), large("c", 1000)];
  await store.setMany([old, young, kept]);
  // The chunks of a writer that was killed before it wrote the entry.
  for (const key of ["a", "b"]) await remove(path, ["flexllm", 1, "entry", key]);
  await store.prune({ before: 0, now: 2 * HOUR + 1000 });
  const times = (await keysUnder(path, ["flexllm", 1, "chunk"])).map((key) => key[3]);
  assert.deepEqual([...new Set(times)].sort(), [1000, 2 * HOUR].sort());
  assert.equal((await store.getMany(["c"]))[0]?.value === kept.value, true);
  await store.clear();
  assert.deepEqual(await keysUnder(path, ["flexllm"]), []);
  await store.close();
});

test("replacing a long answer never mixes chunks of both", async () => {
  using folder = temporaryFolder();
  const path = folder.file("cache");
  const store = await openKvStore(path);
  const [first, second] = [large("a", 1000), large("a", 1000)];
  await store.setMany([first]);
  await store.setMany([second]);
  assert.equal((await store.getMany(["a"]))[0]?.value === second.value, true);
  const ids = (await keysUnder(path, ["flexllm", 1, "chunk"])).map((key) => key[4]);
  assert.equal(new Set(ids).size, 2);
  await store.close();
});

test("other data in the same database is not touched", async () => {
  using folder = temporaryFolder();
  const path = folder.file("cache");
  const kv = await openKv!(path);
  await kv.atomic().set(["mine"], "x").commit();
  kv.close();
  const store = await openKvStore(path);
  await store.setMany([large("a", 1000)]);
  await store.clear();
  await store.close();
  assert.deepEqual(await keysUnder(path, ["mine"].slice(1)), [["mine"]]);
});
