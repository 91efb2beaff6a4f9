import assert from "node:assert/strict";
import { LLMClient } from "../../mod.ts";
import { evictionWarning } from "../../lib/redis/eviction.ts";
import { RedisConnection } from "../../lib/redis/redis_connection.ts";
import { RedisServer, redisServer } from "../support/redis_server.ts";

const options = { ignore: redisServer === undefined };

Deno.test("a server that may delete limits and jobs is warned about", options, async () => {
  for (
    const [policy, expected] of [
      ["noeviction", undefined],
      ["allkeys-lfu", /^Redis at redis:\/\/127.* allkeys-lfu: .* deletes keys, perhaps limits/],
      ["volatile-ttl", /deletes keys that expire, perhaps limits, budgets or jobs\. Set maxmemory/],
    ] as const
  ) {
    await using server = await RedisServer.start("--maxmemory-policy", policy);
    await using redis = await RedisConnection.open(server.address());
    const warning = evictionWarning(redis);
    if (expected === undefined) assert.equal(warning, undefined);
    else assert.match(warning ?? "", expected);
  }
});

Deno.test("a client warns once about such a server", options, async () => {
  await using server = await RedisServer.start("--maxmemory-policy", "allkeys-lru");
  const warnings: string[] = [];
  await using client = new LLMClient({
    provider: "mock",
    model: "mock",
    maxQps: 100,
    redis: { url: server.url, onWarning: (text) => warnings.push(text) },
  });
  await using other = new LLMClient({
    provider: "mock",
    model: "mock",
    maxQps: 100,
    redis: { url: server.url, onWarning: (text) => warnings.push(text) },
  });
  await client.connect();
  await other.connect();
  assert.equal(warnings.length, 1);
  assert.match(warnings[0], /has the eviction policy allkeys-lru/);
});
