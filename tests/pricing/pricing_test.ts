/**
 * The cost of completions. Expected amounts are calculated by hand from the rates in
 * `@pydantic/genai-prices` 0.1.8, in USD per million tokens.
 */
import assert from "node:assert/strict";
import { calcPrice, findProvider, waitForUpdate } from "@pydantic/genai-prices";
import fc from "fast-check";
import { CostTracker, estimateCost, getPricing, listPricing, LLMClient } from "../../mod.ts";
import { loadPricer } from "../../lib/pricing/price.ts";
import { readPriceFile } from "../../lib/pricing/price_file.ts";
import { listedModels } from "../../lib/pricing/price_list.ts";
import { decodeCost } from "../../lib/protocols/openai_chat/usage.ts";
import { completion, httpAnswer, startRawServer } from "../support/raw_server.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const OPENAI = "https://api.openai.com/v1";
const GEMINI = "https://generativelanguage.googleapis.com/v1beta";
const CLAUDE = "https://api.anthropic.com/v1";

function usage(promptTokens: number, completionTokens: number, more = {}) {
  return { promptTokens, completionTokens, totalTokens: promptTokens + completionTokens, ...more };
}

function close(found: number | null, expected: number): void {
  assert.ok(found !== null && Math.abs(found - expected) < 1e-12, `${found}, not ${expected}`);
}

Deno.test("cached tokens have their own rate", async () => {
  const price = await loadPricer(OPENAI);
  // gpt-5.4-mini: 0.75 in, 0.075 cached, 4.5 out, USD per million.
  close(
    price("gpt-5.4-mini", usage(1000, 100, { cachedTokens: 400, reasoningTokens: 60 })),
    (600 * 0.75 + 400 * 0.075 + 100 * 4.5) / 1e6,
  );
});

Deno.test("cache writes have their own rate", async () => {
  const price = await loadPricer(CLAUDE);
  // Claude Sonnet 4: 3 in, 3.75 written, 0.3 cached, 15 out.
  close(
    price(
      "claude-sonnet-4-20250514",
      usage(1000, 10, { cachedTokens: 100, cacheWriteTokens: 500 }),
    ),
    (400 * 3 + 100 * 0.3 + 500 * 3.75 + 10 * 15) / 1e6,
  );
});

Deno.test("one-hour cache writes cost twice the input rate", async () => {
  const price = await loadPricer(CLAUDE);
  const tokens = usage(1000, 10, { cacheWriteTokens: 500, cacheWriteHourTokens: 400 });
  // Claude Sonnet 4: 3 in, 3.75 written for five minutes, 6 for an hour, 15 out.
  close(
    price("claude-sonnet-4-20250514", tokens),
    (500 * 3 + 100 * 3.75 + 400 * 6 + 10 * 15) / 1e6,
  );
  const own = { model: "m", input: 3, output: 15 };
  const of = async (row: object) => (await loadPricer(CLAUDE, [{ ...own, ...row }]))("m", tokens);
  close(await of({ cacheWrite: 3.75 }), (500 * 3 + 100 * 3.75 + 400 * 6 + 10 * 15) / 1e6);
  close(
    await of({ cacheWrite: 3.75, cacheWriteHour: 5 }),
    (500 * 3 + 100 * 3.75 + 400 * 5 + 10 * 15) / 1e6,
  );
  close(await of({}), (1000 * 3 + 10 * 15) / 1e6);
});

Deno.test("a service tier has its own or an unknown price", async () => {
  const tokens = usage(1000, 100);
  const standard = (1000 * 0.75 + 100 * 4.5) / 1e6;
  const price = await loadPricer(OPENAI);
  for (const tier of [undefined, "", "default", "auto", "standard"]) {
    close(price("gpt-5.4-mini", tokens, tier), standard);
  }
  close(price("gpt-5.4-mini", tokens, "flex"), standard / 2);
  close(price("gpt-5.4-mini", tokens, "batch"), standard / 2);
  for (const tier of ["priority", "scale", "fast"]) {
    assert.equal(price("gpt-5.4-mini", tokens, tier), null);
  }
  // Groq's flex tier costs the same as its standard tier.
  const groq = await loadPricer("https://api.groq.com/openai/v1");
  close(
    groq("llama-3.3-70b-versatile", tokens, "flex"),
    groq("llama-3.3-70b-versatile", tokens, "on_demand")!,
  );
  // The user's own prices apply to every tier.
  const own = await loadPricer(OPENAI, [{ model: "m", input: 1, output: 2 }]);
  close(own("m", tokens, "priority"), 1200 / 1e6);
});

Deno.test("a budget cannot be enforced for a tier with an unknown price", async () => {
  const costTracker = new CostTracker({ limit: 1 });
  await using client = new LLMClient({
    provider: "openai",
    model: "gpt-5.4-mini",
    apiKey: "k",
    costTracker,
    fetch: () => Promise.resolve(Response.json(JSON.parse(completion("hi")))),
  });
  const extraBody = { service_tier: "priority" };
  await assert.rejects(
    client.chatCompletions([{ role: "user", content: "hi" }], { extraBody, maxTokens: 5 }),
    /gpt-5\.4-mini .* has no known price/,
  );
});

Deno.test("the rate of a tier applies to the whole prompt", async () => {
  const price = await loadPricer(GEMINI);
  // Gemini 2.5 Pro: 1.25 and 10 up to 200,000 tokens, 2.5 and 15 above.
  close(price("gemini-2.5-pro", usage(200_000, 10)), (200_000 * 1.25 + 10 * 10) / 1e6);
  close(price("gemini-2.5-pro", usage(200_001, 10)), (200_001 * 2.5 + 10 * 15) / 1e6);
});

Deno.test("every listed model costs what the price list calculates", async () => {
  const providers = await waitForUpdate() ?? [];
  const tokens = fc.integer({ min: 0, max: 400_000 });
  const cases = providers.flatMap((provider) =>
    provider.models.map(({ id }) => [provider, id] as const)
  );
  const baseUrls = new Map(
    [OPENAI, GEMINI, CLAUDE, "https://api.deepseek.com", "https://openrouter.ai/api/v1"]
      .map((url) => [findProvider({ providerApiUrl: url })!.id, url]),
  );
  const known = cases.filter(([{ id }]) => baseUrls.has(id));
  assert.ok(known.length > 500);
  for (const [provider, model] of known) {
    const price = await loadPricer(baseUrls.get(provider.id)!);
    if (price(model, usage(1, 1)) === null) continue;
    fc.assert(
      fc.property(tokens, tokens, tokens, (a, b, completionTokens) => {
        const [promptTokens, cachedTokens] = [a + b, b];
        const expected = calcPrice(
          {
            input_tokens: promptTokens,
            cache_read_tokens: cachedTokens,
            output_tokens: completionTokens,
          },
          model,
          { provider },
        )!.total_price;
        const found = price(model, usage(promptTokens, completionTokens, { cachedTokens }))!;
        assert.ok(Math.abs(found - expected) <= 1e-9 + expected * 1e-9, `${model}: ${found}`);
      }),
      { numRuns: 3 },
    );
  }
});

Deno.test("a free model costs nothing, an unknown model has an unknown cost", async () => {
  const openrouter = await loadPricer("https://openrouter.ai/api/v1");
  assert.equal(openrouter("allenai/molmo-7b-d:free", usage(1000, 1000)), 0);
  assert.equal(openrouter("nobody/nothing-1b", usage(1000, 1000)), null);
  for (const server of ["http://localhost:8000/v1", "https://llm.example.com/v1"]) {
    assert.equal((await loadPricer(server))("gpt-5.4-mini", usage(1, 1)), null);
  }
});

Deno.test("tokens reported in addition to the total are charged in addition", async () => {
  const price = await loadPricer(OPENAI);
  // More cached than input tokens and more reasoning than output tokens: they cannot be included.
  close(price("gpt-5.4-mini", usage(100, 0, { cachedTokens: 500 })), (75 + 500 * 0.075) / 1e6);
  close(price("gpt-5.4-mini", usage(0, 100, { reasoningTokens: 200 })), 300 * 4.5 / 1e6);
});

Deno.test("invalid counts have no cost, not a negative one", async () => {
  const price = await loadPricer(OPENAI);
  for (const count of [-1000, NaN, Infinity]) {
    assert.equal(price("gpt-5.4-mini", usage(count, 0)), null);
    assert.equal(price("gpt-5.4-mini", usage(0, count)), null);
  }
});

Deno.test("reasoning tokens and requests can have their own rates", async () => {
  const openrouter = await loadPricer("https://openrouter.ai/api/v1");
  // perplexity/sonar-deep-research: 2 in, 8 out, 3 for thinking.
  const used = usage(1000, 1000, { reasoningTokens: 400 });
  close(openrouter("perplexity/sonar-deep-research", used), (2000 + 600 * 8 + 400 * 3) / 1e6);
  // sonar: 1 in, 1 out, 12 for a thousand requests.
  close((await loadPricer("https://api.perplexity.ai"))("sonar", usage(100, 100)), 0.0122);
});

Deno.test("prices can depend on the date and time, to the minute", async () => {
  let time = Date.parse("2026-11-23T16:29:59.999Z");
  const deepseek = await loadPricer("https://api.deepseek.com", [], () => time);
  // deepseek-chat: 0.27 and 1.1 from 00:30 to 16:30 UTC, 0.135 and 0.55 else.
  close(deepseek("deepseek-chat", usage(1e6, 0)), 0.27);
  time++;
  close(deepseek("deepseek-chat", usage(1e6, 0)), 0.135);
  time = Date.parse("2026-11-24T00:29:30Z");
  close(deepseek("deepseek-chat", usage(0, 1e6)), 0.55);
  time = Date.parse("2026-11-24T00:30:00Z");
  close(deepseek("deepseek-chat", usage(0, 1e6)), 1.1);
  // gemini-3.6-flash: 0.75 until the end of 2026, then 1.5.
  const gemini = await loadPricer(GEMINI, [], () => time);
  close(gemini("gemini-3.6-flash", usage(1e6, 0)), 0.75);
  const at = () => Date.parse("2027-01-01T00:00:00Z");
  close((await loadPricer(GEMINI, [], at))("gemini-3.6-flash", usage(1e6, 0)), 1.5);
});

Deno.test("embeddings cost only their input", async () => {
  const openai = await loadPricer("https://api.openai.com/v1");
  const cost = openai("text-embedding-3-small", usage(1000, 0));
  assert(cost !== null && cost > 0);
  assert.equal(openai("text-embedding-3-small", usage(1000, 1000)), cost);
});

Deno.test("a listed model without text prices is unknown, not free", async () => {
  const openrouter = await loadPricer("https://openrouter.ai/api/v1");
  assert.equal(openrouter("google/lyria-3-pro-preview", usage(1000, 1000)), null);
  const openai = await loadPricer(OPENAI);
  for (const model of ["whisper-1"]) {
    assert.equal(openai(model, usage(1000, 1000)), null, model);
  }
  // The list's own words: "Free of charge on the Gemini API".
  assert.equal((await loadPricer(GEMINI))("gemma-4-31b-it", usage(1000, 1000)), 0);
});

Deno.test("the user's prices take precedence, those for one server first", async () => {
  const rows = [
    { model: "qwen3", input: 1, output: 2 },
    { model: "qwen3", baseUrl: "http://GPU1:8000/v1/", input: 10, output: 20, request: 0.5 },
    { model: "gpt-5.4-mini", input: 7, output: 7 },
  ];
  close((await loadPricer("http://gpu2:8000/v1", rows))("qwen3", usage(1e6, 1e6)), 3);
  close((await loadPricer("http://gpu1:8000/v1", rows))("qwen3", usage(1e6, 1e6)), 30.5);
  close((await loadPricer(OPENAI, rows))("gpt-5.4-mini", usage(1e6, 0)), 7);
});

Deno.test("getPricing() and estimateCost() return rates, source and amounts", async () => {
  const pricing = await getPricing({ model: "gpt-5.4-mini", provider: "openai" });
  assert.equal(pricing!.source, "genai-prices");
  assert.deepEqual([pricing!.input, pricing!.cachedInput, pricing!.output], [0.75, 0.075, 4.5]);
  assert.equal(await getPricing({ model: "nothing-1", provider: "openai" }), null);
  await assert.rejects(getPricing({ model: "m" }), { code: "configuration" });
  const query = {
    model: "gpt-5.4-mini",
    baseUrl: OPENAI,
    promptTokens: 1e6,
    completionTokens: 1e6,
  };
  close(await estimateCost(query), 0.75 + 4.5);
  close(await estimateCost({ ...query, cachedTokens: 1e6 }), 0.075 + 4.5);
  assert.equal(await estimateCost({ ...query, model: "nothing-1" }), null);
});

Deno.test("listedModels() returns models with their providers", async () => {
  const models = await listedModels();
  assert.ok(models.length > 1000);
  const mini = models.find(({ model, provider }) =>
    model === "gpt-5.4-mini" && provider === "OpenAI"
  );
  assert.equal(mini!.contextWindow, 400_000);
  assert.ok(!models.some(({ model }) => model === "whisper-1"));
});

Deno.test("listedModels() returns current prices, not future ones", async () => {
  const priceAt = async (time: string) => {
    const models = await listedModels(() => Date.parse(time));
    const input = (vendor: string, name: string) =>
      models.find(({ provider, model }) => provider === vendor && model === name)!.rates.input;
    return [input("Google", "gemini-3.6-flash"), input("Deepseek", "deepseek-chat")];
  };
  assert.deepEqual(await priceAt("2026-11-23T20:00:00Z"), [0.75, 0.135]);
  assert.deepEqual(await priceAt("2027-01-01T12:00:00Z"), [1.5, 0.27]);
});

Deno.test("problems in the price file are reported with their position", () => {
  using folder = temporaryFolder();
  const read = (text: string) => readPriceFile(folder.write("pricing.json", text));
  assert.deepEqual(readPriceFile(folder.file("none.json")), []);
  const [row] = read(
    '{"updated":"2026-11-23","prices":[{"model":"m","base_url":"http://h/v1","input":1,"output":2,' +
      '"cached_input":0.1}]}',
  );
  assert.deepEqual([row.model, row.baseUrl, row.input, row.cachedInput], [
    "m",
    "http://h/v1",
    1,
    0.1,
  ]);
  const tiers = '{"base": 1, "tiers": [{"start": 20, "price": 3}, {"start": 10, "price": 2}]}';
  const [tiered] = read(`\ufeff{"prices":[{"model":"m","input":${tiers},"output":2}]}`);
  assert.deepEqual(tiered.input, {
    base: 1,
    tiers: [{ start: 10, price: 2 }, { start: 20, price: 3 }],
  });

  const [own] = read(
    '{"prices":[{"model":"m","input":1,"output":2},' +
      '{"model":"m","input":3,"output":4,"source":"openrouter"}]}',
  );
  assert.equal(own.input, 1, "a downloaded row may duplicate the user's own");

  const row_ = '{"model": "m", "input": 1, "output": 2}';
  const cases: [text: string, message: RegExp][] = [
    ['{"prices": [}', /pricing\.json:1:13: not valid JSON/],
    ["", /pricing\.json:1:1: not valid JSON/],
    ["{}", /pricing\.json:1:1: missing field "prices"/],
    ['{"prices": {}}', /:1:12: prices: expected a list of prices/],
    ['{"prices": [], "price": 1}', /unknown field "price": expected one of updated, prices/],
    ['{"prices": [\n  {"input": 1, "output": 2}\n]}', /:2:3: missing field "model"/],
    ['{"prices": [\n  7\n]}', /:2:3: expected a price with model, input and output, got 7/],
    [
      '{"prices": [{"model": "m",\n "input": -1, "output": 1}]}',
      /:2:11: input: expected .*, got -1/,
    ],
    [
      '{"prices": [{"model": "m", "input": 1, "output": 2,\n "cached": 1}]}',
      /:2:\d+: unknown field "cached": expected one of .*cached_input/,
    ],
    [
      '{"prices": [{"model": "m", "base_url": "host/v1", "input": 1, "output": 2}]}',
      /:1:40: base_url: expected a URL such as https:\/\/host\/v1, got "host\/v1"/,
    ],
    [`{"prices": [\n${row_},\n${row_}]}`, /:3:1: duplicate price of m$/],
  ];
  for (const [text, message] of cases) {
    assert.throws(() => read(text), { code: "configuration", message }, text);
  }
});

Deno.test("listPricing() returns the given prices, then the price list", async () => {
  const [first, second, ...listed] = await listPricing([
    { model: "mine", input: 1, output: 2 },
    { model: "mine", baseUrl: "http://gpu1:8000/v1", input: 3, output: 4 },
  ]);
  assert.deepEqual([first.model, first.source, first.provider], ["mine", "user", undefined]);
  assert.deepEqual([second.input, second.provider], [3, "gpu1:8000"]);
  assert.ok(listed.length > 1000 && listed.every(({ source }) => source === "genai-prices"));
});

Deno.test("OpenRouter's reported cost includes the bill of the user's own provider key", () => {
  // OpenRouter, "Usage Accounting": with your own provider key, `cost` is only the fee.
  const cost_details = { upstream_inference_cost: 0.19 };
  assert.equal(decodeCost({ cost: 0.95, cost_details }), 0.95);
  assert.equal(decodeCost({ cost: 0.25, is_byok: false, cost_details }), 0.25);
  close(decodeCost({ cost: 0.01, is_byok: true, cost_details })!, 0.2);
  assert.equal(decodeCost({ cost: 0.01, is_byok: true }), 0.01);
  assert.equal(decodeCost({ prompt_tokens: 1 }), undefined);
});

Deno.test("a cost reported by the server takes precedence over all prices", async () => {
  const body = JSON.parse(completion("hi"));
  body.usage.cost = 0.123;
  await using server = await startRawServer((socket) =>
    socket.write(httpAnswer(200, JSON.stringify(body)))
  );
  const prices = [{ model: "m", input: 1, output: 1 }];
  await using client = new LLMClient({ baseUrl: server.baseUrl, model: "m", prices });
  const { cost } = await client.chatCompletions([{ role: "user", content: "Hello" }]);
  assert.equal(cost, 0.123);
});
