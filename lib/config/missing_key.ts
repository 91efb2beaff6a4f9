/**
 * Creates the error for a service that requires an API key, before anything is sent without one.
 *
 * @module
 */
import type { EndpointOptions } from "../client/client_options.ts";
import { ConfigurationError } from "../errors.ts";
import { keyNameOf } from "../keys/key_names.ts";
import { secretsOf } from "../redact.ts";
import { normalizeBaseUrl } from "../services/base_url.ts";
import { isPrivateHost } from "../services/private_host.ts";
import { baseUrlOf, keyVariableOf } from "../services/providers.ts";

/** What to do about the missing key of the service at `baseUrl`; `undefined` if it is not a known one. */
export function missingKeyHint(baseUrl: string): string | undefined {
  const variable = keyVariableOf(baseUrl);
  const name = keyNameOf(baseUrl);
  if (variable === undefined || name === undefined) return undefined;
  return `Store it with \`flexllm keys set ${name}\`, or set ${variable}. ` +
    "To try flexllm without a key, use -m mock.";
}

/**
 * Throws an error if a known service would get a request without a key, which it would reject.
 *
 * @param place where the endpoint is configured, as `file:line:column`
 * @throws {ConfigurationError} naming the variable and the command that set the key
 */
export function requireKey(
  { provider = "auto", baseUrl = baseUrlOf(provider), apiKey, headers = {} }: EndpointOptions,
  place?: string,
): void {
  if (apiKey || provider === "mock" || baseUrl === undefined) return;
  const url = normalizeBaseUrl(baseUrl);
  const { host, hostname } = new URL(url);
  const hint = missingKeyHint(url);
  // A local server of a service, such as Ollama, needs none; headers and the URL may hold a key as well.
  if (hint === undefined || isPrivateHost(hostname)) return;
  if (secretsOf({ apiKey: undefined, headers, baseUrl }).length > 0) return;
  const prefix = place === undefined ? "" : `${place}: `;
  throw new ConfigurationError(`${prefix}there is no API key for ${host}`, { hint });
}
