/**
 * Resolves the batch endpoints of a configuration to client options.
 *
 * @module
 */
import { baseUrlOf } from "../services/providers.ts";
import type { PoolEndpoint } from "../client/client_options.ts";
import { ConfigurationError } from "../errors.ts";
import { overrides } from "./effective.ts";
import { entryKey } from "./entry_key.ts";
import { expandEntry } from "./expand_entry.ts";
import type { Config } from "./load.ts";
import type { Environment } from "../files/paths.ts";
import type { ModelFlags } from "./resolve_model.ts";

/** Client options for one endpoint. */
export interface ResolvedEndpoint extends PoolEndpoint {
  /** The model's id at the server. */
  model: string;
  /** Where its key comes from; see {@link Sourced}. */
  keySource: string | undefined;
}

/** Whether the file lists batch endpoints. */
export function hasEndpoints({ value }: Config): boolean {
  return value.batch?.endpoints !== undefined && value.batch.endpoints !== null;
}

/**
 * Whether a batch uses the configured endpoints. It does not if a flag names a model or server, or the
 * environment names a server: then only that one is used.
 */
export function usesEndpoints(config: Config, env: Environment, flags: ModelFlags): boolean {
  return hasEndpoints(config) && flags.model === undefined && flags.baseUrl === undefined &&
    overrides(env).baseUrl === undefined;
}

/**
 * Resolves the endpoint at index `i` of `batch.endpoints`.
 *
 * @throws {ConfigurationError} with its position in the file if it cannot be used
 */
export function resolveEndpoint(
  config: Config,
  env: Environment,
  i: number,
): ResolvedEndpoint {
  const entry = config.value.batch!.endpoints![i];
  const path = ["batch", "endpoints", i];
  const model = entry.model ?? (env.FLEXLLM_MODEL || config.value.default || undefined);
  const context = { path, config, env };
  const options = expandEntry(entry, model, context);
  const server = options.baseUrl ?? baseUrlOf(options.provider ?? "auto");
  if (server === undefined) {
    throw new ConfigurationError(`${config.locate(path)}: the endpoint has no base_url`, {
      hint: "Set base_url, or a provider that has a default one.",
    });
  }
  if (model === undefined) {
    throw new ConfigurationError(`${config.locate(path)}: the endpoint has no model`, {
      hint: "Set its model, or a default in the file.",
    });
  }
  const key = entryKey(entry, server, context);
  return {
    ...options,
    apiKey: key?.value,
    keySource: key?.source,
    model,
    weight: entry.weight,
    concurrencyLimit: entry.concurrency_limit ?? undefined,
    maxQps: entry.max_qps ?? undefined,
    maxTpm: entry.max_tpm ?? undefined,
    maxInFlight: entry.max_in_flight ?? undefined,
  };
}

/**
 * Resolves all of `batch.endpoints`.
 *
 * @throws {ConfigurationError} with the position of an endpoint that cannot be used
 */
export function resolveEndpoints(config: Config, env: Environment): ResolvedEndpoint[] {
  const entries = config.value.batch?.endpoints ?? [];
  return entries.map((_, i) => resolveEndpoint(config, env, i));
}
