/**
 * Finds the environment variable for a server's key, and explains how to set it.
 *
 * @module
 */
import { keyedServices } from "../../lib/keys/key_names.ts";
import { normalizeBaseUrl } from "../../lib/services/base_url.ts";
import { isPrivateHost } from "../../lib/services/private_host.ts";
import { keyVariableOf } from "../../lib/services/providers.ts";

/**
 * The variable that customarily holds the key that the server at `baseUrl` requires; `undefined` if it is
 * unknown, or if none is required: a local server of a service, such as Ollama, needs no key.
 */
export function requiredVariable(baseUrl: string): string | undefined {
  const url = normalizeBaseUrl(baseUrl);
  return isPrivateHost(new URL(url).hostname) ? undefined : keyVariableOf(url);
}

/** The commands that set `variable`, or store the key that it customarily holds. */
export function howToSet(variable: string): string {
  const service = keyedServices().find((each) => each.variable === variable);
  const set = `export ${variable}=…`;
  return service === undefined ? set : `flexllm keys set ${service.name} (or ${set})`;
}
