/**
 * Asks a service what is left on the account of a key.
 *
 * @module
 */
import { connect, type ServerOptions } from "../connect.ts";
import { AuthenticationError, ConfigurationError, HttpError } from "../../errors.ts";
import { readAnswer } from "../../protocols/decode_response.ts";
import { chatCompletions } from "../../protocols/openai_chat/openai_chat.ts";
import { SERVICE_NAMES, type ServiceName, serviceOfUrl } from "../services.ts";
import { redactAnswer, secretsOf } from "../../redact.ts";
import { type Fetch, send } from "../../transport/http.ts";
import {
  type Credits,
  decodeAimlapi,
  decodeDeepSeek,
  decodeOpenAICosts,
  decodeOpenRouterCredits,
  decodeOpenRouterKey,
  decodeSiliconFlow,
} from "./decode.ts";

/** How a service is asked. */
interface Asking {
  /** Without a slash at the end. */
  baseUrl: string;
  /** Gets a path below the base URL and parses the answer. */
  get(path: string, apiKey?: string): Promise<unknown>;
  options: CreditOptions;
}

/** What a query needs beside the endpoint. */
export interface CreditOptions {
  /** Seconds for one request. */
  timeout: number;
  signal?: AbortSignal;
  /** OpenAI's key for administrators, which alone may see costs; sent to OpenAI only. */
  openaiAdminKey?: string;
  /** Milliseconds since 1970. */
  now: number;
}

/** Pages of OpenAI's costs that are read at most: a month has far fewer days. */
const MAX_PAGES = 10;

async function askOpenRouter({ get }: Asking): Promise<Credits> {
  const key = decodeOpenRouterKey(await get("/key"));
  try {
    const account = decodeOpenRouterCredits(await get("/credits"));
    return {
      remaining: [...account.remaining, ...key.remaining],
      details: [...account.details, ...key.details],
      notes: key.notes,
    };
  } catch (error) {
    if (!(error instanceof AuthenticationError)) throw error;
    const note = "The account's balance can be seen with a management key only.";
    return { ...key, notes: [...key.notes, note] };
  }
}

async function askOpenAI({ baseUrl, get, options }: Asking): Promise<Credits> {
  const now = new Date(options.now);
  const start = Date.UTC(now.getUTCFullYear(), now.getUTCMonth()) / 1000;
  const adminKey = serviceOfUrl(baseUrl) === "openai" ? options.openaiAdminKey : undefined;
  const spent = new Map<string, number>();
  try {
    for (let next: string | undefined, page = 0; page < MAX_PAGES; page++) {
      const query = new URLSearchParams({ start_time: String(start), limit: "31" });
      if (next !== undefined) query.set("page", next);
      const costs = decodeOpenAICosts(await get(`/organization/costs?${query}`, adminKey));
      for (const [currency, amount] of costs.spent) {
        spent.set(currency, (spent.get(currency) ?? 0) + amount);
      }
      if ((next = costs.next) === undefined) break;
    }
  } catch (error) {
    if (!(error instanceof AuthenticationError)) throw error;
    throw new ConfigurationError(
      "OpenAI shows costs to admin keys only, and has no API for what is left",
      {
        cause: error,
        hint:
          "Put an admin key into OPENAI_ADMIN_KEY, or look at platform.openai.com under Billing.",
      },
    );
  }
  if (spent.size === 0) spent.set("USD", 0);
  return {
    remaining: [],
    details: [...spent].map(([currency, amount]) => ({
      label: "spent this month (UTC)",
      amount,
      currency,
    })),
    notes: ["OpenAI has no API for what is left; see platform.openai.com under Billing."],
  };
}

type CreditService = "openrouter" | "deepseek" | "siliconflow" | "aimlapi" | "openai";

/** The services that can be asked. */
const QUERIES: Record<CreditService, (asking: Asking) => Promise<Credits>> = {
  openrouter: askOpenRouter,
  openai: askOpenAI,
  deepseek: async ({ get }) => decodeDeepSeek(await get("/user/balance")),
  siliconflow: async ({ baseUrl, get }) => {
    const currency = new URL(baseUrl).hostname.endsWith(".com") ? "USD" : "CNY";
    return decodeSiliconFlow(await get("/user/info"), currency);
  },
  aimlapi: async ({ get }) => decodeAimlapi(await get("/billing/balance")),
};

/** Where services without such an API show what is left. */
const CONSOLES: Record<string, string> = {
  claude: "console.anthropic.com under Billing",
  gemini: "aistudio.google.com under Billing",
  groq: "console.groq.com under Billing",
  mistral: "admin.mistral.ai under Billing",
  xai: "console.x.ai under Billing",
  together: "api.together.ai under Billing",
  qwen: "the Model Studio console of Alibaba Cloud",
  azure: "portal.azure.com under Cost Management",
};

/** The other site of SiliconFlow, which is the same service. */
const SILICONFLOW = /(^|\.)siliconflow\.(cn|com)$/;

/** The service that `options` mean: the one that is named, or the one whose URL it is. */
export function creditServiceOf(options: ServerOptions, baseUrl: string): string | undefined {
  const { provider = "auto" } = options;
  if (provider !== "auto") {
    // Many servers of others are given as "openai", since they speak its format.
    const isOther = provider === "openai" && serviceOfUrl(baseUrl) !== "openai";
    const known = isOther ? serviceOfUrl(baseUrl) : undefined;
    return known ?? provider;
  }
  const { hostname } = new URL(baseUrl);
  if (SILICONFLOW.test(hostname)) return "siliconflow";
  if (hostname === "api.anthropic.com") return "claude";
  if (hostname === "generativelanguage.googleapis.com") return "gemini";
  return serviceOfUrl(baseUrl);
}

function isCreditService(name: string | undefined): name is CreditService {
  return name !== undefined && Object.hasOwn(QUERIES, name);
}

function noSuchApi(name: string | undefined, baseUrl: string): ConfigurationError {
  const known = `flexllm can ask ${Object.keys(QUERIES).join(", ")}.`;
  if (name === "mock") return new ConfigurationError("the mock has no account: it costs nothing");
  if (name !== undefined && name in CONSOLES) {
    return new ConfigurationError(`${name} has no API for the balance of a key`, {
      hint: `Look at ${CONSOLES[name]}. ${known}`,
    });
  }
  const isNamed = SERVICE_NAMES.includes(name as ServiceName);
  const server = isNamed ? name : new URL(baseUrl).host;
  return new ConfigurationError(`${server} is not known to have an API for the balance of a key`, {
    hint: `${known} If it is one of them, name it as provider in the configuration.`,
  });
}

/**
 * Asks the service of `endpoint` what is left on the account of its key.
 *
 * @throws {ConfigurationError} when the service has no such API, or there is no key
 * @throws {FlexLLMError} of the kind that fits when it does not answer
 */
export async function askCredits(
  endpoint: ServerOptions,
  options: CreditOptions,
): Promise<{ service: string } & Credits> {
  const connection = connect(endpoint);
  const { baseUrl, headers } = connection.endpoint;
  const service = creditServiceOf(endpoint, baseUrl);
  if (!isCreditService(service)) throw noSuchApi(service, baseUrl);
  const { apiKey } = connection.endpoint;
  const hasAdminKey = service === "openai" && options.openaiAdminKey !== undefined;
  if (apiKey === undefined && !hasAdminKey) {
    throw new ConfigurationError(`there is no key for ${service}`, {
      hint:
        "Set it in the configuration or the environment; `flexllm list` shows where it is missing.",
    });
  }
  const root = service === "deepseek" ? baseUrl.replace(/\/(v1|beta)$/, "") : baseUrl;
  const fetch: Fetch = connection.fetch;
  const get = async (path: string, key = apiKey) => {
    const { timeout, signal } = options;
    const bearer: Record<string, string> = key === undefined
      ? {}
      : { authorization: `Bearer ${key}` };
    const request = { url: `${root}${path}`, headers: { ...bearer, ...headers } };
    const answer = await send(request, fetch, { timeout, signal });
    const secrets = secretsOf({ apiKey: key, headers });
    return readAnswer(chatCompletions, redactAnswer(answer, secrets));
  };
  try {
    return { service, ...await QUERIES[service]({ baseUrl, get, options }) };
  } catch (error) {
    // A server of somebody else that speaks the format of the named service.
    if (error instanceof HttpError && error.status === 404) throw noSuchApi(undefined, baseUrl);
    throw error;
  }
}
