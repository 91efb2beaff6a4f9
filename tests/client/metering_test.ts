import assert from "node:assert/strict";
import type { EndpointClient } from "../../lib/client/endpoint_client.ts";
import { Metering } from "../../lib/client/metering.ts";
import { loadPricer } from "../../lib/pricing/price.ts";

function tokens(promptTokens: number, completionTokens: number) {
  return { promptTokens, completionTokens, totalTokens: promptTokens + completionTokens };
}

Deno.test("separately billed parts of an answer cost the price of their own model", async () => {
  const rows = [{ model: "m", input: 1, output: 10 }, { model: "advisor", input: 5, output: 50 }];
  const pricer = await loadPricer("https://h.example/v1", rows);
  const endpoint = { pricer } as unknown as EndpointClient;
  const metering = new Metering([], undefined);
  const usage = tokens(300, 30);
  const cost = (billed?: { model?: string; usage: typeof usage }[]) =>
    metering.cost(endpoint, "m", { usage, billed });
  assert.equal(cost(), (300 * 1 + 30 * 10) / 1e6);
  const parts = [{ usage: tokens(100, 10) }, { model: "advisor", usage: tokens(200, 20) }];
  assert.equal(cost(parts), (100 + 10 * 10 + 200 * 5 + 20 * 50) / 1e6);
  assert.equal(cost([...parts, { model: "unknown", usage }]), null);
});

Deno.test("the service tier of an answer determines its price", async () => {
  const pricer = await loadPricer("https://api.openai.com/v1");
  const endpoint = { pricer } as unknown as EndpointClient;
  const metering = new Metering([], undefined);
  const cost = (serviceTier?: string) =>
    metering.cost(endpoint, "gpt-5.4-mini", { usage: tokens(1000, 100), serviceTier });
  const standard = cost() as number;
  assert.equal(cost("default"), standard);
  assert.equal(cost("flex"), standard / 2);
  assert.equal(cost("priority"), null);
});
