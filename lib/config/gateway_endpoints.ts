/**
 * Resolves the models that a gateway serves to the endpoints of its pool.
 *
 * @module
 */
import type { PoolEndpoint } from "../client/client_options.ts";
import { ConfigurationError } from "../errors.ts";
import type { Environment } from "../files/paths.ts";
import type { Config } from "./load.ts";
import { requireKey } from "./missing_key.ts";
import { noModel } from "./missing_model.ts";
import { findModel, nameOf } from "./models.ts";
import { requestedModel, resolveWithKey } from "./resolve_model.ts";

/** The flags of a gateway that select its models. */
export interface GatewayModelFlags {
  /** Names of models or routes; all of them if absent. */
  model?: readonly string[];
  baseUrl?: string;
  apiKey?: string;
}

/** An endpoint of a gateway's pool. */
export interface GatewayEndpoint extends PoolEndpoint {
  /** The name of its route. */
  name: string;
  /** The model's id at the server. */
  model: string;
  /** Where its key comes from. */
  keySource: string | undefined;
}

/** The endpoints that can be used, and why others cannot. */
export interface GatewayEndpoints {
  endpoints: GatewayEndpoint[];
  /** The problems of configured models that are left out, by their names. */
  unusable: Map<string, ConfigurationError>;
}

/**
 * Resolves one model to an endpoint.
 *
 * @throws {ConfigurationError} if it is not configured, or its key is missing
 */
function endpointOf(
  config: Config,
  env: Environment,
  name: string | undefined,
  { baseUrl, apiKey }: GatewayModelFlags,
): GatewayEndpoint {
  const { model, keySource } = resolveWithKey(config, env, { model: name, baseUrl, apiKey });
  // Clients choose the sampling of each request.
  const { options: _, limits, ...endpoint } = model;
  const found = findModel(config.value, name);
  requireKey(endpoint, found && config.locate(["models", found[1]]));
  return {
    ...endpoint,
    ...limits,
    name: found === undefined ? name ?? model.model : nameOf(found[0]),
    keySource,
  };
}

/**
 * Resolves the models that a gateway serves: those that flags name, otherwise all configured ones, otherwise the
 * one that the environment names. Variables such as `OPENAI_BASE_URL` do not redirect configured models: clients
 * of the gateway set them to its own address.
 *
 * @param names the models that flags and routes name; `undefined` for all configured ones
 * @throws {ConfigurationError} if no model can be used, or one that a flag names
 */
export function gatewayEndpoints(
  config: Config,
  env: Environment,
  names: readonly string[] | undefined,
  flags: GatewayModelFlags,
): GatewayEndpoints {
  const unusable = new Map<string, ConfigurationError>();
  if (names !== undefined) {
    const endpoints = [...new Set(names)].map((name) => endpointOf(config, env, name, flags));
    return { endpoints, unusable };
  }
  const configured = config.value.models ?? [];
  if (configured.length === 0 || flags.baseUrl !== undefined) {
    if (requestedModel(config, env, {}) === undefined && flags.baseUrl === undefined) {
      throw noModel(config);
    }
    return { endpoints: [endpointOf(config, env, undefined, flags)], unusable };
  }
  const endpoints: GatewayEndpoint[] = [];
  for (const entry of configured) {
    try {
      endpoints.push(endpointOf(config, env, nameOf(entry), flags));
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      unusable.set(nameOf(entry), error);
    }
  }
  if (endpoints.length === 0) throw [...unusable.values()][0];
  return { endpoints, unusable };
}
