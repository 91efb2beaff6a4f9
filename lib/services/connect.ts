/**
 * From what the user says about a server to the endpoint that requests go to.
 *
 * @module
 */
import { ConfigurationError } from "../errors.ts";
import { createMockApp } from "../mock/mock_app.ts";
import { chatCompletions } from "../protocols/openai_chat/openai_chat.ts";
import { claude } from "../protocols/anthropic/anthropic.ts";
import { gemini } from "../protocols/gemini/gemini.ts";
import type { ChatRequest, Endpoint, Protocol } from "../protocols/protocol.ts";
import { needsResponses, responses } from "../protocols/openai_responses/openai_responses.ts";
import { service, SERVICE_NAMES, type ServiceName, serviceOfUrl } from "./services.ts";
import { isPrivateHost } from "./private_host.ts";
import { safeUrl } from "../redact.ts";
import { defaultFetch } from "../runtime/runtime.ts";
import type { Fetch } from "../transport/http.ts";

/** How a provider can be named: `auto` reads the base URL, `mock` is the built-in server. */
export type ProviderName = "auto" | "mock" | "claude" | "gemini" | ServiceName;

/** All provider names. */
export const PROVIDER_NAMES: readonly ProviderName[] = [
  "auto",
  "mock",
  "claude",
  "gemini",
  ...SERVICE_NAMES,
];

/** What the user says about a server. */
export interface ServerOptions {
  /** The service to ask; default `auto`, which takes the base URL for what it is. */
  provider?: ProviderName;
  /**
   * OpenAI's wire format: Chat Completions, Responses, or, by default, Chat Completions except for what
   * only Responses accepts (tools with reasoning on the newest models).
   */
  api?: "auto" | "chat" | "responses";
  /** The base URL, up to and with the version: `https://host/v1`. */
  baseUrl?: string;
  /** The key that is sent as a bearer token; none for servers that want none. */
  apiKey?: string;
  /** Headers to send with each request, beside our own. */
  headers?: Record<string, string>;
  /**
   * Extra fields for the body of every request, in the server's format; those of a call
   * ({@link SamplingOptions.extraBody}) win.
   */
  extraBody?: Record<string, unknown>;
  /** What sends the requests; default the runtime's `fetch`. */
  fetch?: Fetch;
}

/** A server, ready to be asked. */
export interface Connection {
  /** The wire format that a request is sent in. */
  protocolOf(request: ChatRequest): Protocol;
  endpoint: Endpoint;
  /** See {@link ServerOptions.extraBody}. */
  extraBody?: Record<string, unknown>;
  fetch: Fetch;
}

/** Where the built-in mock is reached; no port is opened. */
const MOCK_BASE_URL = "http://mock.invalid/v1";

function mockFetch(): Fetch {
  const app = createMockApp();
  return (url, init) => app.fetch(new Request(url, init));
}

/**
 * Checks a base URL and brings it into its normal form, without a slash at the end.
 *
 * @throws {ConfigurationError} when it is not an HTTP URL
 */
export function normalizeBaseUrl(text: string): string {
  const url = URL.parse(text);
  // What is wrong with it must not show what may be secret in it.
  const shown = safeUrl(text).replace(/^.*@/s, "…@");
  if (/^https?:/i.test(text) && (url === null || !/^https?:\/\/[^/]/i.test(text))) {
    throw new ConfigurationError(`the base URL "${shown}" is not a valid URL`, {
      hint: "Give a URL such as https://host/v1; ports go up to 65535.",
    });
  }
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    const guess = /^[\w.-]+(:\d+)?(\/|$)/.test(text);
    const scheme = /^(localhost|127\.|\d+\.\d+\.)/.test(text) ? "http" : "https";
    throw new ConfigurationError(`base URL "${shown}" does not begin with http:// or https://`, {
      hint: guess ? `Did you mean ${scheme}://${shown}?` : "Give a URL such as https://host/v1.",
    });
  }
  if (url.username !== "" || url.password !== "") {
    throw new ConfigurationError("the base URL holds a name or password", {
      hint:
        "Send them as a header instead: headers: {authorization: Basic …} in the configuration.",
    });
  }
  if (url.hash !== "") {
    throw new ConfigurationError(
      `the base URL "${url.origin}${url.pathname}…" contains a fragment, which is never sent`,
      { hint: "Remove the # and what follows it." },
    );
  }
  url.pathname = url.pathname.replace(/\/+$/, "").replace(/\/chat\/completions$/, "");
  return url.href.replace(/\/+$/, "");
}

/**
 * The base URL of Anthropic's format: services document theirs without the version, as Anthropic's own
 * packages take it (`ANTHROPIC_BASE_URL=https://api.deepseek.com/anthropic`).
 */
function withAnthropicVersion(baseUrl: string): string {
  const url = new URL(baseUrl);
  if (/\/anthropic$/.test(url.pathname)) url.pathname += "/v1";
  return url.href;
}

/** Refuses what cannot be in a header, without showing it: it may be part of a key. */
function checkHeaders(apiKey: string | undefined, headers: Record<string, string>): void {
  if (apiKey !== undefined && !/^[\x21-\x7e]*$/.test(apiKey)) {
    throw new ConfigurationError("the API key holds characters that no key has", {
      hint: "Look for blanks, line breaks or quotes in it; it may have been cut or pasted twice.",
    });
  }
  for (const [name, value] of Object.entries(headers)) {
    try {
      new Headers([[name, value]]);
    } catch {
      throw new ConfigurationError(
        `the header "${name}" has a name or value that HTTP does not allow`,
      );
    }
  }
}

/** The providers with a wire format of their own, and where they are. */
const OWN_FORMATS = {
  claude: {
    provider: claude,
    baseUrl: "https://api.anthropic.com/v1",
    keyVariable: "ANTHROPIC_API_KEY",
  },
  gemini: {
    provider: gemini,
    baseUrl: "https://generativelanguage.googleapis.com/v1beta",
    keyVariable: "GEMINI_API_KEY",
  },
} as const;

function ownFormatOfUrl(baseUrl: string): (typeof OWN_FORMATS)["claude" | "gemini"] | undefined {
  const { hostname } = new URL(baseUrl);
  const own = Object.values(OWN_FORMATS);
  return own.find((format) => new URL(format.baseUrl).hostname === hostname);
}

/** The variable that customarily holds the key for a server; none for one that is not known. */
export function keyVariableOf(baseUrl: string): string | undefined {
  const name = serviceOfUrl(baseUrl);
  return name === undefined ? ownFormatOfUrl(baseUrl)?.keyVariable : service(name).keyVariable;
}

/** The provider of a URL: that of Anthropic's or Gemini's host, or of another's Anthropic endpoint. */
function protocolOfUrl(baseUrl: string): Protocol | undefined {
  // Both hosts also serve an OpenAI-compatible API.
  const { pathname } = new URL(baseUrl);
  if (/\/openai(\/|$)/.test(pathname)) return undefined;
  if (/\/anthropic(\/|$)/.test(pathname)) return claude;
  return ownFormatOfUrl(baseUrl)?.provider;
}

/** The provider that `provider: "auto"` or the name of a compatible service stands for. */
function openaiFormat(
  api: ServerOptions["api"],
  baseUrl: string,
): (request: ChatRequest) => Protocol {
  if (api === "chat") return () => chatCompletions;
  if (api === "responses") return () => responses;
  // Only OpenAI itself is known to have both.
  if (serviceOfUrl(baseUrl) !== "openai") return () => chatCompletions;
  return (request) => needsResponses(request) ? responses : chatCompletions;
}

/**
 * The service behind an endpoint. A name wins over the host, so that proxies keep their service's
 * dialect. But other tools use "openai" for any OpenAI-compatible server: there a known host wins, and in
 * a private network the name only applies to OpenAI's own models.
 */
export function serviceAt(
  provider: ProviderName,
  baseUrl: string,
): Pick<Endpoint, "service" | "openaiModelsOnly" | "isOpenAIHost"> {
  const name = serviceOfUrl(baseUrl);
  const known = name && service(name);
  const isOpenAIHost = name === "openai" || name === "azure" || undefined;
  if (!isServiceName(provider)) return { service: known, isOpenAIHost };
  if (provider !== "openai") return { service: service(provider), isOpenAIHost };
  if (known !== undefined) return { service: known, isOpenAIHost };
  const openaiModelsOnly = isPrivateHost(new URL(baseUrl).hostname) || undefined;
  return { service: service(provider), openaiModelsOnly };
}

function isServiceName(provider: ProviderName): provider is ServiceName {
  return (SERVICE_NAMES as readonly string[]).includes(provider);
}

/** Where a named provider is; `undefined` when its name does not tell. */
export function baseUrlOf(provider: ProviderName): string | undefined {
  if (provider === "auto") return undefined;
  if (provider === "mock") return MOCK_BASE_URL;
  if (provider === "claude" || provider === "gemini") return OWN_FORMATS[provider].baseUrl;
  return service(provider).baseUrl || undefined;
}

/**
 * Finds the server that `options` mean.
 *
 * @throws {ConfigurationError} when the provider is unknown, or neither it nor a URL is given
 */
export function connect(options: ServerOptions): Connection {
  const { provider = "auto", headers = {} } = options;
  const apiKey = options.apiKey?.trim() || undefined;
  if (!PROVIDER_NAMES.includes(provider)) {
    throw new ConfigurationError(`unknown provider "${provider}"`, {
      hint: `Known are ${PROVIDER_NAMES.join(", ")}.`,
    });
  }
  checkHeaders(apiKey, headers);
  const given = options.baseUrl ?? baseUrlOf(provider);
  if (given === undefined) {
    throw new ConfigurationError("no base URL: flexllm does not know which server to ask", {
      hint: 'Give baseUrl, or name a provider such as "openai".',
    });
  }
  const normalized = normalizeBaseUrl(given);
  const own = provider === "claude" || provider === "gemini"
    ? OWN_FORMATS[provider].provider
    : provider === "auto"
    ? protocolOfUrl(normalized)
    : undefined;
  const baseUrl = own === claude ? withAnthropicVersion(normalized) : normalized;
  const isMock = provider === "mock" && options.baseUrl === undefined;
  return {
    protocolOf: own === undefined ? openaiFormat(options.api, baseUrl) : () => own,
    endpoint: {
      baseUrl,
      apiKey,
      headers,
      ...serviceAt(provider, baseUrl),
      keyVariable: keyVariableOf(baseUrl),
    },
    extraBody: options.extraBody,
    fetch: options.fetch ?? (isMock ? mockFetch() : defaultFetch),
  };
}
