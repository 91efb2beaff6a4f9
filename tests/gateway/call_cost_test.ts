/** What a call can cost at most: every rate that its answer can be billed at. */
import assert from "node:assert/strict";
import { CallCost } from "../../lib/gateway/call_cost.ts";
import { anthropic } from "../../lib/protocols/anthropic/anthropic.ts";
import { openaiChat } from "../../lib/protocols/openai_chat/openai_chat.ts";
import type { Rates } from "../../lib/pricing/rates.ts";
import { gatewayEndpoint } from "../support/gateway_calls.ts";

interface At {
  rates: Rates;
  model?: string;
  extraBody?: Record<string, unknown>;
}

async function targetAt({ rates, model = "m", extraBody }: At) {
  const endpoint = gatewayEndpoint({
    baseUrl: "https://a.example/v1",
    model,
    extraBody,
    prices: [{ model, ...rates }],
  });
  await endpoint.loadPricer();
  return { endpoint, model };
}

async function costOf(body: Record<string, unknown>, promptTokens: number, ...ats: At[]) {
  const targets = await Promise.all(ats.map(targetAt));
  return new CallCost(
    { protocol: openaiChat, body, text: JSON.stringify(body) },
    targets,
    promptTokens,
  );
}

/** Dollars, without the noise of floating point. */
const rounded = (dollars: number | undefined) => Number(dollars?.toFixed(9));

Deno.test("a request without a limit may get the longest answer of the model", async () => {
  const rates = { input: 0, output: 10 };
  const cost = async (at: Partial<At>) =>
    rounded((await costOf({}, 0, { rates, ...at })).range(undefined, 1024)!.cost);
  assert.equal(await cost({ model: "gpt-5-mini" }), 1.28);
  assert.equal(await cost({ model: "openai/gpt-4o" }), 0.16384);
  assert.equal(await cost({ model: "claude-opus-4-1" }), 0.32);
  assert.equal(await cost({ model: "gemini-3-pro" }), 0.65536);
  assert.equal(await cost({ model: "unknown" }), 1.31072);
  assert.equal(await cost({ model: "gpt-5-mini", extraBody: { max_tokens: 2000 } }), 0.02);
});

Deno.test("a request's own limit counts, for each of its answers", async () => {
  const cost = await costOf({ n: 3 }, 1000, { rates: { input: 1, output: 10 } });
  assert.deepEqual(cost.range(100, 1024), { cost: 0.004 });
});

Deno.test("the dearest endpoint counts, and an unknown price makes the cost unknown", async () => {
  const cheap = { rates: { input: 1, output: 1 } };
  const dear = { rates: { input: 1, output: 20 }, model: "gpt-4o" };
  const both = await costOf({}, 1000, cheap, dear);
  assert.equal(rounded(both.range(undefined, 1024)!.cost), 0.32868);
  assert.equal(rounded(both.range(100, 1024)!.cost), 0.003);
  // Each answer must fit at either endpoint.
  assert.equal(both.tokensFor(0.021), 1000);
  const unpriced = { endpoint: (await targetAt(cheap)).endpoint, model: "other" };
  const body = { protocol: openaiChat, body: {}, text: "{}" };
  assert.equal(new CallCost(body, [await targetAt(dear), unpriced], 1).range(1, 1), null);
});

Deno.test("writing a prompt to the prompt cache costs more than reading it", async () => {
  const rates = { input: 1, output: 0, cacheWrite: 1.25, cachedInput: 0.1 };
  const cost = async (ttl?: string) => {
    const block = { type: "text", text: "x", cache_control: { type: "ephemeral", ttl } };
    const body = { messages: [{ role: "user", content: [block] }] };
    return rounded((await costOf(body, 1e6, { rates })).range(1, 1024)!.cost);
  };
  assert.equal(rounded((await costOf({}, 1e6, { rates })).range(1, 1024)!.cost), 1);
  assert.equal(await cost(), 1.25);
  assert.equal(await cost("1h"), 2);
});

Deno.test("long prompts and thinking are reserved at their own rates", async () => {
  const tiered = { base: 1, tiers: [{ start: 200_000, price: 2 }] };
  const rates = { input: tiered, output: { base: 0, tiers: [{ start: 200_000, price: 10 }] } };
  const cost = async (rates: Rates, prompt: number) =>
    rounded((await costOf({}, prompt, { rates })).range(1000, 1024)!.cost);
  assert.equal(await cost(rates, 200_000), 0.2);
  assert.equal(await cost(rates, 300_000), 0.61);
  assert.equal(await cost({ input: 0, output: 1, reasoning: 4 }, 0), 0.004);
  assert.equal(await cost({ input: 0, output: 4, reasoning: 1 }, 0), 0.004);
});

Deno.test("a limit is one that the server accepts and the amount pays for", async () => {
  const rates = { input: 1, output: 10 };
  const unknown = await costOf({}, 1000, { rates });
  assert.equal(unknown.tokensFor(0.011), 1000);
  // A model of unknown size may reject more.
  assert.equal(unknown.tokensFor(1), 8192);
  assert.equal((await costOf({ n: 4 }, 1000, { rates })).tokensFor(0.011), 250);
  const free = await costOf({}, 1000, { rates: { input: 1, output: 0 }, model: "gpt-4o" });
  assert.equal(free.tokensFor(0.001), 16_384);
});

Deno.test("the cache that the translation to Anthropic's API asks for is reserved", async () => {
  const rates = { input: 1, output: 0, cacheWrite: 1.25 };
  const endpoint = gatewayEndpoint({
    provider: "claude",
    apiKey: "k",
    model: "claude-opus-4-8",
    prices: [{ model: "claude-opus-4-8", ...rates }],
  });
  await endpoint.loadPricer();
  const targets = [{ endpoint, model: "claude-opus-4-8" }];
  const cost = (protocol: typeof anthropic | typeof openaiChat) =>
    rounded(new CallCost({ protocol, body: {}, text: "{}" }, targets, 1e6).range(1, 1)!.cost);
  assert.equal(cost(openaiChat), 1.25);
  assert.equal(cost(anthropic), 1);
  const configured = { rates, extraBody: { cache_control: { type: "ephemeral" } } };
  assert.equal(rounded((await costOf({}, 1e6, configured)).range(1, 1)!.cost), 1.25);
});

Deno.test("a cheaper tier is reserved at the standard price, and the fast mode has no price", async () => {
  const endpoint = gatewayEndpoint({
    provider: "claude",
    apiKey: "k",
    model: "claude-opus-4-5",
  });
  await endpoint.loadPricer();
  const targets = [{ endpoint, model: "claude-opus-4-5" }];
  const range = (
    body: Record<string, unknown>,
    protocol: typeof anthropic | typeof openaiChat = anthropic,
  ) => new CallCost({ protocol, body, text: "{}" }, targets, 1000).range(1000, 1);
  const { cost } = range({})!;
  assert(cost > 0);
  assert.equal(range({ service_tier: "flex" })!.cost, cost);
  assert.equal(range({ service_tier: "priority" }), null);
  assert.equal(range({ speed: "fast" }), null);
  // The translation drops it.
  assert(range({ service_tier: "priority" }, openaiChat)!.cost >= cost);
});
