/** A gateway on a port in front of the mock as four providers, for the packages of providers. */
import type { PoolEndpoint } from "../../lib/client/client_options.ts";
import type { GatewayFacts } from "../../lib/gateway/gateway_facts.ts";
import { serve } from "../../lib/runtime/http_server.ts";
import {
  createGatewayApp,
  createMockApp,
  type GatewayOptions,
  LLMClientPool,
  type MockOptions,
} from "../../mod.ts";

/** A model of each wire format, at the address of a real provider. */
const ENDPOINTS = {
  chat: { model: "deepseek-v4-pro", baseUrl: "https://api.deepseek.com/v1" },
  responses: { model: "gpt-6-sol", baseUrl: "https://api.openai.com/v1", api: "responses" },
  claude: { model: "claude-opus-5", baseUrl: "https://api.anthropic.com/v1" },
  gemini: {
    model: "gemini-3-flash-preview",
    baseUrl: "https://generativelanguage.googleapis.com/v1beta",
  },
} as const satisfies Record<string, PoolEndpoint>;

export type ProviderName = keyof typeof ENDPOINTS;
/** The providers' names, which are also the names of their models at the gateway. */
export const PROVIDER_NAMES = Object.keys(ENDPOINTS) as ProviderName[];

/** A request to a provider, and the status it answered with. */
export interface UpstreamCall {
  path: string;
  // deno-lint-ignore no-explicit-any
  body: any;
  headers: Headers;
  status: number;
}

export interface ClientGateway extends AsyncDisposable {
  /** The address without a path. */
  origin: string;
  upstream: UpstreamCall[];
  facts: GatewayFacts[];
}

/** Starts the gateway. The mock rejects what the providers reject; nothing is retried. */
export async function startClientGateway(
  mockOptions: MockOptions = {},
  options: GatewayOptions = {},
): Promise<ClientGateway> {
  const mock = createMockApp(mockOptions);
  const upstream: UpstreamCall[] = [];
  const fetch = async (url: string, init: RequestInit) => {
    const request = new Request(url, init);
    const { pathname: path } = new URL(url);
    const body = request.body === null ? undefined : await request.clone().json();
    const response = await mock.fetch(request);
    upstream.push({ path, body, headers: request.headers, status: response.status });
    return response;
  };
  const endpoints = PROVIDER_NAMES.map((name) => ({
    ...ENDPOINTS[name],
    name,
    apiKey: "sk-provider",
    fetch,
  }));
  const pool = new LLMClientPool({ endpoints, retryTimes: 0, retryDelay: 0.001 });
  const facts: GatewayFacts[] = [];
  const app = createGatewayApp(pool, { ...options, onRequest: (fact) => facts.push(fact) });
  const server = await serve("127.0.0.1", 0, (request) => app.fetch(request));
  return {
    origin: `http://127.0.0.1:${server.port}`,
    upstream,
    facts,
    async [Symbol.asyncDispose]() {
      await app.close();
      await server.close();
    },
  };
}

/** A PNG image of one pixel, in base64. */
export const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=";

/** A schema, and the answer of the mock that fits it. */
export const WEATHER_SCHEMA = {
  type: "object" as const,
  properties: { city: { type: "string" as const }, days: { type: "integer" as const } },
  required: ["city", "days"],
  additionalProperties: false,
};
export const WEATHER = { city: "text", days: 1 };
