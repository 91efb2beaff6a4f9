/** Balance queries, with the answers from the services' documentation. */
import assert from "node:assert/strict";
import type { EndpointOptions } from "../../lib/client/client_options.ts";
import { creditServiceOf, queryCredits } from "../../lib/services/credits/credits.ts";
import { FlexLLMError } from "../../lib/errors.ts";

const KEY = "sk-test-0123456789abcdef";
/** 2026-03-15 */
const NOW = Date.UTC(2026, 2, 15, 12);

type Answers = Record<string, unknown | Response>;

/** Queries a service with the given answers by path and query. */
async function ask(options: EndpointOptions, answers: Answers, adminKey?: string) {
  const asked: string[] = [];
  const fetch = (url: string, init: RequestInit) => {
    const { origin, pathname, search } = new URL(url);
    const authorization = new Headers(init.headers).get("authorization");
    asked.push(`${init.method} ${origin}${pathname}${search} ${authorization}`);
    const answer = answers[pathname + search];
    if (answer instanceof Response) return Promise.resolve(answer);
    return Promise.resolve(
      answer === undefined ? new Response("not found", { status: 404 }) : Response.json(answer),
    );
  };
  const endpoint = { apiKey: KEY, ...options, fetch };
  const credits = await queryCredits(endpoint, { timeout: 5, openaiAdminKey: adminKey, now: NOW });
  return { credits, asked };
}

/** The error of a query. */
async function failure(options: EndpointOptions, answers: Answers = {}): Promise<FlexLLMError> {
  try {
    await ask(options, answers);
  } catch (error) {
    if (error instanceof FlexLLMError) return error;
    throw error;
  }
  throw new Error("it did not fail");
}

const refused = () => Response.json({ error: { message: "no" } }, { status: 403 });

// OpenRouter API reference, "Get current API key".
const OPENROUTER_KEY = {
  data: {
    label: "sk-or-v1-au7...890",
    limit: 100,
    limit_remaining: 74.5,
    limit_reset: "monthly",
    include_byok_in_limit: false,
    usage: 25.5,
    usage_daily: 1.5,
    usage_weekly: 5.5,
    usage_monthly: 25.5,
    byok_usage: 17.38,
    is_free_tier: false,
    is_management_key: false,
    rate_limit: { requests: 1000, interval: "1h", note: "deprecated" },
  },
};

Deno.test("OpenRouter reports the key's limit, and the account's balance if the key can read it", async () => {
  const account = { data: { total_credits: 100.5, total_usage: 25.75 } };
  const { credits, asked } = await ask({ provider: "openrouter" }, {
    "/api/v1/key": OPENROUTER_KEY,
    "/api/v1/credits": account,
  });
  assert.deepEqual(asked, [
    `GET https://openrouter.ai/api/v1/key Bearer ${KEY}`,
    `GET https://openrouter.ai/api/v1/credits Bearer ${KEY}`,
  ]);
  assert.deepEqual(credits.remaining, [
    { label: "left on the account", amount: 74.75, currency: "USD" },
    { label: "left of the key's limit", amount: 74.5, currency: "USD" },
  ]);
  assert.deepEqual(credits.notes, ["The key's limit resets: monthly."]);

  const ordinary = await ask({ provider: "openrouter" }, {
    "/api/v1/key": { data: { ...OPENROUTER_KEY.data, limit: null, limit_remaining: null } },
    "/api/v1/credits": refused(),
  });
  assert.deepEqual(ordinary.credits.remaining, []);
  assert.equal(ordinary.credits.details[0].amount, 25.5);
  assert.match(ordinary.credits.notes.join(" "), /no limit of its own.*Only a management key/);
});

Deno.test("DeepSeek reports each currency, with amounts as text", async () => {
  // DeepSeek API reference, "Get User Balance".
  const body = {
    is_available: true,
    balance_infos: [
      {
        currency: "CNY",
        total_balance: "110.00",
        granted_balance: "10.00",
        topped_up_balance: "100.00",
      },
    ],
  };
  const { credits, asked } = await ask({ baseUrl: "https://api.deepseek.com/v1" }, {
    "/user/balance": body,
  });
  assert.deepEqual(asked, [`GET https://api.deepseek.com/user/balance Bearer ${KEY}`]);
  assert.deepEqual(credits, {
    service: "deepseek",
    remaining: [{ label: "left on the account", amount: 110, currency: "CNY" }],
    details: [
      { label: "of it granted", amount: 10, currency: "CNY" },
      { label: "of it topped up", amount: 100, currency: "CNY" },
    ],
    notes: [],
  });
  const poor = await ask({ provider: "deepseek" }, {
    "/user/balance": { is_available: false, balance_infos: [] },
  });
  assert.deepEqual(poor.credits.notes, ["The balance is too low for further requests."]);
});

Deno.test("SiliconFlow uses CNY on its Chinese site and USD on the other one", async () => {
  // SiliconFlow API reference, "User info".
  const body = {
    code: 20000,
    message: "OK",
    status: true,
    data: {
      id: "userid",
      name: "username",
      balance: "0.88",
      status: "normal",
      chargeBalance: "88.00",
      totalBalance: "88.88",
    },
  };
  const { credits } = await ask({ provider: "siliconflow" }, { "/v1/user/info": body });
  assert.deepEqual(credits.remaining, [
    { label: "left on the account", amount: 88.88, currency: "CNY" },
  ]);
  const other = await ask({ baseUrl: "https://api.siliconflow.com/v1" }, {
    "/v1/user/info": body,
  });
  assert.equal(other.credits.remaining[0].currency, "USD");
});

Deno.test("AI/ML API reports its own credits", async () => {
  // AI/ML API documentation, "Account Balance".
  const body = {
    balance: 10000000,
    lowBalance: true,
    lowBalanceThreshold: 10000,
    lastUpdated: "2025-11-10T10:01:56.824Z",
    autoDebitStatus: "disabled",
    status: "current",
    statusExplanation: "Balance is current and up to date",
  };
  const { credits } = await ask({ provider: "aimlapi" }, { "/v1/billing/balance": body });
  assert.deepEqual(credits.remaining, [
    { label: "left on the account", amount: 10000000, currency: "credits" },
  ]);
  assert.deepEqual(credits.notes, ["The balance is low."]);
});

// OpenAI API reference, "Costs".
const costs = (value: unknown, next: string | null) => ({
  object: "page",
  data: [{
    object: "bucket",
    start_time: 1772323200,
    end_time: 1772409600,
    results: [{
      object: "organization.costs.result",
      amount: { value, currency: "usd" },
      line_item: null,
      project_id: null,
    }],
  }],
  has_more: next !== null,
  next_page: next,
});

Deno.test("OpenAI reports this month's costs to admin keys, page by page", async () => {
  const first = "/v1/organization/costs?start_time=1772323200&limit=31";
  const { credits, asked } = await ask({ provider: "openai" }, {
    [first]: costs(0.06, "page_2"),
    [`${first}&page=page_2`]: costs("1.5", null),
  }, "sk-admin-0123456789");
  assert.deepEqual(credits.details, [
    { label: "spent this month (UTC)", amount: 1.56, currency: "USD" },
  ]);
  assert.ok(asked.every((line) => line.endsWith(" Bearer sk-admin-0123456789")));

  const elsewhere = await ask(
    { provider: "openai", baseUrl: "http://proxy.test/v1" },
    { [first]: costs(1, null) },
    "sk-admin-0123456789",
  );
  const [line] = elsewhere.asked;
  assert.ok(line.endsWith(` Bearer ${KEY}`), "OpenAI's admin key is sent to no other server");

  const error = await failure({ provider: "openai" }, { [first]: refused() });
  assert.match(error.message, /shows costs to admin keys only/);
  assert.match(error.hint!, /OPENAI_ADMIN_KEY/);
});

Deno.test("the error for a service without a balance API says where to look instead", async () => {
  const claude = await failure({ provider: "claude" });
  assert.equal(claude.code, "configuration");
  assert.match(
    `${claude.message} ${claude.hint}`,
    /claude has no balance API .*console\.anthropic\.com/,
  );
  const local = await failure({ baseUrl: "http://localhost:11434/v1" });
  assert.match(local.message, /ollama has no balance API/);
  const named = await failure({ provider: "openai", baseUrl: "http://gpu1:8000/v1" });
  assert.match(
    `${named.message} ${named.hint}`,
    /gpu1:8000 has no balance API .*flexllm can query openrouter/,
  );
  assert.match((await failure({ provider: "mock" })).message, /the mock has no account/);
});

Deno.test("a rejected key, a missing key and a malformed answer have different errors", async () => {
  const key = `Authentication Fails, key ${KEY} is invalid`;
  const refusal = Response.json({ error: { message: key } }, { status: 401 });
  const error = await failure({ provider: "deepseek" }, { "/user/balance": refusal });
  assert.equal(error.code, "authentication");
  assert.ok(!error.message.includes(KEY));
  const none = await failure({ provider: "deepseek", apiKey: undefined });
  assert.match(none.message, /no key for deepseek/);
  for (const body of [{}, { balance_infos: "many" }, [], "text"]) {
    const strange = await failure({ provider: "deepseek" }, { "/user/balance": body });
    assert.equal(strange.code, "malformed_response");
  }
  const page = new Response("<html>Welcome</html>", { headers: { "content-type": "text/html" } });
  const web = await failure({ provider: "aimlapi" }, { "/v1/billing/balance": page });
  assert.match(web.message, /a web page instead of JSON/);
});

Deno.test("the service is determined by the provider, or else by the host", () => {
  const of = (options: EndpointOptions, url: string) => creditServiceOf(options, url);
  assert.equal(of({}, "https://openrouter.ai/api/v1"), "openrouter");
  assert.equal(of({ provider: "openai" }, "https://api.deepseek.com"), "deepseek");
  assert.equal(of({ provider: "deepseek" }, "http://127.0.0.1:1/v1"), "deepseek");
  assert.equal(of({}, "https://api.siliconflow.com/v1"), "siliconflow");
  assert.equal(of({}, "https://evil-siliconflow.com/v1"), undefined);
});
