/** Estimates of the tokens and cost of a batch. */
import assert from "node:assert/strict";
import type { BatchRecord, Message } from "../../mod.ts";
import { estimateBatch } from "../../lib/pricing/estimate_batch.ts";
import { loadPricer } from "../../lib/pricing/price.ts";
import { loadTokenizer } from "../../lib/pricing/tokenizer.ts";

const ENDPOINT = "http://h/v1";

async function target(model = "m", input = 1, output = 2, endpoint = ENDPOINT) {
  const prices = [{ model, input, output, request: 0.01 }];
  return { model, endpoint, price: await loadPricer(endpoint, prices) };
}

function question(content: string, options?: BatchRecord["options"]): BatchRecord {
  return { messages: [{ role: "user", content }], options };
}

function near(actual: number | null, expected: number, share = 1e-9): void {
  assert.ok(
    actual !== null && Math.abs(actual - expected) <= Math.abs(expected) * share,
    `${actual}, not ${expected}`,
  );
}

Deno.test("tokens are counted exactly, and each record is priced", async () => {
  // "Hello there." is three tokens; the message and the answer's start add seven.
  const records = [question("Hello there."), question("Hello there.", { maxTokens: 5 })];
  const estimate = await estimateBatch(records, {
    targets: [await target()],
    sampling: { maxTokens: 100 },
  });
  const [row] = estimate.models;
  assert.deepEqual([row.records, row.promptTokens, row.maxCompletionTokens], [2, 20, 105]);
  near(row.promptCost, 20 / 1e6 + 0.02);
  near(row.maxCost, (20 + 2 * 105) / 1e6 + 0.02);
  near(row.costPerThousand, 0.002);
  assert.deepEqual(
    [estimate.lowestCost, estimate.highestCost, estimate.sampled, estimate.images],
    [row.promptCost, row.maxCost, false, 0],
  );
});

Deno.test("there is no maximum cost unless every record has a limit", async () => {
  const records = [question("one", { maxTokens: 5 }), question("two")];
  const { models, lowestCost, highestCost } = await estimateBatch(records, {
    targets: [await target()],
  });
  assert.deepEqual([models[0].maxCompletionTokens, models[0].maxCost], [null, null]);
  assert.ok(lowestCost! > 0);
  assert.equal(highestCost, null);
});

Deno.test("each record is priced by its own length, not by the average", async () => {
  // gemini-2.5-pro: 1.25 up to 200,000 tokens, 2.5 above.
  const baseUrl = "https://generativelanguage.googleapis.com/v1beta";
  const price = await loadPricer(baseUrl);
  const targets = [{ model: "gemini-2.5-pro", endpoint: baseUrl, price }];
  const long = question("word ".repeat(250_000));
  const { models: [row] } = await estimateBatch([long, question("Hi"), question("Hi")], {
    targets,
  });
  const short = 8;
  near(row.promptCost, ((row.promptTokens - 2 * short) * 2.5 + 2 * short * 1.25) / 1e6);
});

Deno.test("tools, schemas, tool calls and images are counted", async () => {
  const tokensOf = async (record: BatchRecord, sampling = {}) => {
    const estimate = await estimateBatch([record], { targets: [await target()], sampling });
    return [estimate.models[0].promptTokens, estimate.images];
  };
  const [plain] = await tokensOf(question("Hi"));
  const count = await loadTokenizer();
  const schema = { type: "object", properties: { name: { type: "string" } } };
  const responseFormat = { type: "json_schema", json_schema: { name: "s", schema } };
  const tools = [{ type: "function", function: { name: "f", parameters: schema } }];
  const more = count(JSON.stringify(tools)) + count(JSON.stringify(responseFormat));
  assert.deepEqual(await tokensOf(question("Hi"), { tools, responseFormat }), [plain + more, 0]);

  const content: Message["content"] = [
    { type: "text", text: "Hi" },
    { type: "image_url", image_url: { url: "a.png" } },
    { type: "image_url", image_url: { url: "b.png", detail: "low" } },
  ];
  assert.deepEqual(await tokensOf({ messages: [{ role: "user", content }] }), [plain + 1700, 2]);

  const call = { name: "f", arguments: '{"name":"Hi"}' };
  // A flat tool call, as in some data sets.
  const messages = [...question("Hi").messages, { role: "assistant", tool_calls: [call] }];
  const [withCall] = await tokensOf({ messages: messages as Message[] });
  assert.ok(withCall > plain + count(call.arguments));
});

Deno.test("each of several endpoints is estimated with all records, and the range is reported", async () => {
  const records = [question("Hello there."), question("Hello there.", { model: "own" })];
  const both = [await target("cheap", 1, 2), await target("dear", 10, 20, "http://b/v1")];
  const own = { model: "own", input: 5, output: 5 };
  const targets = await Promise.all(both.map(async ({ model, endpoint, price }) => {
    const ownPrice = await loadPricer(endpoint, [own]);
    return {
      model,
      endpoint,
      price: (name: string, usage: Parameters<typeof price>[1]) =>
        name === "own" ? ownPrice(name, usage) : price(name, usage),
    };
  }));
  const estimate = await estimateBatch(records, { targets, sampling: { maxTokens: 10 } });
  assert.deepEqual(
    estimate.models.map(({ model, endpoint, records }) => [model, endpoint, records]),
    [
      ["cheap", ENDPOINT, 1],
      ["dear", "http://b/v1", 1],
      ["own", ENDPOINT, 1],
      ["own", "http://b/v1", 1],
    ],
  );
  near(estimate.lowestCost, (10 + 50) / 1e6 + 0.01);
  near(estimate.highestCost, (10 * 10 + 20 * 10 + 20 * 5) / 1e6 + 0.01);
});

Deno.test("one model with an unknown price makes the total unknown", async () => {
  const { models, lowestCost } = await estimateBatch(
    [question("one"), question("two", { model: "unknown" })],
    { targets: [await target()] },
  );
  assert.ok(models[0].promptCost! > 0);
  assert.deepEqual([models[1].promptCost, models[1].costPerThousand, lowestCost], [
    null,
    null,
    null,
  ]);
});

Deno.test("large inputs are sampled: close to the exact count and reproducible", async () => {
  // The first records differ from the rest.
  function* records() {
    for (let i = 0; i < 3000; i++) yield question("Hi");
    for (let i = 0; i < 3000; i++) {
      yield question(`{"id": ${i}, "score": 0.${i}, "ok": true}`.repeat(5));
    }
  }
  const options = { targets: [await target()], sampling: { maxTokens: 50 } };
  const exact = await estimateBatch(records(), options);
  const sample = await estimateBatch(records(), { ...options, counted: 20_000 });
  assert.deepEqual([exact.sampled, sample.sampled], [false, true]);
  const [a, b] = [exact.models[0], sample.models[0]];
  assert.deepEqual([b.records, b.maxCompletionTokens], [a.records, a.maxCompletionTokens]);
  near(b.promptTokens, a.promptTokens, 0.1);
  near(b.maxCost, a.maxCost!, 0.1);
  assert.deepEqual(await estimateBatch(records(), { ...options, counted: 20_000 }), sample);
});

Deno.test("text without spaces does not slow down the tokenizer", async () => {
  const count = await loadTokenizer();
  // As single words, each would take minutes.
  const texts = ["a".repeat(1e6), "人工智能学习".repeat(1e5), " ".repeat(1e6), "=".repeat(1e6)];
  for (const text of texts) assert.ok(count(text) > 1000);
  // Splitting changes the count only slightly.
  const words = "These are words with blanks between them, as most texts have. ".repeat(50);
  const whole = count(words);
  near(count(words + "x".repeat(400)), whole + 50, 0.05);
});
