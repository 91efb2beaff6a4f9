/**
 * From what the user says about a server to the endpoint that requests go to.
 *
 * @module
 */
import { ConfigurationError } from "../errors.ts";
import { createMockApp } from "../mock/mock_app.ts";
import { openai } from "../providers/openai.ts";
import type { Endpoint, Provider } from "../providers/provider.ts";
import { service, SERVICE_NAMES, type ServiceName } from "../providers/services.ts";
import { defaultFetch } from "../runtime.ts";
import type { Fetch } from "../transport/http.ts";

/** How a provider can be named: `auto` reads the base URL, `mock` is the built-in server. */
export type ProviderName = "auto" | "mock" | ServiceName;

/** All provider names. */
export const PROVIDER_NAMES: readonly ProviderName[] = ["auto", "mock", ...SERVICE_NAMES];

/** What the user says about a server. */
export interface EndpointOptions {
  /** The service to ask; default `auto`, which takes the base URL for what it is. */
  provider?: ProviderName;
  /** The base URL, up to and with the version: `https://host/v1`. */
  baseUrl?: string;
  /** The key that is sent as a bearer token; none for servers that want none. */
  apiKey?: string;
  /** Headers to send with each request, beside our own. */
  headers?: Record<string, string>;
  /** What sends the requests; default the runtime's `fetch`. */
  fetch?: Fetch;
}

/** A server, ready to be asked. */
export interface Connection {
  provider: Provider;
  endpoint: Endpoint;
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
  if (/^https?:/i.test(text) && (url === null || !/^https?:\/\/[^/]/i.test(text))) {
    throw new ConfigurationError(`the base URL "${text}" is not a valid URL`, {
      hint: "Give a URL such as https://host/v1; ports go up to 65535.",
    });
  }
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    const guess = /^[\w.-]+(:\d+)?(\/|$)/.test(text);
    const scheme = /^(localhost|127\.|\d+\.\d+\.)/.test(text) ? "http" : "https";
    throw new ConfigurationError(`base URL "${text}" does not begin with http:// or https://`, {
      hint: guess ? `Did you mean ${scheme}://${text}?` : "Give a URL such as https://host/v1.",
    });
  }
  if (url.username !== "" || url.password !== "") {
    throw new ConfigurationError("the base URL holds a name or password", {
      hint:
        "Send them as a header instead: headers: {authorization: Basic …} in the configuration.",
    });
  }
  if (url.search !== "" || url.hash !== "") {
    throw new ConfigurationError(
      `the base URL "${url.origin}${url.pathname}…" goes on after its path`,
      {
        hint: "Leave out what follows the ? or #.",
      },
    );
  }
  return text.trim().replace(/\/+$/, "").replace(/\/chat\/completions$/, "");
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

/**
 * Finds the server that `options` mean.
 *
 * @throws {ConfigurationError} when the provider is unknown, or neither it nor a URL is given
 */
export function connect(options: EndpointOptions): Connection {
  const { provider = "auto", headers = {} } = options;
  const apiKey = options.apiKey?.trim() || undefined;
  if (!PROVIDER_NAMES.includes(provider)) {
    throw new ConfigurationError(`the provider "${provider}" is not supported`, {
      hint: `Supported are ${PROVIDER_NAMES.join(", ")}.`,
    });
  }
  checkHeaders(apiKey, headers);
  if (provider === "mock" && options.baseUrl === undefined) {
    return {
      provider: openai,
      endpoint: { baseUrl: MOCK_BASE_URL, apiKey, headers },
      fetch: options.fetch ?? mockFetch(),
    };
  }
  const named = provider === "auto" || provider === "mock" ? undefined : service(provider).baseUrl;
  const baseUrl = options.baseUrl ?? named;
  if (baseUrl === undefined) {
    throw new ConfigurationError("no base URL: flexllm does not know which server to ask", {
      hint: 'Give baseUrl, or name a provider such as "openai".',
    });
  }
  return {
    provider: openai,
    endpoint: { baseUrl: normalizeBaseUrl(baseUrl), apiKey, headers },
    fetch: options.fetch ?? defaultFetch,
  };
}
