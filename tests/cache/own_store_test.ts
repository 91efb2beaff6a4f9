/** The caller's own store, through the public interface. */
import assert from "node:assert/strict";
import {
  type CacheStore,
  type KeyedEntry,
  LLMClient,
  type Message,
  type StoredEntry,
} from "../../mod.ts";
import { scriptedServer } from "../support/scripted_server.ts";

const HELLO: Message[] = [{ role: "user", content: "Hello" }];

/** The simplest store. */
class MapStore implements CacheStore {
  readonly entries = new Map<string, StoredEntry>();
  closed = false;

  getMany(keys: readonly string[]): Promise<(StoredEntry | undefined)[]> {
    return Promise.resolve(keys.map((key) => this.entries.get(key)));
  }

  setMany(entries: readonly KeyedEntry[]): Promise<void> {
    for (const { key, ...entry } of entries) this.entries.set(key, entry);
    return Promise.resolve();
  }

  close(): void {
    this.closed = true;
  }
}

function clientOf(store: CacheStore, warnings: string[] = []) {
  const server = scriptedServer("Hi");
  const client = new LLMClient({
    baseUrl: "http://host.invalid/v1",
    model: "m",
    fetch: server.fetch,
    cache: { store, onWarning: (message) => warnings.push(message) },
  });
  return { client, server };
}

Deno.test("answers are stored in the caller's own store, which outlives the client", async () => {
  const store = new MapStore();
  const first = clientOf(store);
  const { content, cached } = await first.client.chatCompletions(HELLO);
  assert.deepEqual([content, cached], ["Hi", false]);
  await first.client.close();
  assert.equal(store.closed, false);
  const [[key, { created, model, value }]] = store.entries;
  assert.match(key, /^[\w-]{43}$/);
  assert.equal(model, "m");
  assert.ok(Math.abs(Date.now() - created) < 60_000);
  assert.ok(value.includes('"content":"Hi"'));

  const second = clientOf(store);
  const again = await second.client.chatCompletions(HELLO);
  assert.deepEqual([again.content, again.cached, again.cost], ["Hi", true, 0]);
  assert.equal(second.server.bodies.length, 0);
  await second.client.close();
});

Deno.test("an entry that a store has mixed up or changed is not used", async () => {
  const store = new MapStore();
  const { client, server } = clientOf(store);
  await client.chatCompletions(HELLO);
  await client.close();
  const [[key, entry]] = store.entries;
  for (const value of [entry.value.replace("Hi", "Ho"), entry.value.slice(0, 30), ""]) {
    store.entries.set(key, { ...entry, value });
    const { client } = clientOf(store);
    assert.equal((await client.chatCompletions(HELLO)).cached, false);
    await client.close();
  }
  assert.equal(server.bodies.length, 1);
});

Deno.test("a store that fails is a warning, and the client continues without it", async () => {
  const failures: Partial<CacheStore>[] = [
    { getMany: () => Promise.reject(new Error("unreachable")) },
    {
      getMany: () => {
        throw new Error("unreachable");
      },
    },
    {
      setMany: () => {
        throw new Error("unreachable");
      },
    },
  ];
  for (const failure of failures) {
    const warnings: string[] = [];
    const { client } = clientOf(Object.assign(new MapStore(), failure), warnings);
    assert.equal((await client.chatCompletions(HELLO)).content, "Hi");
    await client.close();
    assert.equal(warnings.length, 1);
    assert.match(warnings[0], /^the response cache is off: the store: unreachable; /);
  }
});

Deno.test("an object that is not a store is rejected, and so is a path for the caller's store", () => {
  const options = { provider: "mock", model: "mock" } as const;
  // @ts-expect-error: no setMany
  assert.throws(() => new LLMClient({ ...options, cache: { store: { getMany() {} } } }), {
    code: "configuration",
    message: "cache store: expected an object with getMany and setMany",
  });
  assert.throws(() => new LLMClient({ ...options, cache: { store: new MapStore(), path: "x" } }), {
    message: "cache path: only built-in stores have a path",
  });
  // @ts-expect-error: unknown store name
  assert.throws(() => new LLMClient({ ...options, cache: { store: "mongo" } }), {
    message: 'unknown cache store "mongo"',
  });
});
