/**
 * Resolves provider names to base URLs, key variables, services and wire formats.
 *
 * @module
 */
import {
  type ApiName,
  DEFAULT_PROTOCOL,
  isOfficial,
  officialAt,
  officialNamed,
  type OfficialProvider,
  protocolOfUrl,
  PROTOCOLS,
} from "../protocols/registry.ts";
import type { Endpoint, Protocol } from "../protocols/protocol.ts";
import { isPrivateHost } from "./private_host.ts";
import {
  service,
  SERVICE_NAMES,
  type ServiceName,
  serviceNamed,
  serviceOfUrl,
} from "./services.ts";

/** How a provider can be named: `auto` goes by the base URL, `mock` is the built-in server. */
export type ProviderName = "auto" | "mock" | OfficialProvider | ServiceName;

/** All provider names. */
export const PROVIDER_NAMES: readonly ProviderName[] = [
  "auto",
  "mock",
  ...PROTOCOLS.filter(isOfficial).map(({ name }) => name as OfficialProvider),
  ...SERVICE_NAMES,
];

/** Values of the `api` option: `auto`, or the wire format to use. */
export const API_NAMES: readonly ("auto" | ApiName)[] = [
  "auto",
  ...PROTOCOLS.filter((protocol) => !isOfficial(protocol)).map(({ name }) => name as ApiName),
];

/** The address of the built-in mock, at which no port is open. */
const MOCK_BASE_URL = "http://mock.invalid/v1";

/** The base URL of a named provider; `undefined` when the name does not determine it. */
export function baseUrlOf(provider: ProviderName): string | undefined {
  if (provider === "mock") return MOCK_BASE_URL;
  return officialNamed(provider)?.official.baseUrl ??
    (serviceNamed(provider)?.baseUrl || undefined);
}

/** The environment variable that customarily holds the key for a server; `undefined` if it is unknown. */
export function keyVariableOf(baseUrl: string): string | undefined {
  const name = serviceOfUrl(baseUrl);
  return name === undefined ? officialAt(baseUrl)?.official.keyVariable : service(name).keyVariable;
}

/**
 * The wire format that a provider name or, for `auto`, a base URL determines; `undefined` when the server
 * is one that may speak several formats, as OpenAI does.
 */
export function fixedProtocol(provider: ProviderName, baseUrl: string): Protocol | undefined {
  if (provider !== "auto") return officialNamed(provider);
  const protocol = protocolOfUrl(baseUrl);
  return protocol === DEFAULT_PROTOCOL ? undefined : protocol;
}

/**
 * The service behind an endpoint. A name overrides the host, so that proxies speak their service's
 * dialect. But other tools call any OpenAI-compatible server "openai": for that name a known host
 * overrides it, and in a private network it only applies to OpenAI's own models.
 */
export function serviceAt(
  provider: ProviderName,
  baseUrl: string,
): Pick<Endpoint, "service" | "openaiModelsOnly" | "isOpenAIHost"> {
  const host = serviceOfUrl(baseUrl);
  const atHost = host && service(host);
  const named = serviceNamed(provider);
  const isOpenAIHost = atHost?.isOpenAIHost;
  if (named === undefined) return { service: atHost, isOpenAIHost };
  if (!named.isGenericName) return { service: named, isOpenAIHost };
  if (atHost !== undefined) return { service: atHost, isOpenAIHost };
  const openaiModelsOnly = isPrivateHost(new URL(baseUrl).hostname) || undefined;
  return { service: named, openaiModelsOnly };
}
