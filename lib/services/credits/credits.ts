/**
 * Queries the remaining balance of an API key's account.
 *
 * @module
 */
import { connect, type ServerOptions } from "../connect.ts";
import { AuthenticationError, ConfigurationError, HttpError } from "../../errors.ts";
import { parseResponse } from "../../protocols/decode_response.ts";
import { openaiChat } from "../../protocols/openai_chat/openai_chat.ts";
import type { Endpoint } from "../../protocols/protocol.ts";
import { officialAt, officialNamed } from "../../protocols/registry.ts";
import { requestHeaders, requestUrl } from "../../protocols/request.ts";
import { serviceNamed, serviceOfUrl } from "../services.ts";
import { redactAnswer, secretsOf } from "../../redact.ts";
import { send } from "../../transport/http.ts";
import {
  type Credits,
  decodeAimlapi,
  decodeDeepSeek,
  decodeOpenAICosts,
  decodeOpenRouterCredits,
  decodeOpenRouterKey,
  decodeSiliconFlow,
} from "./decode.ts";

/** How one API is queried. */
interface CreditQuery {
  /** Sends a GET for a path below the base URL and parses the answer. */
  get(path: string, query?: Record<string, string>): Promise<unknown>;
  baseUrl: string;
  /** Milliseconds since 1970. */
  now: number;
}

/** The balance API of a service. */
interface CreditApi {
  query(query: CreditQuery): Promise<Credits>;
  /** The end of base URLs that is not part of the API's own paths. */
  suffix?: RegExp;
  /** Whether an admin key is used instead of the API key, if there is one. */
  acceptsAdminKey?: true;
}

/** Options of a credit query. */
export interface CreditOptions {
  /** Seconds for one request. */
  timeout: number;
  signal?: AbortSignal;
  /** OpenAI's admin key, the only kind that can read costs; sent to OpenAI only. */
  openaiAdminKey?: string;
  /** The time of the query, in milliseconds since 1970. */
  now: number;
}

/** Maximum pages of OpenAI's costs to read; a month needs far fewer. */
const MAX_PAGES = 10;

async function queryOpenRouter({ get }: CreditQuery): Promise<Credits> {
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
    const note = "Only a management key can read the account's balance.";
    return { ...key, notes: [...key.notes, note] };
  }
}

async function queryOpenAI({ get, now }: CreditQuery): Promise<Credits> {
  const today = new Date(now);
  const start = Date.UTC(today.getUTCFullYear(), today.getUTCMonth()) / 1000;
  const spent = new Map<string, number>();
  try {
    for (let next: string | undefined, page = 0; page < MAX_PAGES; page++) {
      const query: Record<string, string> = { start_time: String(start), limit: "31" };
      if (next !== undefined) query.page = next;
      const costs = decodeOpenAICosts(await get("/organization/costs", query));
      for (const [currency, amount] of costs.spent) {
        spent.set(currency, (spent.get(currency) ?? 0) + amount);
      }
      if ((next = costs.next) === undefined) break;
    }
  } catch (error) {
    if (!(error instanceof AuthenticationError)) throw error;
    throw new ConfigurationError(
      "OpenAI has no balance API, and shows costs to admin keys only",
      {
        cause: error,
        hint: "Set OPENAI_ADMIN_KEY to an admin key, or see platform.openai.com under Billing.",
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
    notes: ["OpenAI has no balance API; see platform.openai.com under Billing."],
  };
}

/** The services with a balance API, by name. */
const CREDIT_APIS: Readonly<Record<string, CreditApi>> = {
  openrouter: { query: queryOpenRouter },
  openai: { query: queryOpenAI, acceptsAdminKey: true },
  deepseek: {
    query: async ({ get }) => decodeDeepSeek(await get("/user/balance")),
    suffix: /\/(v1|beta)$/,
  },
  siliconflow: {
    query: async ({ get, baseUrl }) => {
      const currency = new URL(baseUrl).hostname.endsWith(".com") ? "USD" : "CNY";
      return decodeSiliconFlow(await get("/user/info"), currency);
    },
  },
  aimlapi: { query: async ({ get }) => decodeAimlapi(await get("/billing/balance")) },
};

/** The service that `options` select, by name or else by URL. */
export function creditServiceOf(
  { provider = "auto" }: ServerOptions,
  baseUrl: string,
): string | undefined {
  if (provider === "auto") return officialAt(baseUrl)?.name ?? serviceOfUrl(baseUrl);
  return serviceNamed(provider)?.isGenericName ? serviceOfUrl(baseUrl) ?? provider : provider;
}

function unsupportedService(name: string | undefined, baseUrl: string): ConfigurationError {
  const known = `flexllm can query ${Object.keys(CREDIT_APIS).join(", ")}.`;
  if (name === "mock") return new ConfigurationError("the mock has no account: it costs nothing");
  const service = name === undefined ? undefined : serviceNamed(name);
  const page = service?.billingPage ?? (name && officialNamed(name)?.official.billingPage);
  if (page) {
    return new ConfigurationError(`${name} has no balance API`, {
      hint: `See ${page}. ${known}`,
    });
  }
  const server = service?.name ?? new URL(baseUrl).host;
  return new ConfigurationError(`${server} has no balance API that flexllm knows`, {
    hint: `${known} If it is one of them, name it as provider in the configuration.`,
  });
}

/**
 * Queries the balance of the account that `server`'s key belongs to.
 *
 * @throws {ConfigurationError} when the service has no such API, or there is no key
 * @throws {FlexLLMError} when the query fails
 */
export async function queryCredits(
  server: ServerOptions,
  options: CreditOptions,
): Promise<{ service: string } & Credits> {
  const { endpoint, fetch } = connect(server);
  const { baseUrl } = endpoint;
  const service = creditServiceOf(server, baseUrl);
  if (service === undefined || !Object.hasOwn(CREDIT_APIS, service)) {
    throw unsupportedService(service, baseUrl);
  }
  const api = CREDIT_APIS[service];
  const adminKey = api.acceptsAdminKey ? options.openaiAdminKey : undefined;
  if (endpoint.apiKey === undefined && adminKey === undefined) {
    throw new ConfigurationError(`there is no key for ${service}`, {
      hint: "Set it in the configuration or the environment; `flexllm list` shows missing keys.",
    });
  }
  // An admin key must not reach another server that was only named after the service.
  const apiKey = serviceOfUrl(baseUrl) === service ? adminKey ?? endpoint.apiKey : endpoint.apiKey;
  const root: Endpoint = { ...endpoint, apiKey };
  if (api.suffix !== undefined) root.baseUrl = baseUrl.replace(api.suffix, "");
  const headers = requestHeaders(root, "authorization");
  const secrets = secretsOf(root);
  const { timeout, signal, now } = options;
  const get = async (path: string, query?: Record<string, string>) => {
    const request = { url: requestUrl(root, path, query), headers };
    const response = await send(request, fetch, { timeout, signal });
    return parseResponse(openaiChat, redactAnswer(response, secrets));
  };
  try {
    return { service, ...await api.query({ get, baseUrl, now }) };
  } catch (error) {
    // Another server that speaks the format of the named service.
    if (error instanceof HttpError && error.status === 404) {
      throw unsupportedService(undefined, baseUrl);
    }
    throw error;
  }
}
