/**
 * The endpoints of a batch, as the configuration file lists them.
 *
 * @module
 */
import { baseUrlOf, keyVariableOf, normalizeBaseUrl } from "../client/endpoint.ts";
import type { PoolEndpoint } from "../client/client_options.ts";
import { ConfigurationError } from "../errors.ts";
import type { Config } from "./load.ts";
import type { Environment } from "./paths.ts";
import { expandEntry, type ModelFlags } from "./resolve_model.ts";
import type { EndpointEntry } from "./schema.ts";

/** Whether a batch goes to the listed endpoints: a model named on the command line is asked alone. */
export function usesEndpoints(config: Config, flags: ModelFlags): boolean {
  return config.value.batch?.endpoints !== undefined && config.value.batch.endpoints !== null &&
    flags.model === undefined && flags.baseUrl === undefined;
}

function resolveEndpoint(
  entry: EndpointEntry,
  i: number,
  config: Config,
  env: Environment,
): PoolEndpoint {
  const path = ["batch", "endpoints", i];
  const model = entry.model ?? (env.FLEXLLM_MODEL || config.value.default || undefined);
  const options = expandEntry(entry, model, path, config, env);
  const server = options.baseUrl ?? baseUrlOf(options.provider ?? "auto");
  if (server === undefined) {
    throw new ConfigurationError(`${config.locate(path)}: the endpoint has no base_url`, {
      hint: "Give one, or a provider that has one.",
    });
  }
  const variable = keyVariableOf(normalizeBaseUrl(server));
  if (model === undefined) {
    throw new ConfigurationError(`${config.locate(path)}: the endpoint has no model`, {
      hint: "Name it there, or as the default of the file.",
    });
  }
  return {
    ...options,
    apiKey: options.apiKey || (variable && env[variable]) || undefined,
    model,
    weight: entry.weight,
    concurrencyLimit: entry.concurrency_limit ?? undefined,
    maxQps: entry.max_qps ?? undefined,
    maxTpm: entry.max_tpm ?? undefined,
  };
}

/**
 * The endpoints of `batch.endpoints`.
 *
 * @throws {ConfigurationError} with the place of the endpoint that cannot be used
 */
export function resolveEndpoints(config: Config, env: Environment): PoolEndpoint[] {
  const entries = config.value.batch?.endpoints ?? [];
  return entries.map((entry, i) => resolveEndpoint(entry, i, config, env));
}
