/**
 * The endpoints of a batch, as the configuration file lists them.
 *
 * @module
 */
import { normalizeBaseUrl } from "../services/base_url.ts";
import { baseUrlOf, keyVariableOf } from "../services/providers.ts";
import type { PoolEndpoint } from "../client/client_options.ts";
import { ConfigurationError } from "../errors.ts";
import { overrides } from "./effective.ts";
import type { Config } from "./load.ts";
import type { Environment } from "../files/paths.ts";
import { expandEntry, type ModelFlags } from "./resolve_model.ts";

/** Whether the file lists endpoints for batches. */
export function hasEndpoints({ value }: Config): boolean {
  return value.batch?.endpoints !== undefined && value.batch.endpoints !== null;
}

/**
 * Whether a batch goes to the listed endpoints. A model that the command line names, or a server that it
 * or the environment names, is asked alone.
 */
export function usesEndpoints(config: Config, env: Environment, flags: ModelFlags): boolean {
  return hasEndpoints(config) && flags.model === undefined && flags.baseUrl === undefined &&
    overrides(env).baseUrl === undefined;
}

/**
 * The endpoint `i` of `batch.endpoints`.
 *
 * @throws {ConfigurationError} with its place when it cannot be used
 */
export function resolveEndpoint(
  config: Config,
  env: Environment,
  i: number,
): PoolEndpoint & { model: string } {
  const entry = config.value.batch!.endpoints![i];
  const path = ["batch", "endpoints", i];
  const model = entry.model ?? (env.FLEXLLM_MODEL || config.value.default || undefined);
  const options = expandEntry(entry, model, { path, config, env });
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
  return entries.map((_, i) => resolveEndpoint(config, env, i));
}
