/** Embeddings, with the official packages as clients. */
import assert from "node:assert/strict";
import { GoogleGenAI } from "@google/genai";
import OpenAI from "openai";
import { createMockApp, type MockOptions, startMockServer } from "../../mod.ts";
import { embeddingOf } from "../../lib/mock/embedding_vector.ts";

async function openai(use: (sdk: OpenAI) => Promise<void>, options: MockOptions = {}) {
  await using server = await startMockServer(options);
  await use(new OpenAI({ baseURL: server.baseUrl, apiKey: "none", maxRetries: 0 }));
}

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((sum, value, i) => sum + value * b[i], 0);
}

Deno.test("the openai package gets embeddings with usage", () =>
  openai(async (sdk) => {
    const one = await sdk.embeddings.create({ model: "text-embedding-3-small", input: "Hi there" });
    assert.deepEqual([one.object, one.model, one.data.length], [
      "list",
      "text-embedding-3-small",
      1,
    ]);
    assert.deepEqual(one.usage, { prompt_tokens: 2, total_tokens: 2 });
    assert.equal(one.data[0].embedding.length, 1536);
    assert.ok(Math.abs(cosine(one.data[0].embedding, one.data[0].embedding) - 1) < 1e-6);
    const large = await sdk.embeddings.create({ model: "text-embedding-3-large", input: "Hi" });
    assert.equal(large.data[0].embedding.length, 3072);
    const many = await sdk.embeddings.create({ model: "e", input: ["a", "b", "a"] });
    assert.deepEqual(many.data.map(({ index }) => index), [0, 1, 2]);
    assert.deepEqual(many.data[0].embedding, many.data[2].embedding);
    assert.notDeepEqual(many.data[0].embedding, many.data[1].embedding);
  }));

Deno.test("the openai package gets the same vector as numbers and as base64", () =>
  openai(async (sdk) => {
    const vectors = [];
    for (const encoding_format of ["float", "base64", undefined] as const) {
      const request = { model: "e", input: "Hello", dimensions: 256, encoding_format };
      vectors.push((await sdk.embeddings.create(request)).data[0].embedding);
    }
    // The package returns base64 undecoded if it was asked for.
    const bytes = Uint8Array.from(atob(String(vectors[1])), (c) => c.charCodeAt(0));
    const decoded = [...new Float32Array(bytes.buffer)];
    assert.equal(decoded.length, 256);
    assert.deepEqual(decoded, vectors[0]);
    assert.deepEqual(vectors[2].map(Math.fround), vectors[0]);
  }));

Deno.test("the openai package gets embeddings of tokens", () =>
  openai(async (sdk) => {
    const one = await sdk.embeddings.create({ model: "e", input: [1, 2, 3] });
    assert.deepEqual([one.data.length, one.usage.prompt_tokens], [1, 3]);
    const two = await sdk.embeddings.create({ model: "e", input: [[1, 2, 3], [4]] });
    assert.deepEqual([two.data.length, two.usage.prompt_tokens], [2, 4]);
    assert.deepEqual(two.data[0].embedding, one.data[0].embedding);
  }));

Deno.test("invalid embedding requests are rejected with the field", () =>
  openai(async (sdk) => {
    const cases: [Record<string, unknown>, RegExp, string][] = [
      [{}, /Missing required parameter: 'input'/, "input"],
      [{ input: "" }, /cannot be an empty string/, "input"],
      [{ input: ["a", ""] }, /'input\[1\]': input cannot be an empty string/, "input"],
      [{ input: [] }, /at least one item/, "input"],
      [{ input: [1.5] }, /'input\[0\]': expected a string/, "input"],
      [{ input: Array(2049).fill("a") }, /maximum array length is 2048, got 2049/, "input"],
      [{ input: "a", dimensions: 0 }, /'dimensions'/, "dimensions"],
      [{ input: "a", encoding_format: "hex" }, /'encoding_format'/, "encoding_format"],
      [{ input: "a", model: "" }, /model parameter/, "model"],
    ];
    for (const [body, message, param] of cases) {
      const request = { model: "e", ...body } as unknown as OpenAI.EmbeddingCreateParams;
      await assert.rejects(
        async () => await sdk.embeddings.create(request),
        (error: InstanceType<typeof OpenAI.APIError>) => {
          assert.deepEqual([error.status, error.param], [400, param], JSON.stringify(body));
          assert.match(error.message, message);
          return true;
        },
      );
    }
  }));

Deno.test("embeddings fail like other requests, and have the same faults for a seed", async () => {
  const options: MockOptions = { errorRate: 1, errorKinds: ["rate_limit"] };
  await openai(async (sdk) => {
    await assert.rejects(async () => await sdk.embeddings.create({ model: "e", input: "a" }), {
      status: 429,
    });
  }, options);
});

Deno.test("similar texts have similar embeddings, in every size and language", () => {
  const similar: [string, string, string][] = [
    [
      "The cat sat on the mat.",
      "A cat is sitting on the mat.",
      "Quarterly revenue grew by ten percent.",
    ],
    ["How do I reset my password?", "how to reset a PASSWORD", "Best pizza in Naples"],
    ["Die Katze schläft auf dem Sofa", "Die Katzen schlafen auf dem Sofa", "Heute regnet es"],
    ["今天天气很好，我们去公园", "今天天气很好，我们去海边", "数据库连接失败"],
  ];
  for (const dimensions of [64, 256, 1536, 3072]) {
    for (const [text, near, far] of similar) {
      const [a, b, c] = [text, near, far].map((t) => embeddingOf(t, dimensions, 0));
      assert.ok(cosine(a, b) > cosine(a, c) + 0.2, `${dimensions}: ${text}`);
      assert.ok(Math.abs(cosine(a, a) - 1) < 1e-5);
    }
  }
});

Deno.test("embeddings depend on the seed, and differ for texts without words", () => {
  assert.deepEqual(embeddingOf("a", 8, 1), embeddingOf("a", 8, 1));
  assert.notDeepEqual(embeddingOf("a", 8, 1), embeddingOf("a", 8, 2));
  assert.notDeepEqual(embeddingOf("?!", 8, 0), embeddingOf("!?", 8, 0));
  assert.ok(embeddingOf("x", 1, 0).every((value) => Math.abs(value) === 1));
});

Deno.test("@google/genai gets embeddings of one and of several texts", async () => {
  await using server = await startMockServer();
  const baseUrl = server.baseUrl.replace("/v1", "");
  const sdk = new GoogleGenAI({ apiKey: "none", httpOptions: { baseUrl } });
  const model = "gemini-embedding-001";
  const several = await sdk.models.embedContent({
    model,
    contents: ["one", "two"],
    config: { outputDimensionality: 768 },
  });
  assert.deepEqual(several.embeddings?.map(({ values }) => values?.length), [768, 768]);
  const one = await sdk.models.embedContent({ model, contents: "one" });
  assert.equal(one.embeddings?.[0].values?.length, 3072);
});

Deno.test("Gemini's embedContent and batchEmbedContents give the same vectors", async () => {
  const app = createMockApp({ models: ["gemini-embedding-001"] });
  const post = async (path: string, body: unknown) => {
    const init = { method: "POST", body: JSON.stringify(body) };
    const response = await app.fetch(new Request(`http://mock${path}`, init));
    return { status: response.status, body: await response.json() };
  };
  const request = { content: { parts: [{ text: "Hello" }] }, outputDimensionality: 16 };
  const path = "/v1beta/models/gemini-embedding-001";
  const one = await post(`${path}:embedContent`, request);
  const batch = await post(`${path}:batchEmbedContents`, { requests: [request, request] });
  assert.deepEqual(batch.body.embeddings, [one.body.embedding, one.body.embedding]);
  assert.equal(batch.body.usageMetadata.promptTokenCount, 4);
  const empty = await post(`${path}:embedContent`, { content: { parts: [] } });
  assert.deepEqual([empty.status, empty.body.error.status], [400, "INVALID_ARGUMENT"]);
  const second = await post(`/v1/models/e:batchEmbedContents`, { requests: [request, {}] });
  assert.match(second.body.error.message, /requests\[1\]\.content: content is empty/);
  const listed = await app.fetch(new Request("http://mock/v1beta/models"));
  const { models } = await listed.json();
  assert.deepEqual(models[0].supportedGenerationMethods, [
    "embedContent",
    "batchEmbedContents",
    "countTokens",
  ]);
});
