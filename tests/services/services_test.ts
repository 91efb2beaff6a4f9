/**
 * Named services: URL, headers and dialect of every kind of request, at their own host and elsewhere.
 * Expected values are from each service's documentation; see lib/services/service_table.ts.
 */
import assert from "node:assert/strict";
import { type ChatOptions, type ClientOptions, LLMClient, type ServiceName } from "../../mod.ts";
import { PROVIDER_NAMES } from "../../lib/services/providers.ts";
import { isPrivateHost } from "../../lib/services/private_host.ts";
import { service, SERVICE_NAMES, serviceOfUrl } from "../../lib/services/services.ts";
import type { Json } from "../../lib/json/json.ts";

interface Sent {
  url: string;
  headers: Record<string, string>;
  body: Json;
}

/** What a client sends for one request. */
async function sent(
  client: ClientOptions,
  request: { options?: ChatOptions; stream?: boolean; models?: boolean } = {},
): Promise<Sent> {
  let captured: Sent | undefined;
  const fetch = (url: string, init: RequestInit) => {
    const headers = Object.fromEntries(new Headers(init.headers));
    captured = { url, headers, body: init.body ? JSON.parse(String(init.body)) : {} };
    return Promise.resolve(new Response("{}", { status: 400 }));
  };
  await using asked = new LLMClient({ apiKey: "secret-key", retryTimes: 0, ...client, fetch });
  const messages = [{ role: "user" as const, content: "hi" }];
  const work = request.models
    ? asked.models()
    : request.stream
    ? asked.chatCompletionsStream(messages, request.options).finalResult()
    : asked.chatCompletions(messages, request.options);
  await work.catch((error) => {
    if (captured === undefined) throw error;
  });
  return captured!;
}

interface Expected {
  /** Default: a model without special rules. */
  model?: string;
  key?: "api-key";
  maxTokens?: "max_completion_tokens";
  seed?: "random_seed";
  required?: "any";
  streamOptions?: false;
  /** The encoding of `thinking: "high"`, `true` and `false`. */
  high: Json;
  on: Json;
  off: Json;
}

const EFFORT = {
  high: { reasoning_effort: "high" },
  on: { reasoning_effort: "medium" },
  off: { reasoning_effort: "none" },
};
const SWITCH = {
  high: { thinking: { type: "enabled" } },
  on: { thinking: { type: "enabled" } },
  off: { thinking: { type: "disabled" } },
};
const ENABLE = {
  high: { enable_thinking: true, thinking_budget: 24_576 },
  on: { enable_thinking: true },
  off: { enable_thinking: false },
};
const TEMPLATE = {
  high: { reasoning_effort: "high" },
  on: { chat_template_kwargs: { enable_thinking: true, thinking: true } },
  off: { chat_template_kwargs: { enable_thinking: false, thinking: false } },
};
const REASONING = {
  high: { reasoning: { effort: "high" } },
  on: { reasoning: { enabled: true } },
  off: { reasoning: { enabled: false } },
};

const EXPECTED: Record<ServiceName, Expected> = {
  openai: { ...EFFORT, model: "gpt-5.5", maxTokens: "max_completion_tokens" },
  azure: { ...EFFORT, key: "api-key", maxTokens: "max_completion_tokens" },
  deepseek: {
    ...SWITCH,
    high: { thinking: { type: "enabled" }, reasoning_effort: "high" },
  },
  qwen: ENABLE,
  zhipu: { ...SWITCH, model: "glm-4.6" },
  zai: { ...SWITCH, model: "glm-4.6" },
  moonshot: { ...SWITCH, model: "kimi-k2.6" },
  volcengine: {
    ...SWITCH,
    model: "doubao-seed-1-8",
    high: { thinking: { type: "enabled" }, reasoning_effort: "high" },
  },
  siliconflow: ENABLE,
  minimax: {
    model: "MiniMax-M3",
    maxTokens: "max_completion_tokens",
    high: { thinking: { type: "adaptive" } },
    on: { thinking: { type: "adaptive" } },
    off: { thinking: { type: "disabled" } },
  },
  hunyuan: ENABLE,
  qianfan: ENABLE,
  stepfun: EFFORT,
  openrouter: REASONING,
  groq: EFFORT,
  mistral: { ...EFFORT, seed: "random_seed", required: "any" },
  xai: EFFORT,
  together: EFFORT,
  fireworks: EFFORT,
  cerebras: { ...EFFORT, maxTokens: "max_completion_tokens" },
  huggingface: EFFORT,
  nvidia: TEMPLATE,
  deepinfra: EFFORT,
  novita: ENABLE,
  sambanova: TEMPLATE,
  hyperbolic: TEMPLATE,
  cohere: { ...EFFORT, on: { reasoning_effort: "high" }, streamOptions: false },
  perplexity: EFFORT,
  venice: REASONING,
  aimlapi: EFFORT,
  github: EFFORT,
  snowflake: {
    model: "claude-sonnet-5",
    maxTokens: "max_completion_tokens",
    high: { reasoning: { effort: "high" } },
    on: { reasoning: { effort: "medium" } },
    off: {},
  },
  bedrock: EFFORT,
  vertex: EFFORT,
  "gemini-openai": EFFORT,
  ollama: EFFORT,
  vllm: TEMPLATE,
  sglang: TEMPLATE,
  llamacpp: TEMPLATE,
  lmstudio: EFFORT,
};

/** The base URLs of services that have no fixed one. */
const CUSTOMER_URLS: Partial<Record<ServiceName, string>> = {
  azure: "https://team.openai.azure.com/openai/v1",
  snowflake: "https://org-account.snowflakecomputing.com/api/v2/cortex/v1",
  bedrock: "https://bedrock-runtime.us-west-2.amazonaws.com/openai/v1",
  vertex:
    "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/l/endpoints/openapi",
};

const TOOL = { type: "function" as const, function: { name: "f" } };
const FORMAT = {
  type: "json_schema" as const,
  json_schema: { name: "a", schema: { type: "object" } },
};

for (const name of SERVICE_NAMES) {
  const expected = EXPECTED[name];
  const own = service(name).baseUrl || CUSTOMER_URLS[name]!;
  const places: [place: string, baseUrl: string | undefined, url: string, query: string][] = [
    ["own host", service(name).baseUrl ? undefined : own, own, ""],
    ["proxy", "https://proxy.example/v1", "https://proxy.example/v1", ""],
    ["other path", "https://proxy.example/llm/a/v2/", "https://proxy.example/llm/a/v2", ""],
    ["own host with a query", `${own}?api-version=2026-01-01`, own, "?api-version=2026-01-01"],
    [
      "proxy with a query",
      "https://proxy.example/v1?api-version=1",
      "https://proxy.example/v1",
      "?api-version=1",
    ],
  ];
  for (const [place, baseUrl, url, query] of places) {
    Deno.test(`${name} at its ${place}: URL, headers and dialect of every request`, async () => {
      const { model = "some-model" } = expected;
      const client: ClientOptions = { provider: name, baseUrl, model };
      const check = ({ url: asked, headers }: Sent, path: string) => {
        assert.equal(asked, `${url}${path}${query}`);
        const { authorization, "api-key": apiKey } = headers;
        const key = expected.key === "api-key"
          ? [undefined, "secret-key"]
          : ["Bearer secret-key", undefined];
        assert.deepEqual([authorization, apiKey], key);
        assert.equal(headers["x-api-key"], undefined);
      };
      const chat = async (options: ChatOptions, stream = false) => {
        const request = await sent(client, { options, stream });
        check(request, "/chat/completions");
        const { model: _, messages: __, ...body } = request.body;
        return body;
      };
      const maxTokens = expected.maxTokens ?? "max_tokens";
      assert.deepEqual(await chat({ maxTokens: 9, temperature: 1 }), {
        [maxTokens]: 9,
        temperature: 1,
      });
      assert.deepEqual(await chat({ seed: 1 }, true), {
        stream: true,
        ...expected.streamOptions === false ? {} : { stream_options: { include_usage: true } },
        [expected.seed ?? "seed"]: 1,
      });
      assert.deepEqual(await chat({ tools: [TOOL], toolChoice: "required" }), {
        tools: [TOOL],
        tool_choice: expected.required ?? "required",
      });
      assert.deepEqual(await chat({ responseFormat: FORMAT }), { response_format: FORMAT });
      assert.deepEqual(await chat({ thinking: "high" }), expected.high);
      assert.deepEqual(await chat({ thinking: true }), expected.on);
      assert.deepEqual(await chat({ thinking: false }), expected.off);
      check(await sent(client, { models: true }), "/models");
      const responses = await sent({ ...client, api: "responses" });
      check(responses, "/responses");
    });
  }
}

Deno.test("every service has a row in this test, and every name is a provider", () => {
  assert.deepEqual(Object.keys(EXPECTED), SERVICE_NAMES);
  for (const name of SERVICE_NAMES) assert.ok(PROVIDER_NAMES.includes(name));
});

Deno.test("a host identifies its service", () => {
  const hosts: [url: string, name: ServiceName | undefined][] = [
    ["https://dashscope.aliyuncs.com/compatible-mode/v1", "qwen"],
    ["https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "qwen"],
    ["https://api.moonshot.cn/v1", "moonshot"],
    ["https://api.moonshot.ai/v1", "moonshot"],
    ["https://open.bigmodel.cn/api/paas/v4", "zhipu"],
    ["https://api.z.ai/api/coding/paas/v4", "zai"],
    ["https://ark.cn-beijing.volces.com/api/v3", "volcengine"],
    ["https://ark.ap-southeast.bytepluses.com/api/v3", "volcengine"],
    ["https://api.siliconflow.com/v1", "siliconflow"],
    ["https://api.minimaxi.com/v1", "minimax"],
    ["https://api.together.ai/v1", "together"],
    ["https://team.cognitiveservices.azure.com/openai/v1", "azure"],
    ["https://team.services.ai.azure.com/openai/v1", "azure"],
    ["https://team.azure-api.net/openai", "azure"],
    ["https://openai.azure.com/v1", undefined],
    ["https://bedrock-mantle.eu-west-1.api.aws/v1", "bedrock"],
    ["https://bedrock-agent.eu-west-1.amazonaws.com/v1", undefined],
    ["https://aiplatform.googleapis.com/v1/projects/p", "vertex"],
    ["https://generativelanguage.googleapis.com/v1beta/openai", "gemini-openai"],
    ["https://generativelanguage.googleapis.com/v1beta/openai/", "gemini-openai"],
    ["https://generativelanguage.googleapis.com/v1beta", undefined],
    ["https://ollama.com/v1", "ollama"],
    ["http://127.0.0.1:11434/v1", "ollama"],
    ["http://[::1]:1234/v1", "lmstudio"],
    ["http://localhost:8000/v1", undefined],
    ["https://api.openai.com.evil.example/v1", undefined],
    ["https://notapi.openai.com/v1", undefined],
  ];
  for (const [url, name] of hosts) assert.equal(serviceOfUrl(url), name, url);
});

Deno.test("with provider openai, a known host decides about the service, then the model", async () => {
  const options = { maxTokens: 9, thinking: true } as const;
  const body = async (baseUrl: string, model: string) => {
    const { model: _, messages: __, ...body } =
      (await sent({ provider: "openai", baseUrl, model }, { options })).body;
    return body;
  };
  const generic = { max_tokens: 9, ...TEMPLATE.on };
  const openai = { max_completion_tokens: 9, reasoning_effort: "medium" };
  // A known host overrides the name.
  assert.deepEqual(await body("http://localhost:11434/v1", "qwen3"), {
    max_tokens: 9,
    reasoning_effort: "medium",
  });
  assert.deepEqual(await body("https://api.deepseek.com", "deepseek-v4-pro"), {
    max_tokens: 9,
    thinking: { type: "enabled" },
  });
  // At any other public host, it is a proxy of OpenAI.
  assert.deepEqual(await body("https://proxy.example/v1", "my-model"), openai);
  // In a private network, the model decides.
  for (
    const host of [
      "localhost:8000",
      "10.1.2.3",
      "gpu1:8000",
      "[fd00::1]",
      "llm.internal",
      "x.local",
    ]
  ) {
    assert.deepEqual(await body(`http://${host}/v1`, "qwen3"), generic, host);
    assert.deepEqual(await body(`http://${host}/v1`, "openai/gpt-oss-20b"), generic, host);
    assert.deepEqual(await body(`http://${host}/v1`, "gpt-5.5"), openai, host);
    assert.deepEqual(await body(`http://${host}/v1`, "o3"), openai, host);
  }
});

Deno.test("OpenAI's restrictions only apply to its own servers and models", async () => {
  const ask = (client: ClientOptions, options: ChatOptions) => sent(client, { options });
  const refused: [ClientOptions, ChatOptions][] = [
    [{ provider: "openai", model: "gpt-5.5" }, { topK: 5 }],
    [{ provider: "openai", model: "o3" }, { thinking: false }],
    [{ provider: "openai", baseUrl: "https://proxy.example/v1", model: "gpt-5.5" }, { topK: 5 }],
    [{ provider: "openai", baseUrl: "https://proxy.example/v1", model: "o3" }, { thinking: false }],
  ];
  for (const [client, options] of refused) {
    await assert.rejects(ask(client, options), /does not accept the option/);
  }
  const proxy = {
    provider: "openai",
    baseUrl: "https://proxy.example/v1",
    model: "qwen3",
  } as const;
  assert.equal((await ask(proxy, { topK: 5 })).body.top_k, 5);
  const local = { ...proxy, baseUrl: "http://localhost:8000/v1" };
  assert.equal((await ask(local, { topK: 5 })).body.top_k, 5);
});

Deno.test("Azure: deployment URLs keep their version, and other operations are outside of the deployment", async () => {
  const client: ClientOptions = {
    baseUrl: "https://team.openai.azure.com/openai/deployments/gpt?api-version=2026-01-01",
    model: "gpt",
  };
  const base = "https://team.openai.azure.com/openai";
  const version = "?api-version=2026-01-01";
  const chat = await sent(client, { options: { maxTokens: 5 } });
  assert.equal(chat.url, `${base}/deployments/gpt/chat/completions${version}`);
  assert.deepEqual([chat.headers["api-key"], chat.headers.authorization], [
    "secret-key",
    undefined,
  ]);
  assert.equal(chat.body.max_completion_tokens, 5);
  assert.equal((await sent(client, { models: true })).url, `${base}/models${version}`);
  const responses = await sent({ ...client, api: "responses" });
  assert.equal(responses.url, `${base}/responses${version}`);
  assert.equal(responses.headers["api-key"], "secret-key");
  const mistral = {
    baseUrl: "https://team.services.ai.azure.com/openai/v1",
    model: "Mistral-large",
  };
  assert.equal((await sent(mistral, { options: { maxTokens: 5 } })).body.max_tokens, 5);
});

Deno.test("Anthropic's format at other services uses the documented URL and key header", async () => {
  const cases: [baseUrl: string, url: string, key: "authorization" | "x-api-key" | "api-key"][] = [
    ["https://api.anthropic.com/v1", "https://api.anthropic.com/v1", "x-api-key"],
    [
      "https://api.deepseek.com/anthropic",
      "https://api.deepseek.com/anthropic/v1",
      "authorization",
    ],
    ["https://api.moonshot.ai/anthropic", "https://api.moonshot.ai/anthropic/v1", "authorization"],
    ["https://api.z.ai/api/anthropic", "https://api.z.ai/api/anthropic/v1", "authorization"],
    ["https://api.minimax.io/anthropic/v1", "https://api.minimax.io/anthropic/v1", "authorization"],
    ["https://openrouter.ai/api/v1", "https://openrouter.ai/api/v1", "authorization"],
    [
      "https://team.services.ai.azure.com/anthropic",
      "https://team.services.ai.azure.com/anthropic/v1",
      "api-key",
    ],
    ["https://proxy.example/v1", "https://proxy.example/v1", "x-api-key"],
  ];
  for (const [baseUrl, url, key] of cases) {
    const client: ClientOptions = { provider: "claude", baseUrl, model: "m" };
    for (
      const request of [
        await sent(client),
        await sent(client, { stream: true }),
        await sent(client, { models: true }),
      ]
    ) {
      const { pathname } = new URL(request.url);
      assert.ok(request.url.startsWith(`${url}/`), request.url);
      assert.match(pathname, /\/v1\/(messages|models)$/);
      const keys = ["authorization", "x-api-key", "api-key"].filter((name) =>
        request.headers[name]
      );
      assert.deepEqual(keys, [key], baseUrl);
    }
  }
  // Without a name, such a path determines the format.
  const auto = await sent({ baseUrl: "https://api.deepseek.com/anthropic", model: "m" });
  assert.equal(auto.url, "https://api.deepseek.com/anthropic/v1/messages");
  const vertex = await sent({
    provider: "gemini",
    baseUrl:
      "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/google",
    model: "gemini-3-flash",
  });
  assert.match(vertex.url, /publishers\/google\/models\/gemini-3-flash:generateContent$/);
  assert.equal(vertex.headers.authorization, "Bearer secret-key");
});

Deno.test("claude and gemini keep their format, their key and the query behind a proxy", async () => {
  const cases: [ClientOptions, stream: boolean, url: string, key: string][] = [
    [
      { provider: "claude", baseUrl: "https://p.example/a/v1" },
      false,
      "/a/v1/messages",
      "x-api-key",
    ],
    [
      { provider: "claude", baseUrl: "https://p.example/v1?v=1" },
      true,
      "/v1/messages?v=1",
      "x-api-key",
    ],
    [
      { provider: "gemini", baseUrl: "https://p.example/v1beta?v=1" },
      false,
      "/v1beta/models/m:generateContent?v=1",
      "x-goog-api-key",
    ],
    [
      { provider: "gemini", baseUrl: "https://p.example/v1beta?v=1" },
      true,
      "/v1beta/models/m:streamGenerateContent?v=1&alt=sse",
      "x-goog-api-key",
    ],
  ];
  for (const [client, stream, url, key] of cases) {
    const request = await sent({ ...client, model: "m" }, { stream });
    assert.equal(request.url, `https://p.example${url}`);
    assert.equal(request.headers[key], "secret-key");
    assert.equal(request.headers.authorization, undefined);
    const { url: listed } = await sent({ ...client, model: "m" }, { models: true });
    assert.equal(
      new URL(listed).searchParams.get("v"),
      new URL(client.baseUrl!).searchParams.get("v"),
    );
  }
});

Deno.test("a thinking level becomes the nearest one that the model accepts", async () => {
  const effortOf = async (provider: ServiceName, model: string, level: ChatOptions["thinking"]) => {
    const { body } = await sent({ provider, model }, { options: { thinking: level } });
    return body.reasoning_effort;
  };
  const cases: [ServiceName, model: string, given: ChatOptions["thinking"], sent: unknown][] = [
    ["openai", "gpt-5", "minimal", "minimal"],
    ["openai", "gpt-5", "max", "high"],
    ["openai", "gpt-5.1", "minimal", "low"],
    ["openai", "gpt-5.2", "xhigh", "xhigh"],
    ["openai", "gpt-5.2", "max", "xhigh"],
    ["openai", "gpt-5.6-sol", "max", "max"],
    ["openai", "gpt-6-astra", "minimal", "low"],
    ["openai", "gpt-6-luna", false, "none"],
    ["openai", "o3", "xhigh", "high"],
    ["openai", "gpt-5-pro", "low", "high"],
    ["openai", "gpt-99", "max", "max"],
    ["deepseek", "deepseek-v4-pro", "minimal", "low"],
    ["deepseek", "deepseek-v4-pro", "medium", "high"],
    ["deepseek", "deepseek-v4-pro", "max", "max"],
    ["groq", "qwen3", "xhigh", "high"],
    ["zai", "glm-5.3", "medium", "high"],
    ["zai", "glm-5.2", "xhigh", "xhigh"],
    ["zai", "glm-4.6", "high", undefined],
    ["moonshot", "kimi-k3", "max", "max"],
    ["moonshot", "kimi-k3", true, undefined],
    ["vllm", "qwen3", "max", "high"],
    ["openrouter", "m", "xhigh", undefined],
  ];
  for (const [provider, model, given, expected] of cases) {
    assert.equal(await effortOf(provider, model, given), expected, `${provider} ${model} ${given}`);
  }
  for (
    const [provider, model] of [
      ["zai", "glm-5.3"],
      ["moonshot", "kimi-k3"],
      ["moonshot", "kimi-k2.7-code"],
      ["openai", "gpt-6-astra"],
    ] as [ServiceName, string][]
  ) {
    await assert.rejects(effortOf(provider, model, false), /thinking: false.*|does not accept/);
  }
  const kimi = await sent({ provider: "moonshot", model: "kimi-k3" }, {
    options: { thinking: "low" },
  });
  assert.equal(kimi.body.thinking, undefined);
  const qianfan = await sent({ provider: "qianfan", model: "deepseek-v3.2" }, {
    options: { thinking: true },
  });
  assert.deepEqual(qianfan.body.thinking, { type: "enabled" });
});

Deno.test("private hosts are distinguished from public ones", () => {
  const isPrivate = (url: string) => isPrivateHost(new URL(url).hostname);
  for (
    const host of [
      "localhost",
      "a.localhost",
      "gpu1",
      "127.0.0.1",
      "0.0.0.0",
      "10.0.0.1",
      "172.16.0.1",
      "172.31.255.1",
      "192.168.1.1",
      "100.64.0.1",
      "169.254.1.1",
      "[::1]",
      "[fc00::1]",
      "[fe80::1]",
      "host.docker.internal",
      "llm.default.svc.cluster.local",
      "nas.lan",
    ]
  ) assert.ok(isPrivate(`http://${host}/v1`), host);
  for (
    const host of ["api.openai.com", "8.8.8.8", "172.32.0.1", "100.128.0.1", "[2001:db8::1]", "a.b"]
  ) assert.ok(!isPrivate(`http://${host}/v1`), host);
});

Deno.test("an endpoint's extraBody is sent with every request, and a call's takes precedence", async () => {
  const client: ClientOptions = {
    provider: "vllm",
    model: "m",
    extraBody: { top_k: 20, nested: { a: 1, b: 2 }, tools: [{ type: "web_search" }] },
  };
  const given = await sent(client, {
    options: { tools: [TOOL], extraBody: { top_k: 5, nested: { b: 3 } } },
  });
  const { top_k, nested, tools } = given.body;
  assert.deepEqual({ top_k, nested, tools }, {
    top_k: 5,
    nested: { a: 1, b: 3 },
    tools: [TOOL, { type: "web_search" }],
  });
  const stream = await sent(client, { stream: true });
  assert.deepEqual(stream.body.nested, { a: 1, b: 2 });
});
