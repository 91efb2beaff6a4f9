/** Several gateways share the limits of an endpoint through Redis; measured at the endpoint. */
import assert from "node:assert/strict";
import type { Fetch } from "../../mod.ts";
import { gatewayOf } from "../support/gateway.ts";
import { RedisServer, redisServer } from "../support/redis_server.ts";
import { mostWithin } from "../support/shared_senders.ts";

Deno.test({
  name: "gateways keep to the rate of an endpoint together",
  ignore: redisServer === undefined,
  async fn() {
    await using server = await RedisServer.start();
    const times: number[] = [];
    const fetch: Fetch = () => {
      times.push(performance.now());
      const message = { role: "assistant", content: "Hi" };
      const choices = [{ index: 0, finish_reason: "stop", message }];
      const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
      return Promise.resolve(Response.json({ model: "m", choices, usage }));
    };
    const open = () =>
      gatewayOf({
        endpoints: [{
          baseUrl: "http://upstream.test/v1",
          model: "m",
          apiKey: "key",
          maxQps: 20,
          fetch,
        }],
        adaptive: false,
        redis: server.url,
      });
    await using first = open();
    await using second = open();
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => [first, second][i % 2].chat("m")),
    );
    for (const answer of answers) {
      assert.equal(answer.status, 200);
      await answer.body?.cancel();
    }
    assert.equal(times.length, 40);
    assert(mostWithin(times, 1000) <= 20, `${mostWithin(times, 1000)} in a second`);
  },
});
