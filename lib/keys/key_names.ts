/**
 * Names stored keys: those of known services by the service, so that they are used without configuration.
 *
 * @module
 */
import { isOfficial, officialAt, PROTOCOLS } from "../protocols/registry.ts";
import { baseUrlOf, keyVariableOf, type ProviderName } from "../services/providers.ts";
import { service, SERVICE_NAMES, serviceOfUrl } from "../services/services.ts";

/** Other names of services, and services that share a key. */
const ALIASES: Readonly<Record<string, string>> = {
  claude: "anthropic",
  dashscope: "qwen",
  "gemini-openai": "gemini",
  google: "gemini",
  grok: "xai",
  hf: "huggingface",
  kimi: "moonshot",
};

/** The name under which a key is stored: in lowercase, and the same for all names of a service. */
export function canonicalKeyName(name: string): string {
  const lowered = name.toLowerCase();
  return Object.hasOwn(ALIASES, lowered) ? ALIASES[lowered] : lowered;
}

/** A service that requires a key. */
export interface KeyedService {
  /** The name under which its key is stored. */
  name: string;
  /** The environment variable that customarily holds its key. */
  variable: string;
  /** Its base URL; `undefined` if every customer has another one. */
  baseUrl: string | undefined;
}

/** All services that require a key, each once. */
export function keyedServices(): KeyedService[] {
  // An official API precedes an OpenAI-compatible one of the same service.
  const rows: [ProviderName, string | undefined][] = [
    ...PROTOCOLS.filter(isOfficial).map(({ name, official }): [ProviderName, string] => [
      name as ProviderName,
      official.keyVariable,
    ]),
    ...SERVICE_NAMES.map((name): [ProviderName, string | undefined] => [
      name,
      service(name).keyVariable,
    ]),
  ];
  const found = new Map<string, KeyedService>();
  for (const [provider, variable] of rows) {
    const name = canonicalKeyName(provider);
    if (variable === undefined || found.has(name)) continue;
    found.set(name, { name, variable, baseUrl: baseUrlOf(provider) });
  }
  return [...found.values()];
}

/** The service whose key is stored under `name`. */
export function keyedService(name: string): KeyedService | undefined {
  return keyedServices().find((each) => each.name === canonicalKeyName(name));
}

/**
 * The name of the stored key for the server at `baseUrl`; `undefined` if no known service is there, or it
 * needs no key.
 */
export function keyNameOf(baseUrl: string): string | undefined {
  if (keyVariableOf(baseUrl) === undefined) return undefined;
  const name = serviceOfUrl(baseUrl) ?? officialAt(baseUrl)?.name;
  return name === undefined ? undefined : canonicalKeyName(name);
}
