/**
 * Requests without an output limit keep to the budgets, however many are sent at once and however long their answers
 * are; and a budget that is smaller than the longest possible answer can be spent. Money is counted at the provider.
 */
import assert from "node:assert/strict";
import { openAccess } from "../../lib/gateway/access/open_access.ts";
import type { KeyLimits } from "../../lib/gateway/key_limits.ts";
import { seededRandom } from "../../lib/runtime/random.ts";
import { gatewayOf } from "../support/gateway.ts";
import { chunk, STREAM_END } from "../support/model_server.ts";

const INPUT = 1;
const OUTPUT = 10;
const PROMPT_TOKENS = 4;
/** What the models really write at most. Only the first one's maximum is known. */
const MAXIMUM: Record<string, number> = { "gpt-5-mini": 128_000, m: 10_000 };

/** A provider that bills its answers: `length` tokens, or as many as the request allows. */
function provider(length: () => number) {
  const bills = new Map<string, number>();
  const limits: (number | undefined)[] = [];
  const bodies: Record<string, unknown>[] = [];
  const fetch = async (_url: string, { body }: RequestInit): Promise<Response> => {
    const request = JSON.parse(String(body));
    bodies.push(request);
    const maximum = MAXIMUM[request.model];
    const limit = request.max_completion_tokens ?? request.max_tokens ?? undefined;
    limits.push(limit);
    if (limit > maximum) {
      const message = `max_tokens is too large: ${limit}`;
      return Response.json({ error: { message } }, { status: 400 });
    }
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 3));
    const wanted = Math.min(length(), maximum);
    const tokens = Math.min(wanted, limit ?? maximum) * (request.n ?? 1);
    const [who] = String(request.messages[0].content).split(" ");
    bills.set(who, (bills.get(who) ?? 0) + (PROMPT_TOKENS * INPUT + tokens * OUTPUT) / 1e6);
    const usage = {
      prompt_tokens: PROMPT_TOKENS,
      completion_tokens: tokens,
      total_tokens: PROMPT_TOKENS + tokens,
    };
    const finish_reason = wanted > limit ? "length" : "stop";
    if (request.stream) {
      const events = chunk({ content: "Hi" }) +
        `data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason }] })}\n\n` +
        `data: ${JSON.stringify({ choices: [], usage })}\n\n`;
      return new Response(events + STREAM_END.slice(STREAM_END.indexOf("data: [DONE]")), {
        headers: { "content-type": "text/event-stream" },
      });
    }
    const message = { role: "assistant", content: "Hi" };
    return Response.json({
      model: request.model,
      choices: [{ index: 0, message, finish_reason }],
      usage,
    });
  };
  return { fetch, bills, limits, bodies };
}

async function world(
  keys: Record<string, KeyLimits & { team?: string }>,
  length: () => number,
  settings: object = {},
) {
  const server = provider(length);
  const access = await openAccess({ maxBudgetWait: 5, ...settings });
  const secrets: Record<string, string> = {};
  for (const [name, key] of Object.entries(keys)) {
    secrets[name] = (await access.keys.create(name, key)).secret;
  }
  const endpoint = { baseUrl: "https://a.example/v1", fetch: server.fetch, concurrencyLimit: 50 };
  const prices = Object.keys(MAXIMUM).map((model) => ({ model, input: INPUT, output: OUTPUT }));
  const gateway = gatewayOf({
    endpoints: Object.keys(MAXIMUM).map((model) => ({ ...endpoint, model, prices })),
  }, { access });
  const ask = (name: string, model: string, rest: object = {}) =>
    gateway.chat(model, { messages: [{ role: "user", content: `${name} asks` }], ...rest }, {
      headers: { authorization: `Bearer ${secrets[name]}` },
    });
  const close = async () => {
    await gateway.app.close();
    await access.close();
  };
  return { ...server, access, ask, [Symbol.asyncDispose]: close };
}

for (const seed of [1, 2, 3, 4]) {
  Deno.test(`concurrent calls without a limit (${seed}) never cost more than a budget`, async () => {
    const random = seededRandom(seed);
    const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)];
    const lengths = [1, 50, 900, 3000, 9000, 40_000, 128_000, Infinity];
    const budgets = { alice: 1, bob: 0.3, carol: 40 };
    await using gateway = await world(
      {
        alice: { team: "web", budget: { day: budgets.alice } },
        bob: { team: "web", budget: { total: budgets.bob } },
        carol: { budget: { month: budgets.carol } },
      },
      () => pick(lengths),
      {
        teams: { web: { budget: { total: 1.2 } } },
        limits: { budget: { month: 4 } },
      },
    );
    const statuses = new Map<number, number>();
    await Promise.all(Array.from({ length: 40 }, async () => {
      for (let i = 0; i < 8; i++) {
        const response = await gateway.ask(
          pick(Object.keys(budgets)),
          pick(Object.keys(MAXIMUM)),
          {
            stream: random() < 0.5,
            ...random() < 0.2 ? { max_tokens: 500 } : {},
            ...random() < 0.2 ? { max_completion_tokens: null } : {},
          },
        );
        await response.text();
        statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
      }
    }));
    const context = JSON.stringify([[...gateway.bills], [...statuses]]);
    const billOf = (name: string) => gateway.bills.get(name) ?? 0;
    const EXACT = 1 + 1e-12;
    for (const [name, budget] of Object.entries(budgets)) {
      assert(billOf(name) <= budget * EXACT, `${name}: ${context}`);
    }
    assert(billOf("alice") + billOf("bob") <= 1.2 * EXACT, context);
    const all = billOf("alice") + billOf("bob") + billOf("carol");
    assert(all <= 4 * EXACT, context);
    assert(all > 3.9, `the budget can be spent: ${context}`);
    const known = [200, 402, 429];
    assert([...statuses.keys()].every((status) => known.includes(status)), context);
    const spent = gateway.access.report().at(-1)!.spent.total;
    assert(Math.abs(spent - all) < 1e-6, `${spent} counted: ${context}`);
  });
}

Deno.test("a key can use a model whose longest answer costs more than its budget", async () => {
  await using gateway = await world({ alice: { budget: { day: 1 } } }, () => 2000);
  const response = await gateway.ask("alice", "gpt-5-mini");
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("x-flexllm-output-limit"), String(gateway.limits[0]));
  // Half of the budget, so that another call can be sent meanwhile.
  assert(gateway.limits[0]! > 49_000 && gateway.limits[0]! < 50_000, String(gateway.limits[0]));
  const bursts = await Promise.all(Array.from({ length: 20 }, () => gateway.ask("alice", "m")));
  assert(bursts.every(({ status }) => status === 200));
  assert(gateway.limits.every((limit) => limit! >= 4096), String(gateway.limits));
});

Deno.test("a body is not changed as long as the budget can pay for the longest answer", async () => {
  await using gateway = await world({ alice: { budget: { day: 10 } } }, () => 2000);
  const response = await gateway.ask("alice", "gpt-5-mini");
  assert.equal(response.headers.get("x-flexllm-output-limit"), null);
  assert.deepEqual(gateway.limits, [undefined]);
});

Deno.test("limits that a request sets itself stay", async () => {
  await using gateway = await world({ alice: { budget: { day: 0.1 } } }, () => 2000);
  assert.equal((await gateway.ask("alice", "m", { max_tokens: 9000 })).status, 200);
  assert.deepEqual(gateway.limits, [9000]);
  const refused = await gateway.ask("alice", "m", { max_tokens: 9000 });
  assert.equal(refused.status, 402);
  assert.match(await refused.text(), /max_tokens/);
});

Deno.test("several answers share what a budget can pay for", async () => {
  await using gateway = await world({ alice: { budget: { day: 0.2 } } }, () => Infinity);
  assert.equal((await gateway.ask("alice", "m", { n: 4 })).status, 200);
  assert(gateway.bills.get("alice")! <= 0.2);
  assert(gateway.limits[0]! <= 5000);
});

Deno.test("the end of a budget gets short answers, then a refusal that says what a call needs", async () => {
  await using gateway = await world({ alice: { budget: { total: 0.03 } } }, () => Infinity);
  assert.equal((await gateway.ask("alice", "m")).status, 200);
  // 0.03 are less than the usual answer: all of it is used.
  assert(gateway.limits[0]! > 2900 && gateway.limits[0]! < 3000, String(gateway.limits[0]));
  const refused = await gateway.ask("alice", "m");
  assert.equal(refused.status, 402);
  assert.match(await refused.text(), /needs \$0\.0102\d* for a short answer/);
});

Deno.test("a stream that ends before its first part is not charged the longest answer", async () => {
  await using gateway = await world({ alice: { budget: { total: 2 } } }, () => 1);
  const lost = gatewayOf({
    endpoints: [{
      model: "gpt-5-mini",
      baseUrl: "https://a.example/v1",
      fetch: () => Promise.reject(new TypeError("connection reset by peer")),
      prices: [{ model: "gpt-5-mini", input: INPUT, output: OUTPUT }],
    }],
    retryTimes: 0,
  }, { access: gateway.access });
  const { secret } = await gateway.access.keys.create("bob", { budget: { total: 2 } });
  const init = { headers: { authorization: `Bearer ${secret}` } };
  await (await lost.chat("gpt-5-mini", { stream: true }, init)).text();
  const spent = () => gateway.access.report().find(({ name }) => name === "bob")!.spent.total;
  assert(spent() > 0.01 && spent() < 0.011, String(spent()));
  // The server may go on with an answer that is not streamed.
  await (await lost.chat("gpt-5-mini", {}, init)).text();
  assert(spent() > 1.2, String(spent()));
  await lost.app.close();
});

const CLAUDE_ANSWER = {
  type: "message",
  role: "assistant",
  model: "claude-opus-4-8",
  content: [{ type: "text", text: "Hi" }],
  stop_reason: "end_turn",
  usage: { input_tokens: 4, output_tokens: 2 },
};

Deno.test("the limit reaches an endpoint of another format", async () => {
  const bodies: Record<string, unknown>[] = [];
  const access = await openAccess();
  const { secret } = await access.keys.create("alice", { budget: { day: 0.1 } });
  await using gateway = gatewayOf({
    endpoints: [{
      provider: "claude",
      apiKey: "k",
      model: "claude-opus-4-8",
      prices: [{ model: "claude-opus-4-8", input: INPUT, output: OUTPUT }],
      fetch: (_url: string, { body }: RequestInit) => {
        bodies.push(JSON.parse(String(body)));
        return Promise.resolve(Response.json(CLAUDE_ANSWER));
      },
    }],
  }, { access });
  const response = await gateway.chat("claude-opus-4-8", {}, {
    headers: { authorization: `Bearer ${secret}` },
  });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("x-flexllm-output-limit"), String(bodies[0].max_tokens));
  assert(Number(bodies[0].max_tokens) < 5000);
  await access.close();
});

/** Answers of each API, and the bodies that a provider got. */
function recorder() {
  const bodies: Record<string, unknown>[] = [];
  const fetch = (url: string, { body }: RequestInit): Promise<Response> => {
    bodies.push(JSON.parse(String(body)));
    const usage = { prompt_tokens: 4, completion_tokens: 2, total_tokens: 6 };
    if (url.includes("anthropic")) {
      return Promise.resolve(Response.json(CLAUDE_ANSWER));
    }
    if (url.includes("googleapis")) {
      const content = { role: "model", parts: [{ text: "Hi" }] };
      return Promise.resolve(Response.json({
        candidates: [{ content, finishReason: "STOP" }],
        usageMetadata: { promptTokenCount: 4, candidatesTokenCount: 2, totalTokenCount: 6 },
      }));
    }
    const message = { role: "assistant", content: "Hi" };
    const choices = [{ index: 0, message, finish_reason: "stop" }];
    return Promise.resolve(Response.json({ model: "gpt-5-mini", choices, usage }));
  };
  return { bodies, fetch };
}

const CONFIGURED = [
  { provider: "openai", model: "gpt-5-mini", extraBody: { max_tokens: 20_000 } },
  { provider: "claude", model: "claude-opus-4-8", extraBody: { max_tokens: 20_000 } },
  {
    provider: "gemini",
    model: "gemini-2.5-pro",
    extraBody: { generationConfig: { maxOutputTokens: 20_000, topK: 5 } },
  },
] as const;

/** All limits in a body. */
function limitsIn(body: Record<string, unknown>): unknown[] {
  const config = (body.generationConfig ?? {}) as Record<string, unknown>;
  return [body.max_tokens, body.max_completion_tokens, config.maxOutputTokens]
    .filter((limit) => limit !== undefined);
}

const CHAT = { messages: [{ role: "user", content: "Hi" }] };
const REQUESTS: readonly [
  string,
  (model: string) => string,
  (limit: number | null) => object,
][] = [
  ["chat", () => "/v1/chat/completions", (limit) => ({ ...CHAT, max_completion_tokens: limit })],
  ["claude", () => "/v1/messages", (limit) => ({ ...CHAT, max_tokens: limit ?? undefined })],
  ["gemini", (model) => `/v1beta/models/${model}:generateContent`, (limit) => ({
    contents: [{ role: "user", parts: [{ text: "Hi" }] }],
    generationConfig: limit === null ? { temperature: 1 } : { maxOutputTokens: limit },
  })],
];

for (const { provider, model, extraBody } of CONFIGURED) {
  for (const [client, pathOf, bodyOf] of REQUESTS) {
    Deno.test(`a request to ${provider} has one limit beside a configured one (${client})`, async () => {
      const { bodies, fetch } = recorder();
      const access = await openAccess();
      const { secret: rich } = await access.keys.create("rich", { budget: { day: 10 } });
      const { secret: poor } = await access.keys.create("poor", { budget: { day: 0.1 } });
      await using gateway = gatewayOf({
        endpoints: [{
          provider,
          apiKey: "k",
          model,
          extraBody,
          prices: [{ model, input: INPUT, output: OUTPUT }],
          fetch,
        }],
      }, { access });
      const ask = async (secret: string, limit: number | null) => {
        const response = await gateway.app.request(pathOf(model), {
          method: "POST",
          headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
          body: JSON.stringify({ model, ...bodyOf(limit) }),
        });
        assert.equal(response.status, 200, await response.text());
        return { limits: limitsIn(bodies.at(-1)!), header: response.headers };
      };
      assert.deepEqual((await ask(rich, 300)).limits, [300]);
      // Messages without a limit are invalid in Anthropic's format; others get the configured one.
      if (client !== "claude") {
        assert.deepEqual((await ask(rich, null)).limits, [20_000]);
        const { limits, header } = await ask(poor, null);
        assert.deepEqual(limits, [Number(header.get("x-flexllm-output-limit"))]);
        assert(Number(limits[0]) < 5000);
      }
      if (provider === "gemini") {
        for (const body of bodies) {
          assert.equal((body.generationConfig as { topK: number }).topK, 5);
        }
      }
      await access.close();
    });
  }
}

Deno.test("a tier that is not sent does not halve the price of an answer", async () => {
  const { fetch } = recorder();
  const access = await openAccess();
  const { secret } = await access.keys.create("alice", { budget: { day: 10 } });
  await using gateway = gatewayOf({
    endpoints: [{ provider: "gemini", apiKey: "k", model: "gemini-2.5-pro", fetch }],
  }, { access });
  const spent = () => access.report().find(({ name }) => name === "alice")!.spent.total;
  const ask = async (rest: object) => {
    const before = spent();
    const response = await gateway.chat("gemini-2.5-pro", rest, {
      headers: { authorization: `Bearer ${secret}` },
    });
    assert.equal(response.status, 200, await response.text());
    return (spent() - before).toFixed(9);
  };
  assert.equal(await ask({ service_tier: "flex" }), await ask({}));
  assert(spent() > 0);
  await access.close();
});
