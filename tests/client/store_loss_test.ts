/** What calls that share limits or a budget do while Redis is away for long. */
import assert from "node:assert/strict";
import { CostTracker, LLMClient } from "../../mod.ts";
import type { RedisOptions } from "../../lib/client/redis_options.ts";
import { RedisConnection } from "../../lib/redis/redis_connection.ts";
import { RedisServer, redisServer } from "../support/redis_server.ts";

const options = { ignore: redisServer === undefined };
const HELLO = [{ role: "user" as const, content: "Hello!" }];

function clientOf(redis: RedisOptions, costTracker?: CostTracker): LLMClient {
  return new LLMClient({
    provider: "mock",
    model: "mock",
    maxQps: 1000,
    maxWait: 0.3,
    prices: [{ model: "mock", input: 1000, output: 1000 }],
    costTracker,
    redis,
  });
}

/** Sends until a call fails; returns its error. */
async function firstError(client: LLMClient): Promise<unknown> {
  for (let i = 0; i < 200; i++) {
    try {
      await client.chatCompletions(HELLO, { maxTokens: 20 });
    } catch (error) {
      return error;
    }
  }
  assert.fail("all calls were answered");
}

async function answered(client: LLMClient): Promise<void> {
  for (let i = 0; i < 100; i++) {
    const isAnswered = await client.chatCompletions(HELLO, { maxTokens: 20 }).then(
      () => true,
      () => false,
    );
    if (isAnswered) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail("no call was answered");
}

Deno.test("rates=stop: a call fails after its maximum wait, and says why", options, async () => {
  await using server = await RedisServer.start();
  await using client = clientOf({ url: server.url, onStoreLoss: { rates: "stop" } });
  await client.chatCompletions(HELLO);
  await server.kill();
  const error = await firstError(client);
  assert.match(String(error), /^RedisUnavailableError: Redis at \S+ cannot be used/);
  await assert.rejects(client.chatCompletions(HELLO), /Redis at \S+ cannot be used/);
  await server.restart();
  await answered(client);
});

Deno.test("budget=stop: so does a call that costs money", options, async () => {
  await using server = await RedisServer.start();
  const warnings: string[] = [];
  const onWarning = (text: string) => void warnings.push(text);
  const redis = { url: server.url, budget: "team", onWarning };
  await using client = clientOf(redis, new CostTracker({ limit: 10 }));
  await client.chatCompletions(HELLO, { maxTokens: 20 });
  await server.kill();
  const error = await firstError(client);
  assert.match(String(error), /^RedisUnavailableError: Redis at \S+ cannot be used/);
  assert.match(warnings[0], /, and after 10 s no request is sent that costs money$/);
  await server.restart();
  await answered(client);
});

Deno.test("a client that starts without Redis does as one that has lost it", options, async () => {
  await using server = await RedisServer.start();
  await server.kill();
  const warnings: string[] = [];
  const onWarning = (text: string) => void warnings.push(text);
  const url = server.url;
  await using client = clientOf({ url, onWarning });
  await client.chatCompletions(HELLO);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0], /was refused; until .*, each process keeps to its part of the rate/);
  await using stopped = clientOf({ url, onStoreLoss: { rates: "stop" } });
  await assert.rejects(
    stopped.chatCompletions(HELLO),
    /cannot be used: the connection was refused/,
  );
  const tracker = () => new CostTracker({ limit: 10 });
  await using paying = clientOf({ url, budget: "team" }, tracker());
  await assert.rejects(
    paying.chatCompletions(HELLO, { maxTokens: 20 }),
    /^RedisUnavailableError: .*cannot be used/,
  );
  const onStoreLoss = { budget: "continue" as const };
  await using continuing = clientOf({ url, budget: "team", onStoreLoss }, tracker());
  await continuing.chatCompletions(HELLO, { maxTokens: 20 });
  await using required = clientOf({ url: `${url}/1`, isRequired: true });
  await assert.rejects(required.chatCompletions(HELLO), { name: "ConfigurationError" });
  await server.restart();
  for (const each of [client, stopped, paying, continuing, required]) await answered(each);
  assert.equal(warnings.length, 2);
  await using redis = await RedisConnection.open(server.address());
  // What was spent without the server is counted.
  const spent = Number(await redis.command(["HGET", redis.key("budget", "team"), "total"]));
  assert.ok(spent > 0, `${spent}`);
});

Deno.test("a refused login is an error even if nothing is shared", options, async () => {
  await using server = await RedisServer.start("--requirepass", "secret");
  await using client = new LLMClient({ provider: "mock", model: "mock", redis: server.url });
  await assert.rejects(client.chatCompletions(HELLO), /refused the login/);
});

Deno.test("a batch waits until Redis is back", options, async () => {
  await using server = await RedisServer.start();
  await using client = clientOf({ url: server.url, onStoreLoss: { rates: "stop" } });
  await client.chatCompletions(HELLO);
  await server.kill();
  await assert.rejects(client.chatCompletions(HELLO), /cannot be used/);
  const batch = client.chatCompletionsBatch([HELLO, HELLO]);
  await new Promise((resolve) => setTimeout(resolve, 600));
  await server.restart();
  const { summary } = await batch;
  assert.equal(summary.succeeded, 2);
});
