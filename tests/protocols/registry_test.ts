/** A wire format is one directory and one line in the registry: everything else works with a fifth one. */
// First, so that the format is registered before other modules read the registry.
import { echo } from "../support/echo_protocol.ts";
import assert from "node:assert/strict";
import * as v from "valibot";
import { cacheKey } from "../../lib/cache/key.ts";
import { configSchema } from "../../lib/config/schema.ts";
import { isForeign } from "../../lib/config/service_variables.ts";
import { messagesProblem } from "../../lib/chat/messages.ts";
import {
  allRateLimitHeaders,
  officialAt,
  protocolNamed,
  protocolOfUrl,
  PROTOCOLS,
  registerProtocol,
} from "../../lib/protocols/registry.ts";
import { creditServiceOf, queryCredits } from "../../lib/services/credits/credits.ts";
import { connect } from "../../lib/services/connect.ts";
import {
  baseUrlOf,
  keyVariableOf,
  PROVIDER_NAMES,
  type ProviderName,
} from "../../lib/services/providers.ts";
import { type Fetch, LLMClient, type Message, parseThoughts } from "../../mod.ts";

const MESSAGES: Message[] = [{ role: "user", content: "Say it again." }];
const PROVIDER = "echo" as ProviderName;

interface SentRequest {
  url: string;
  headers: Record<string, string>;
  body: unknown;
}

/** A client of the fifth format whose requests are answered with `body`. */
function clientOf(body: string, options: { baseUrl?: string } = {}) {
  const sent: SentRequest[] = [];
  const fetch: Fetch = (url, init) => {
    const headers = init.headers as Record<string, string>;
    sent.push({ url, headers, body: init.body && JSON.parse(String(init.body)) });
    return Promise.resolve(new Response(body, { headers: { "echo-limit": "9" } }));
  };
  const provider = options.baseUrl === undefined ? PROVIDER : "auto";
  const client = new LLMClient({ provider, model: "loud", apiKey: "key", fetch, ...options });
  return { client, sent };
}

Deno.test("a client completes a plain request in a fifth format", async () => {
  const { client, sent } = clientOf('{"said":"It again.","words":2,"voice":"loud"}');
  await using _ = client;
  const result = await client.chatCompletions(MESSAGES);
  assert.equal(result.content, "It again.");
  assert.equal(result.usage?.completionTokens, 2);
  assert.deepEqual(sent, [{
    url: "https://api.echo.example/v9/speak",
    headers: { "x-api-key": "key", "content-type": "application/json" },
    body: { voice: "loud", turns: ["Say it again."], live: false, loud: false },
  }]);
  const next = [...MESSAGES, result.message, ...MESSAGES];
  assert.equal(messagesProblem(next), undefined);
  await client.chatCompletions(next);
  assert.deepEqual((sent[1].body as { turns: unknown[] }).turns[1], {
    said: "It again.",
    words: 2,
    voice: "loud",
  });
});

Deno.test("a client completes a streamed request in a fifth format", async () => {
  const events = ['{"say":"It ","voice":"loud"}', '{"say":"again."}', '{"over":true}'];
  const { client, sent } = clientOf(events.map((data) => `data: ${data}\n\n`).join(""));
  await using _ = client;
  let text = "";
  for await (const piece of client.chatCompletionsStream(MESSAGES)) text += piece;
  assert.equal(text, "It again.");
  assert.equal((sent[0].body as { live: boolean }).live, true);
});

Deno.test("a client lists models and reports errors in a fifth format", async () => {
  const { client, sent } = clientOf('{"voices":["loud","low"]}');
  await using _ = client;
  assert.deepEqual(await client.models(), [{ id: "loud" }, { id: "low" }]);
  assert.equal(sent[0].url, "https://api.echo.example/v9/voices");
  const failing = clientOf('{"mumbled":"too early"}');
  await using _failing = failing.client;
  await assert.rejects(failing.client.chatCompletions(MESSAGES), { message: /too early/ });
});

Deno.test("a base URL selects a fifth format by its host or a marker in its path", async () => {
  assert.equal(officialAt("https://api.echo.example/v9"), echo);
  assert.equal(protocolOfUrl("https://gateway.example/echo"), echo);
  assert.equal(protocolOfUrl("https://gateway.example/v1"), undefined);
  const { client, sent } = clientOf('{"said":"Yes."}', { baseUrl: "https://gateway.example/echo" });
  await using _ = client;
  assert.equal((await client.chatCompletions(MESSAGES)).content, "Yes.");
  assert.equal(sent[0].url, "https://gateway.example/echo/v9/speak");
});

Deno.test("a fifth format is a provider: by name, with a base URL and a key variable", () => {
  assert.ok(PROVIDER_NAMES.includes(PROVIDER));
  assert.equal(baseUrlOf(PROVIDER), "https://api.echo.example/v9");
  assert.equal(keyVariableOf("https://api.echo.example/v9"), "ECHO_API_KEY");
  assert.equal(connect({ provider: PROVIDER }).endpoint.keyVariable, "ECHO_API_KEY");
  const config = { models: [{ id: "loud", provider: "echo" }] };
  assert.equal(v.safeParse(configSchema, config).success, true);
  assert.equal(isForeign("ECHO_API_KEY", "https://api.echo.example/v9", {}), false);
  assert.equal(isForeign("ECHO_API_KEY", "https://other.example/v1", {}), true);
});

Deno.test("credit queries refer to the billing page of a fifth format", async () => {
  assert.equal(creditServiceOf({}, "https://api.echo.example/v9"), "echo");
  await assert.rejects(queryCredits({ provider: PROVIDER }, { timeout: 1, now: 0 }), {
    message: "echo has no balance API",
    hint: /^See console\.echo\.example\./,
  });
});

Deno.test("cache keys, rate limits and raw answers work in a fifth format", () => {
  const key = (body: object) =>
    cacheKey({
      baseUrl: "https://api.echo.example/v9",
      protocol: echo,
      model: "loud",
      body: JSON.stringify(body),
    });
  assert.equal(key({ turns: ["a"], live: true, loud: false }), key({ turns: ["a"] }));
  assert.notEqual(key({ turns: ["a"], loud: true }), key({ turns: ["a"] }));
  assert.ok(allRateLimitHeaders().some(({ remaining }) => remaining === "echo-remaining"));
  assert.deepEqual(parseThoughts({ said: "Yes." }), { thought: null, answer: "Yes." });
});

Deno.test("each format has a permanent name of its own", () => {
  // Caches and conversations of earlier versions contain these names.
  assert.deepEqual(PROTOCOLS.map(({ name }) => name), [
    "chat",
    "responses",
    "claude",
    "gemini",
    "echo",
  ]);
  assert.equal(protocolNamed("echo"), echo);
  assert.throws(() => registerProtocol(echo), { message: /"echo" is already registered/ });
});
