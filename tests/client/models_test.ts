/** Lists of models: OpenAI, Anthropic ("List Models") and Gemini ("models.list") API references. */
import assert from "node:assert/strict";
import { type ClientOptions, LLMClient } from "../../mod.ts";

/** A client whose server answers each path and query with the given body. */
function clientOf(options: Partial<ClientOptions>, pages: Record<string, unknown>) {
  const requested: string[] = [];
  const client = new LLMClient({
    baseUrl: "https://host/v1",
    apiKey: "key",
    ...options,
    fetch: (url, init) => {
      const { pathname, search } = new URL(url);
      requested.push(`${init.method} ${pathname}${search}`);
      return Promise.resolve(Response.json(pages[search] ?? { error: { message: "no" } }));
    },
  });
  return { client, requested };
}

Deno.test("models() lists the models of an OpenAI-compatible server", async () => {
  const { client, requested } = clientOf({}, {
    "": { object: "list", data: [{ id: "a" }, { id: "b", max_model_len: 4096 }] },
  });
  assert.deepEqual(await client.models(), [{ id: "a" }, { id: "b", contextWindow: 4096 }]);
  assert.deepEqual(requested, ["GET /v1/models"]);
});

Deno.test("models() reads all pages of Anthropic's list", async () => {
  const { client } = clientOf({ provider: "claude" }, {
    "?limit=1000": {
      data: [{ id: "c1", display_name: "C 1", max_tokens: 9 }],
      has_more: true,
      last_id: "c1",
    },
    "?limit=1000&after_id=c1": { data: [{ id: "c2" }], has_more: false, last_id: "c2" },
  });
  assert.deepEqual(await client.models(), [
    { id: "c1", displayName: "C 1", maxOutputTokens: 9 },
    { id: "c2" },
  ]);
});

Deno.test("models() reads all pages of Gemini's list, and only models that write text", async () => {
  const generate = ["generateContent"];
  const { client } = clientOf({ provider: "gemini" }, {
    "?pageSize=1000": {
      models: [
        { name: "models/g1", inputTokenLimit: 5, supportedGenerationMethods: generate },
        { name: "models/embed", supportedGenerationMethods: ["embedContent"] },
      ],
      nextPageToken: "next",
    },
    "?pageSize=1000&pageToken=next": { models: [{ name: "models/g2" }] },
  });
  assert.deepEqual(await client.models(), [{ id: "g1", contextWindow: 5 }, { id: "g2" }]);
});

Deno.test("models() throws if a list repeats its pages", async () => {
  const claude = { data: [{ id: "c" }], has_more: true, last_id: "c" };
  const gemini = { models: [{ name: "models/g" }], nextPageToken: "again" };
  const lists: [Partial<ClientOptions>, Record<string, unknown>][] = [
    [{ provider: "claude" }, { "?limit=1000": claude, "?limit=1000&after_id=c": claude }],
    [{ provider: "gemini" }, {
      "?pageSize=1000": gemini,
      "?pageSize=1000&pageToken=again": gemini,
    }],
  ];
  for (const [options, pages] of lists) {
    const { client, requested } = clientOf(options, pages);
    await assert.rejects(client.models(), /list of models repeats itself/);
    assert.equal(requested.length, 2);
  }
});

Deno.test("models() throws the server's error", async () => {
  const { client } = clientOf({}, {});
  await assert.rejects(client.models(), /reported an error: no/);
});
