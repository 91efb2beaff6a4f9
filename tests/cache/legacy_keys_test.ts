/**
 * Requests have the keys of version 0.1.0, whose cached answers are still used. A changed key costs every
 * user their cache, so change the fixture only with a reason, such as a request that was wrong.
 */
import assert from "node:assert/strict";
import { type CacheStore, type ChatOptions, LLMClient, type Message } from "../../mod.ts";
import fixture from "../fixtures/cache_keys_0.1.0.json" with { type: "json" };

/** A store without entries that records the keys of lookups. */
class KeyRecorder implements CacheStore {
  readonly keys: string[] = [];

  getMany(keys: readonly string[]): Promise<undefined[]> {
    this.keys.push(...keys);
    return Promise.resolve(keys.map(() => undefined));
  }

  setMany(): Promise<void> {
    return Promise.resolve();
  }
}

type Case = { messages: Message[]; options: ChatOptions };
type ClientName = keyof typeof fixture.clients;

const { cases, clients, keys } = fixture;

for (const name of Object.keys(clients) as ClientName[]) {
  Deno.test(`cacheKey is that of version 0.1.0: ${name}`, async () => {
    const store = new KeyRecorder();
    await using client = new LLMClient({
      ...clients[name] as ConstructorParameters<typeof LLMClient>[0],
      apiKey: "key",
      retryTimes: 0,
      cache: { store },
      fetch: () => Promise.reject(new Error("offline")),
    });
    const expected = [];
    for (const [kind, { messages, options }] of Object.entries(cases as Record<string, Case>)) {
      await assert.rejects(client.chatCompletions(messages, options), { code: "connection" });
      expected.push(keys[name][kind as keyof typeof cases]);
    }
    assert.deepEqual(store.keys, expected);
  });
}
