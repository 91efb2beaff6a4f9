/** Clients that share limits and a budget keep to them while their connections to Redis are cut again and again. */
import assert from "node:assert/strict";
import { BudgetExceededError, CostTracker, LLMClient } from "../../mod.ts";
import { billingServer, TOKEN_PRICE } from "../support/billing_server.ts";
import { RedisServer, redisServer } from "../support/redis_server.ts";
import { mostWithin } from "../support/shared_senders.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";

const BUDGET = 3;
const RATE = 100;

Deno.test("connections to Redis are cut", { ignore: redisServer === undefined }, async () => {
  await using redis = await RedisServer.start();
  await using proxy = await TcpProxy.start(redis.port);
  const server = billingServer(["answer"]);
  const times: number[] = [];
  const clientOf = (url: string) =>
    new LLMClient({
      baseUrl: "http://server.test/v1",
      model: "m",
      maxQps: RATE,
      concurrencyLimit: 10,
      prices: [{ model: "m", input: TOKEN_PRICE * 1e6, output: TOKEN_PRICE * 1e6 }],
      costTracker: new CostTracker({ limit: BUDGET }),
      fetch: (input, init) => {
        times.push(performance.now());
        return server.fetch(input, init);
      },
      redis: { url, budget: "team", onWarning: () => {} },
    });
  await using one = clientOf(redis.url);
  await using other = clientOf(proxy.redisUrl);
  await Promise.all([one.connect(), other.connect()]);
  let answers = 0;
  const send = async (client: LLMClient) => {
    while (true) {
      try {
        await client.chatCompletions([{ role: "user", content: "Hello!" }], { maxTokens: 20 });
        answers++;
      } catch (error) {
        assert(error instanceof BudgetExceededError, String(error));
        return;
      }
    }
  };
  const lanes = [one, other].flatMap((client) => Array.from({ length: 10 }, () => send(client)));
  for (let i = 0; i < 4; i++) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    proxy.cut();
  }
  await Promise.all(lanes);
  assert(server.billed() <= BUDGET + 1e-9, `${server.billed()}`);
  assert(server.billed() > BUDGET * 0.9, `${server.billed()}`);
  assert.equal(answers, server.received());
  assert(mostWithin(times, 1000) <= RATE, `${mostWithin(times, 1000)}`);
});
