/** Calls for the translated lane, without a server on either side. */
import { EndpointClient } from "../../../../../lib/client/endpoint_client.ts";
import type { GatewayCall } from "../../../../../lib/gateway/gateway_call.ts";
import type { LaneRequest } from "../../../../../lib/gateway/lane.ts";
import type { Json } from "../../../../../lib/json/json.ts";
import { systemClock } from "../../../../../lib/runtime/clock.ts";
import { EndpointLimits } from "../../../../../lib/scheduling/endpoint_limits.ts";
import { CHAT, CLAUDE, type Format, GEMINI, RESPONSES } from "../../../../support/serve_formats.ts";
import {
  CHAT_TRAFFIC,
  CLAUDE_TRAFFIC,
  GEMINI_TRAFFIC,
  type ProviderTraffic,
  RESPONSES_TRAFFIC,
} from "./provider_traffic.ts";

/** A client, and how it asks. */
export interface TestClient {
  name: string;
  format: Format;
  /** A request with the tools `weather` and `time` that shows thinking. */
  body: Json;
}

const TOOLS = ["weather", "time"];
const PARAMETERS = { type: "object", properties: {} };

export const CLIENTS: readonly TestClient[] = [
  {
    name: "chat",
    format: CHAT,
    body: {
      model: "smart",
      messages: [{ role: "user", content: "Hi" }],
      stream_options: { include_usage: true },
      tools: TOOLS.map((name) => ({ type: "function", function: { name } })),
    },
  },
  {
    name: "responses",
    format: RESPONSES,
    body: {
      model: "smart",
      input: "Hi",
      reasoning: { effort: "high", summary: "auto" },
      tools: TOOLS.map((name) => ({ type: "function", name, parameters: PARAMETERS })),
    },
  },
  {
    name: "claude",
    format: CLAUDE,
    body: {
      model: "smart",
      max_tokens: 1000,
      messages: [{ role: "user", content: "Hi" }],
      thinking: { type: "adaptive" },
      tools: TOOLS.map((name) => ({ name, input_schema: PARAMETERS })),
    },
  },
  {
    name: "gemini",
    format: GEMINI,
    body: {
      contents: [{ role: "user", parts: [{ text: "Hi" }] }],
      generationConfig: { thinkingConfig: { includeThoughts: true } },
      tools: [{ functionDeclarations: TOOLS.map((name) => ({ name })) }],
    },
  },
];

/** A provider and its traffic. */
export interface TestProvider {
  name: string;
  format: Format;
  model: string;
  options: { baseUrl: string; provider?: "claude" | "gemini"; api?: "responses" };
  traffic: ProviderTraffic;
}

export const PROVIDERS: readonly TestProvider[] = [
  {
    name: "chat",
    format: CHAT,
    model: "deepseek-v4-pro",
    options: { baseUrl: "https://api.deepseek.com/v1" },
    traffic: CHAT_TRAFFIC,
  },
  {
    name: "responses",
    format: RESPONSES,
    model: "gpt-6-sol",
    options: { baseUrl: "https://api.openai.com/v1", api: "responses" },
    traffic: RESPONSES_TRAFFIC,
  },
  {
    name: "claude",
    format: CLAUDE,
    model: "claude-opus-5",
    options: { baseUrl: "https://api.anthropic.com/v1" },
    traffic: CLAUDE_TRAFFIC,
  },
  {
    name: "gemini",
    format: GEMINI,
    model: "gemini-3-pro",
    options: { baseUrl: "https://generativelanguage.googleapis.com/v1beta" },
    traffic: GEMINI_TRAFFIC,
  },
];

/** The call of a client; fields of `changes` replace those of its usual body. */
export function callOf(
  { format, body: usual }: TestClient,
  stream: boolean,
  changes: Json = {},
): GatewayCall {
  const body: Json = { ...usual, ...changes };
  if (format !== GEMINI) body.stream = stream;
  const context = { operation: "chat", model: "smart", stream } as const;
  return {
    id: "id1",
    protocol: format.client,
    server: format.server,
    context,
    headers: new Headers(),
    query: new URLSearchParams(),
    text: JSON.stringify(body),
    body,
    model: "smart",
    stream,
    signal: new AbortController().signal,
    caller: { id: "", name: "", mayUse: () => true, isMetered: false },
    request: format.server.decodeRequest(body, context),
    dropped: new Set(),
  };
}

/** The request to a provider that a call becomes. */
export function requestTo({ format, model, options }: TestProvider): LaneRequest {
  const limits = new EndpointLimits({
    concurrency: 1,
    adaptive: false,
    maxQps: undefined,
    maxTpm: undefined,
    failureThreshold: undefined,
    recoveryTime: undefined,
    random: () => 0.5,
  }, true);
  const endpoint = new EndpointClient(
    { ...options, apiKey: "sk-secret", model },
    limits,
    systemClock,
  );
  return {
    endpoint,
    protocol: format.client,
    model,
    encoded: { url: "", headers: {}, body: "" },
    isThinkingRequested: true,
  };
}
