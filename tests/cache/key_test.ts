import assert from "node:assert/strict";
import fc from "fast-check";
import { cacheKey, type CacheKeyParts } from "../../lib/cache/key.ts";
import { openaiChat } from "../../lib/protocols/openai_chat/openai_chat.ts";
import { anthropic } from "../../lib/protocols/anthropic/anthropic.ts";
import { gemini } from "../../lib/protocols/gemini/gemini.ts";
import type { Protocol } from "../../lib/protocols/protocol.ts";
import { openaiResponses } from "../../lib/protocols/openai_responses/openai_responses.ts";
import type { SamplingOptions } from "../../mod.ts";

const PARTS = { baseUrl: "http://127.0.0.1/v1", protocol: openaiChat, model: "m" };

function keyOf(body: unknown, parts: Partial<CacheKeyParts> = {}): string {
  return cacheKey({ ...PARTS, body: JSON.stringify(body), ...parts });
}

/** The key of a request as a provider encodes it. */
function encodedKey(
  provider: Protocol,
  options: SamplingOptions,
  { stream = false, apiKey = "key-1", model = "gpt-4.1" } = {},
): string {
  const endpoint = { baseUrl: PARTS.baseUrl, apiKey, headers: { "x-key": apiKey } };
  const { body = "" } = provider.encoder(endpoint)({
    model,
    messages: [{ role: "user", content: "Hello" }],
    options,
    stream,
  });
  return cacheKey({ baseUrl: PARTS.baseUrl, protocol: provider, model, body });
}

/** The same value with its fields in another order. */
function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).reverse().map(([k, v]) => [k, shuffled(v)]));
}

type Path = (string | number)[];

function leaves(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [path];
  const inner = Object.entries(value);
  return inner.length === 0 ? [path] : inner.flatMap(([key, v]) => leaves(v, [...path, key]));
}

function changed(value: unknown, [first, ...rest]: Path): unknown {
  if (first === undefined) return { changed: value };
  const copy = Array.isArray(value) ? [...value] : { ...(value as object) };
  const fields = copy as Record<string, unknown>;
  fields[first] = changed(fields[first], rest);
  return copy;
}

/** JSON from the wire. A copy by hand would lose the field `__proto__`. */
const json = fc.jsonValue({ maxDepth: 4 }).filter((value) =>
  !JSON.stringify(value).includes("__proto__")
);

Deno.test("cacheKey does not depend on the order of fields, at any depth", () => {
  fc.assert(
    fc.property(json, (value) => {
      assert.equal(
        keyOf({ body: value, model: "m" }),
        keyOf(shuffled({ body: value, model: "m" })),
      );
    }),
    { seed: 1 },
  );
});

Deno.test("cacheKey changes with every leaf of the body", () => {
  fc.assert(
    fc.property(json, (value) => {
      const body = { messages: value };
      const key = keyOf(body);
      for (const path of leaves(body)) {
        assert.notEqual(keyOf(changed(body, path)), key, String(path));
      }
    }),
    { seed: 1, numRuns: 50 },
  );
});

Deno.test("cacheKey differs between namespaces, servers, formats and models", () => {
  const body = { model: "m" };
  const keys = [
    keyOf(body),
    keyOf(body, { namespace: "a" }),
    keyOf(body, { baseUrl: "http://127.0.0.1/v2" }),
    keyOf(body, { protocol: { ...openaiChat, name: "claude" } }),
    keyOf(body, { model: "n" }),
    // The boundaries between parts matter.
    keyOf(body, { protocol: { ...openaiChat, name: 'chat","m' } }),
  ];
  assert.equal(new Set(keys).size, keys.length);
  for (const key of keys) assert.match(key, /^[\w-]{43}$/);
  assert.equal(keyOf(body), keyOf(body, { namespace: "" }));
});

Deno.test("cacheKey is the same for a plain and a streamed request, and for every API key", () => {
  const models = { chat: "gpt-4.1", responses: "gpt-4.1", claude: "claude-sonnet-4-5" };
  for (
    const [provider, model] of [
      [openaiChat, models.chat],
      [openaiResponses, models.responses],
      [anthropic, models.claude],
      [gemini, "gemini-2.5-flash"],
    ] as const
  ) {
    const key = encodedKey(provider, { maxTokens: 100 }, { model });
    const streamed = { model, stream: true, apiKey: "key-2" };
    assert.equal(encodedKey(provider, { maxTokens: 100 }, streamed), key, provider.name);
    assert.notEqual(encodedKey(provider, { maxTokens: 101 }, { model }), key, provider.name);
  }
});

Deno.test("cacheKey treats an explicit default like an absent field", () => {
  const tools = [{ type: "function" as const, function: { name: "f" } }];
  const key = encodedKey(openaiChat, { tools });
  assert.equal(encodedKey(openaiChat, { tools, toolChoice: "auto", topP: undefined }), key);
  assert.equal(encodedKey(openaiChat, { tools, responseFormat: { type: "text" } }), key);
  assert.equal(encodedKey(openaiChat, { tools, extraBody: { n: 1 } }), key);
  assert.notEqual(encodedKey(openaiChat, { tools, toolChoice: "none" }), key);
  assert.notEqual(encodedKey(openaiChat, { tools, temperature: 1 }), key);
  const model = "gemini-2.5-flash";
  assert.equal(
    encodedKey(gemini, { tools, toolChoice: "auto" }, { model }),
    encodedKey(gemini, { tools }, { model }),
  );
});

Deno.test("cacheKey accepts text that ends in half a surrogate pair", () => {
  const key = keyOf({ text: "cut \ud83d" });
  assert.equal(key, keyOf({ text: "cut \ud83d" }));
  assert.notEqual(key, keyOf({ text: "cut \ud83e" }));
});
