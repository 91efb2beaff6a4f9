/**
 * Resolves the options for a server to an endpoint, a wire format and a `fetch`.
 *
 * @module
 */
import { ConfigurationError } from "../errors.ts";
import { createMockApp } from "../mock/mock_app.ts";
import type { ChatRequest, Endpoint, Protocol } from "../protocols/protocol.ts";
import type { Service } from "../protocols/service.ts";
import { type ApiName, DEFAULT_PROTOCOL, protocolNamed } from "../protocols/registry.ts";
import { defaultFetch } from "../transport/default_fetch.ts";
import type { Fetch } from "../transport/http.ts";
import { normalizeBaseUrl } from "./base_url.ts";
import {
  baseUrlOf,
  fixedProtocol,
  keyVariableOf,
  PROVIDER_NAMES,
  type ProviderName,
  serviceAt,
} from "./providers.ts";
import { service, serviceOfUrl } from "./services.ts";

/** The server to connect to. */
export interface ServerOptions {
  /**
   * The service. `auto` detects it from the base URL.
   *
   * @default "auto"
   */
  provider?: ProviderName;
  /**
   * The wire format of an OpenAI-compatible server: Chat Completions or Responses. `auto` is Chat
   * Completions, except for requests to OpenAI that only Responses accepts: tools with reasoning on the
   * newest models.
   *
   * @default "auto"
   */
  api?: "auto" | ApiName;
  /**
   * The base URL, including the version: `https://host/v1`.
   *
   * @default the provider's
   */
  baseUrl?: string;
  /** The API key, if the server requires one. */
  apiKey?: string;
  /** Extra headers for each request; they override our own. */
  headers?: Record<string, string>;
  /**
   * Extra fields for the body of every request, in the server's format. A call's own
   * ({@link SamplingOptions.extraBody}) take precedence.
   */
  extraBody?: Record<string, unknown>;
  /**
   * Sends the requests.
   *
   * @default the runtime's `fetch`
   */
  fetch?: Fetch;
}

/** A server that is ready for requests. */
export interface Connection {
  /** Selects the wire format for a request. */
  protocolOf(request: ChatRequest): Protocol;
  /** Whether the server is known to speak a wire format, so that bodies in it can be sent unchanged. */
  speaks(protocol: Protocol): boolean;
  endpoint: Endpoint;
  /** See {@link ServerOptions.extraBody}. */
  extraBody?: Record<string, unknown>;
  fetch: Fetch;
}

/** The built-in mock understands every form of thinking; this one has room for levels and budgets. */
const MOCK: Service = { name: "mock", baseUrl: "", thinking: "reasoning", selfHosted: true };

function mockFetch(): Fetch {
  const app = createMockApp();
  return (url, init) => app.fetch(new Request(url, init));
}

/** Rejects a key and headers that HTTP cannot carry. Does not show them: they may be part of a key. */
function checkHeaders(apiKey: string | undefined, headers: Record<string, string>): void {
  if (apiKey !== undefined && !/^[\x21-\x7e]*$/.test(apiKey)) {
    throw new ConfigurationError("the API key contains invalid characters", {
      hint:
        "Look for spaces, line breaks or quotes in it; it may have been truncated or pasted twice.",
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

type Formats = Pick<Connection, "protocolOf" | "speaks">;

/** The formats of a server that speaks only one. */
function onlyFormat(protocol: Protocol): Formats {
  return { protocolOf: () => protocol, speaks: (other) => other === protocol };
}

/** The formats of a server that may speak several. */
function selectFormats(api: ServerOptions["api"], baseUrl: string): Formats {
  const chosen = api === undefined || api === "auto" ? undefined : protocolNamed(api);
  if (chosen !== undefined) return onlyFormat(chosen);
  const host = serviceOfUrl(baseUrl);
  const others = (host && service(host).otherProtocols)?.map(protocolNamed);
  if (others === undefined) return onlyFormat(DEFAULT_PROTOCOL);
  return {
    protocolOf: (request) =>
      others.find((protocol) => protocol?.isRequired?.(request)) ?? DEFAULT_PROTOCOL,
    speaks: (protocol) => protocol === DEFAULT_PROTOCOL || others.includes(protocol),
  };
}

/**
 * Connects to the server that `options` describe; nothing is sent yet.
 *
 * @throws {ConfigurationError} when the provider is unknown, or neither it nor a URL is given
 */
export function connect(options: ServerOptions): Connection {
  const { provider = "auto", headers = {} } = options;
  const apiKey = options.apiKey?.trim() || undefined;
  if (!PROVIDER_NAMES.includes(provider)) {
    throw new ConfigurationError(`unknown provider "${provider}"`, {
      hint: `Known providers: ${PROVIDER_NAMES.join(", ")}.`,
    });
  }
  checkHeaders(apiKey, headers);
  const given = options.baseUrl ?? baseUrlOf(provider);
  if (given === undefined) {
    throw new ConfigurationError("no base URL: flexllm does not know which server to use", {
      hint: 'Set baseUrl, or name a provider such as "openai".',
    });
  }
  const normalized = normalizeBaseUrl(given);
  const protocol = fixedProtocol(provider, normalized);
  const baseUrl = protocol?.completeBaseUrl?.(normalized) ?? normalized;
  const isMock = provider === "mock" && options.baseUrl === undefined;
  return {
    ...protocol === undefined ? selectFormats(options.api, baseUrl) : onlyFormat(protocol),
    endpoint: {
      baseUrl,
      apiKey,
      headers,
      ...serviceAt(provider, baseUrl),
      ...isMock ? { service: MOCK } : {},
      keyVariable: keyVariableOf(baseUrl),
    },
    extraBody: options.extraBody,
    fetch: options.fetch ?? (isMock ? mockFetch() : defaultFetch),
  };
}
