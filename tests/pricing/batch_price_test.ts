/**
 * What provider batches cost. Expected amounts are calculated by hand from the providers' pages and the rates
 * in `@pydantic/genai-prices` 0.1.8, in USD per million tokens.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { estimateCost, getPricing, listPricing } from "../../mod.ts";
import { loadBatchPricer, loadPricer, type PriceRow } from "../../lib/pricing/price.ts";
import { readPriceFile } from "../../lib/pricing/price_file.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const USAGE = {
  promptTokens: 1_000_000,
  completionTokens: 1_000_000,
  totalTokens: 2_000_000,
  cachedTokens: 400_000,
};

/** The user's prices, for services that the price list does not cover. */
const ROW: PriceRow = { model: "m", input: 1, output: 4, cachedInput: 0.1 };

const CASES: [
  name: string,
  baseUrl: string,
  model: string,
  rows: PriceRow[],
  cost: number | null,
][] = [
  // Half of 0.4 in, 0.1 cached, 1.6 out.
  [
    "OpenAI: the discounts stack",
    "https://api.openai.com/v1",
    "gpt-4.1-mini",
    [],
    (0.6 * 0.4 + 0.4 * 0.1 + 1.6) / 2,
  ],
  [
    "OpenAI in Europe",
    "https://eu.api.openai.com/v1",
    "m",
    [ROW],
    (0.6 + 0.4 * 0.1 + 4) / 2,
  ],
  [
    "Azure: as OpenAI",
    "https://me.openai.azure.com/openai/v1",
    "m",
    [ROW],
    (0.6 + 0.4 * 0.1 + 4) / 2,
  ],
  // 1 in, 0.1 cached, 5 out.
  [
    "Anthropic: the discounts stack",
    "https://api.anthropic.com/v1",
    "claude-haiku-4-5",
    [],
    (0.6 * 1 + 0.4 * 0.1 + 5) / 2,
  ],
  // 0.3 in, 0.03 cached, 2.5 out.
  [
    "Gemini: cached tokens cost the same on both cards",
    "https://generativelanguage.googleapis.com/v1beta",
    "gemini-2.5-flash",
    [],
    (0.6 * 0.3 + 2.5) / 2 + 0.4 * 0.03,
  ],
  ["Mistral: half price", "https://api.mistral.ai/v1", "m", [ROW], (1 + 4) / 2],
  ["Groq: half price, cached or not", "https://api.groq.com/openai/v1", "m", [ROW], (1 + 4) / 2],
  [
    "Fireworks: half of the batch price for cached tokens",
    "https://api.fireworks.ai/inference/v1",
    "m",
    [ROW],
    (0.6 + 4) / 2 + 0.4 * 0.25,
  ],
  ["SiliconFlow: half price", "https://api.siliconflow.cn/v1", "m", [ROW], (1 + 4) / 2],
  [
    "DashScope: no cache discount",
    "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
    "m",
    [ROW],
    (1 + 4) / 2,
  ],
  ["Together: only some models", "https://api.together.xyz/v1", "m", [ROW], null],
  ["xAI: differs by model", "https://api.x.ai/v1", "m", [ROW], null],
  ["OpenRouter: known after the answer", "https://openrouter.ai/api/v1", "m", [ROW], null],
  ["an unknown server", "http://gpu1:8000/v1", "m", [ROW], null],
  ["a host that only looks like OpenAI's", "https://api.openai.com.evil.net/v1", "m", [ROW], null],
  ["an unknown model", "https://api.openai.com/v1", "no-such-model", [], null],
  ["the built-in mock is free", "https://mock.invalid/v1", "m", [], 0],
  [
    "the user's share",
    "http://gpu1:8000/v1",
    "m",
    [{ ...ROW, batch: 0.8 }],
    0.8 * (0.6 + 0.4 * 0.1 + 4),
  ],
  [
    "the user's share follows the service's rule for cached tokens",
    "https://api.groq.com/openai/v1",
    "m",
    [{ ...ROW, batch: 0.25 }],
    0.25 * (1 + 4),
  ],
  ["a batch that is free", "http://gpu1:8000/v1", "m", [{ ...ROW, batch: 0 }], 0],
  ["the user's own rates", "https://api.x.ai/v1", "m", [
    { ...ROW, batch: { input: 2, output: 1 } },
  ], 2 + 1],
];

for (const [name, baseUrl, model, rows, expected] of CASES) {
  Deno.test(`${name}`, async () => {
    const price = await loadBatchPricer(baseUrl, rows);
    const cost = price(model, USAGE);
    if (expected === null) assert.equal(cost, null);
    else assert.ok(cost !== null && Math.abs(cost - expected) < 1e-9, `${cost}, not ${expected}`);
    // A tier that the answer reports is not a second discount.
    assert.equal(price(model, USAGE, "batch"), cost);
    assert.equal(price(model, USAGE, "flex"), cost);
  });
}

Deno.test("cache writes, reasoning and long prompts are discounted, prices per request are not", async () => {
  const tiers = [{ start: 100, price: 6 }];
  const row: PriceRow = {
    model: "m",
    input: { base: 2, tiers },
    output: 8,
    cacheWrite: 3,
    cacheWriteHour: 5,
    reasoning: 10,
    request: 0.5,
  };
  const price = await loadBatchPricer("https://api.anthropic.com/v1", [row]);
  const usage = {
    promptTokens: 1_000_000,
    completionTokens: 1_000_000,
    totalTokens: 2_000_000,
    cacheWriteTokens: 500_000,
    cacheWriteHourTokens: 200_000,
    reasoningTokens: 250_000,
  };
  assert.equal(
    price("m", usage),
    (0.5 * 6 + 0.3 * 3 + 0.2 * 5 + 0.75 * 8 + 0.25 * 10) / 2 + 0.5,
  );
});

Deno.test("listed batch prices are half of the standard ones", async () => {
  for (const { provider, model, input, output, batch } of await listPricing()) {
    if (batch === undefined) continue;
    const base = (rate: typeof input) => typeof rate === "number" ? rate : rate.base;
    assert.equal(base(batch.input), base(input) / 2, `${provider} ${model}`);
    assert.equal(base(batch.output), base(output) / 2, `${provider} ${model}`);
  }
});

Deno.test("getPricing() and estimateCost() know the price of a batch", async () => {
  const query = { provider: "openai", model: "gpt-4.1-mini", batch: true } as const;
  const pricing = await getPricing(query);
  assert.deepEqual(
    [pricing?.input, pricing?.output, pricing?.cachedInput, pricing?.source],
    [0.2, 0.8, 0.05, "genai-prices"],
  );
  const tokens = { promptTokens: 1_000_000, completionTokens: 0 };
  assert.equal(await estimateCost({ ...query, ...tokens }), 0.2);
  assert.equal(await estimateCost({ ...query, ...tokens, batch: false }), 0.4);
  assert.equal(await getPricing({ provider: "xai", model: "grok-4", batch: true }), null);
  const prices = [{ model: "m", input: 1, output: 2, batch: 0.1 }];
  const own = { baseUrl: "http://gpu1:8000/v1", model: "m", prices };
  assert.deepEqual(await getPricing(own), { model: "m", source: "user", input: 1, output: 2 });
  assert.equal((await getPricing({ ...own, batch: true }))?.input, 0.1);
  const [listed] = await listPricing(prices);
  assert.deepEqual([listed.input, listed.batch?.input], [1, 0.1]);
});

Deno.test("pricing.json has a share or rates under batch; mistakes are reported with their position", async () => {
  using folder = temporaryFolder();
  const path = folder.file("pricing.json");
  const read = (batch: unknown) => {
    const row = { model: "m", input: 1, output: 2, batch };
    writeFileSync(path, JSON.stringify({ prices: [row] }));
    return readPriceFile(path);
  };
  const price = await loadBatchPricer("http://gpu1:8000/v1", read(0.5));
  assert.equal(price("m", USAGE), 1.5);
  assert.deepEqual(read({ input: 1, output: 2, cached_input: 0.2 })[0].batch, {
    input: 1,
    output: 2,
    cachedInput: 0.2,
    cacheWrite: undefined,
    cacheWriteHour: undefined,
    reasoning: undefined,
    request: undefined,
  });
  assert.equal(read(undefined)[0].batch, undefined);
  for (const wrong of ["half", -0.5, 50, { input: 1 }, { input: 1, output: 2, cache: 3 }]) {
    assert.throws(() => read(wrong), /pricing\.json:1:\d+: batch.*expected a (share|number)/);
  }
  // Standard prices ignore it.
  const live = await loadPricer("http://gpu1:8000/v1", read(0.5));
  assert.equal(live("m", USAGE), 3);
});
