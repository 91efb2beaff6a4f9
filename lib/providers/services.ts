/**
 * The OpenAI-compatible services that can be named instead of a base URL. A service is a row of
 * data; what it does differently from OpenAI is a column.
 *
 * Sources: each service's own API documentation, "base URL" and "authentication".
 *
 * @module
 */
import type { ThinkingDialect } from "./chat_thinking.ts";

/** What is known of a service. */
export interface Service {
  /** The base URL, up to and with the version; empty where each customer has another. */
  baseUrl: string;
  /** The host that the service is known by, or, with a dot before it, the end of one. */
  host?: string;
  /** The environment variable that customarily holds the key. */
  keyVariable?: string;
  /**
   * The field that limits the answer's tokens. OpenAI's reasoning models refuse `max_tokens`;
   * most others know nothing else.
   */
  maxTokensField?: "max_tokens" | "max_completion_tokens";
  /** The field that holds the seed; default `seed`. */
  seedField?: string;
  /** How a tool is required; default `required`. */
  requiredTool?: string;
  /** How thinking is asked for; default a variable of the chat template, as self-hosted servers. */
  thinking?: ThinkingDialect;
  /** The header that holds the bare key; default a bearer token in `authorization`. */
  keyHeader?: string;
}

/** The name of a known OpenAI-compatible service. */
export type ServiceName =
  | "openai"
  | "deepseek"
  | "openrouter"
  | "groq"
  | "mistral"
  | "xai"
  | "siliconflow"
  | "together"
  | "qwen"
  | "aimlapi"
  | "azure"
  | "ollama"
  | "vllm";

const SERVICES: Record<ServiceName, Service> = {
  openai: {
    baseUrl: "https://api.openai.com/v1",
    host: "api.openai.com",
    keyVariable: "OPENAI_API_KEY",
    maxTokensField: "max_completion_tokens",
    thinking: "effort",
  },
  deepseek: {
    baseUrl: "https://api.deepseek.com",
    host: "api.deepseek.com",
    keyVariable: "DEEPSEEK_API_KEY",
    thinking: "deepseek",
  },
  openrouter: {
    baseUrl: "https://openrouter.ai/api/v1",
    host: "openrouter.ai",
    keyVariable: "OPENROUTER_API_KEY",
    thinking: "reasoning",
  },
  groq: {
    baseUrl: "https://api.groq.com/openai/v1",
    host: "api.groq.com",
    keyVariable: "GROQ_API_KEY",
    thinking: "effort",
  },
  mistral: {
    baseUrl: "https://api.mistral.ai/v1",
    host: "api.mistral.ai",
    keyVariable: "MISTRAL_API_KEY",
    seedField: "random_seed",
    requiredTool: "any",
    thinking: "effort",
  },
  xai: {
    baseUrl: "https://api.x.ai/v1",
    host: "api.x.ai",
    keyVariable: "XAI_API_KEY",
    thinking: "effort",
  },
  qwen: {
    baseUrl: "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
    host: "dashscope-intl.aliyuncs.com",
    keyVariable: "DASHSCOPE_API_KEY",
    thinking: "enable_thinking",
  },
  aimlapi: {
    baseUrl: "https://api.aimlapi.com/v1",
    host: "api.aimlapi.com",
    keyVariable: "AIMLAPI_API_KEY",
    thinking: "effort",
  },
  azure: {
    baseUrl: "",
    host: ".openai.azure.com",
    keyVariable: "AZURE_OPENAI_API_KEY",
    keyHeader: "api-key",
    maxTokensField: "max_completion_tokens",
    thinking: "effort",
  },
  siliconflow: {
    baseUrl: "https://api.siliconflow.cn/v1",
    host: "api.siliconflow.cn",
    keyVariable: "SILICONFLOW_API_KEY",
    thinking: "enable_thinking",
  },
  together: {
    baseUrl: "https://api.together.xyz/v1",
    host: "api.together.xyz",
    keyVariable: "TOGETHER_API_KEY",
    thinking: "effort",
  },
  ollama: { baseUrl: "http://localhost:11434/v1", host: "localhost:11434", thinking: "effort" },
  vllm: { baseUrl: "http://localhost:8000/v1" },
};

/** The names of all known services. */
export const SERVICE_NAMES: ServiceName[] = Object.keys(SERVICES) as ServiceName[];

/** What is known of the service `name`. */
export function service(name: ServiceName): Service {
  return SERVICES[name];
}

/** The service whose host `baseUrl` names, if it is a known one. */
export function serviceOfUrl(baseUrl: string): ServiceName | undefined {
  const { host } = new URL(baseUrl);
  return SERVICE_NAMES.find((name) => {
    const known = service(name).host;
    return known?.startsWith(".") ? host.endsWith(known) : host === known;
  });
}
