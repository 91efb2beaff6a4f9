import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { statSync } from "node:fs";
import process from "node:process";
import type { KeyedEntry, StoreKind } from "../../lib/cache/store.ts";
import { MemoryStore } from "../../lib/cache/stores/memory.ts";
import { FILE_KINDS, KINDS, openKind, SHARED_KINDS, storePlace } from "../support/cache_stores.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

function entry(key: string, value: string, created = 1000, model = "m"): KeyedEntry {
  return { key, value, created, model };
}

function testEach(name: string, body: (kind: StoreKind) => Promise<void>, kinds = KINDS): void {
  for (const kind of kinds) Deno.test(`${kind} store: ${name}`, () => body(kind));
}

testEach(
  "returns entries in the order of the keys, the newest for each key",
  async (kind) => {
    await using place = await storePlace(kind);
    const store = await openKind(kind, place.path);
    const entries = Array.from(
      { length: 250 },
      (_, i) => entry(`k${i}`, `value ${i}`, i, `m${i % 3}`),
    );
    await store.setMany(entries);
    await store.setMany([entry("k7", "newer", 5000, "other")]);
    const keys = [
      "k249",
      "none",
      "k7",
      "k0",
      ...entries.map(({ key }) => key).reverse(),
    ];
    const found = await store.getMany(keys);
    assert.deepEqual(found.slice(0, 4), [
      { value: "value 249", created: 249, model: "m0" },
      undefined,
      { value: "newer", created: 5000, model: "other" },
      { value: "value 0", created: 0, model: "m0" },
    ]);
    assert.deepEqual(
      found.slice(4).map((item) => item?.value).filter((value, i) => value !== `value ${249 - i}`),
      ["newer"],
    );
    await store.close();
  },
);

testEach("stores answers of 5 MB with any content", async (kind) => {
  await using place = await storePlace(kind);
  const store = await openKind(kind, place.path);
  const values = [
    randomBytes(2_500_000).toString("hex"),
    "Straße 🙂 \u0000 ".repeat(400_000),
    "x".repeat(5_000_000),
    "",
    randomBytes(60 * 1024).toString("latin1"),
  ];
  await store.setMany(values.map((value, i) => entry(`k${i}`, value)));
  await store.setMany([entry("k0", `${values[0]}!`, 2000)]);
  const found = await store.getMany(values.map((_, i) => `k${i}`));
  assert.equal(found[0]?.value === `${values[0]}!`, true);
  for (const [i, value] of values.entries()) {
    if (i > 0) assert.equal(found[i]?.value === value, true, `value ${i}`);
  }
  await store.close();
});

testEach("counts entries, bytes, hits and ages, in total and by model", async (kind) => {
  await using place = await storePlace(kind);
  const store = await openKind(kind, place.path);
  const empty = await store.stats();
  assert.deepEqual([empty.entries, empty.bytes, empty.oldest, empty.models], [0, 0, undefined, []]);
  await store.setMany([
    entry("a", "1".repeat(100), 3000, "small"),
    entry("b", "2".repeat(100), 1000, "large"),
    entry("c", randomBytes(200_000).toString("hex"), 2000, "large"),
  ]);
  await store.addHits(new Map([["small", 2], ["large", 1]]));
  await store.addHits(new Map([["small", 3]]));
  const stats = await store.stats();
  assert.equal(stats.kind, kind);
  assert.deepEqual([stats.entries, stats.hits, stats.oldest, stats.newest], [3, 6, 1000, 3000]);
  const models = stats.models.map(({ model, entries, hits }) => ({ model, entries, hits }));
  assert.deepEqual(models, [
    { model: "large", entries: 2, hits: 1 },
    { model: "small", entries: 1, hits: 5 },
  ]);
  assert.ok(stats.bytes > 200_000, `${stats.bytes} bytes`);
  assert.equal(stats.fileBytes !== undefined, FILE_KINDS.includes(kind));
  await store.close();
});

testEach("removes the selected entries and returns their number", async (kind) => {
  await using place = await storePlace(kind);
  const store = await openKind(kind, place.path);
  const large = randomBytes(200_000).toString("hex");
  const fill = () =>
    store.setMany([
      entry("a1", "1", 1000, "a"),
      entry("a2", large, 2000, "a"),
      entry("b1", large, 1000, "b"),
      entry("b2", "4", 2000, "b"),
    ]);
  const left = async () => {
    const keys = ["a1", "a2", "b1", "b2"];
    const found = await store.getMany(keys);
    return keys.filter((_, i) => found[i] !== undefined);
  };
  await fill();
  await store.addHits(new Map([["a", 1], ["b", 1]]));
  assert.equal(await store.clear({ model: "a", before: 2000 }), 1);
  assert.deepEqual(await left(), ["a2", "b1", "b2"]);
  assert.equal(await store.prune({ before: 2000, now: 2000 }), 1);
  assert.deepEqual(await left(), ["a2", "b2"]);
  assert.equal((await store.stats()).hits, 2);
  assert.equal(await store.clear({ model: "b" }), 1);
  assert.deepEqual(await left(), ["a2"]);
  assert.equal((await store.stats()).hits, 1);
  await fill();
  assert.equal(await store.clear(), 4);
  assert.deepEqual(await left(), []);
  const { entries, hits } = await store.stats();
  assert.deepEqual([entries, hits], [0, 0]);
  await store.close();
});

testEach(
  "shares entries between two openings of the same place, and persists them",
  async (kind) => {
    await using place = await storePlace(kind);
    const { path } = place;
    const [one, two] = [await openKind(kind, path), await openKind(kind, path)];
    await one.setMany([entry("a", "from one")]);
    assert.equal((await two.getMany(["a"]))[0]?.value, "from one");
    await two.setMany([entry("a", "from two")]);
    assert.equal((await one.getMany(["a"]))[0]?.value, "from two");
    await one.close();
    await two.close();
    const again = await openKind(kind, path);
    assert.equal((await again.getMany(["a"]))[0]?.value, "from two");
    await again.close();
  },
  SHARED_KINDS,
);

testEach("is readable by its owner only", async (kind) => {
  if (process.platform === "win32") return;
  using folder = temporaryFolder();
  const store = await openKind(kind, folder.file("new/cache"));
  await store.setMany([entry("a", "secret")]);
  for (const name of ["cache", "cache-wal", "cache-shm"]) {
    const stats = statSync(folder.file(`new/${name}`), { throwIfNoEntry: false });
    if (stats !== undefined) assert.equal(stats.mode & 0o077, 0, name);
  }
  assert.equal(statSync(folder.file("new")).mode & 0o077, 0);
  await store.close();
}, FILE_KINDS);

testEach("reclaims the space of removed answers", async (kind) => {
  using folder = temporaryFolder();
  const store = await openKind(kind, folder.file("cache"));
  for (let i = 0; i < 4; i++) {
    await store.setMany([entry(`k${i}`, randomBytes(500_000).toString("hex"))]);
  }
  await store.clear();
  const { fileBytes = 0 } = await store.stats();
  assert.ok(fileBytes < 100_000, `${fileBytes} bytes`);
  await store.close();
}, ["sqlite"]);

Deno.test("memory store: drops the least recently used entries when it is full", async () => {
  const store = new MemoryStore(10_000);
  const value = "x".repeat(1000);
  for (const key of ["a", "b", "c", "d"]) await store.setMany([entry(key, value)]);
  await store.getMany(["a"]);
  await store.setMany([entry("e", value)]);
  const found = await store.getMany(["a", "b", "c", "d", "e"]);
  assert.deepEqual(found.map((item) => item !== undefined), [true, false, true, true, true]);
  await store.setMany([entry("huge", "x".repeat(20_000))]);
  assert.equal((await store.stats()).entries, 0);
});
