/**
 * Reads the configuration of a gateway and makes its pool and its options.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import process from "node:process";
import { LLMClient } from "../../lib/client/client.ts";
import { redisOptions } from "../../lib/client/redis_options.ts";
import type { Config } from "../../lib/config/load.ts";
import { type GatewaySettings, resolveGateway } from "../../lib/config/resolve_gateway.ts";
import { requireApproval } from "../../lib/config/trust.ts";
import type { AccessSettings } from "../../lib/gateway/access/access_settings.ts";
import type { Access } from "../../lib/gateway/access.ts";
import type { GatewayOptions } from "../../lib/gateway/gateway_options.ts";
import { isLoopback } from "../../lib/transport/loopback.ts";
import { userPrices, warnAboutCleartext, withCacheWarnings } from "../connect.ts";
import { readConfig } from "../read_config.ts";
import { writeWarning } from "../terminal/sentences.ts";
import type { ServeFlags } from "./serve_flags.ts";

/** A configuration and the settings that it results in. */
export interface GatewaySetup {
  config: Config;
  settings: GatewaySettings;
}

/**
 * Reads the configuration and prints its warnings.
 *
 * @throws {ConfigurationError} if it cannot be used
 */
export function readSetup(flags: ServeFlags): GatewaySetup {
  const config = readConfig(flags.config);
  const settings = resolveGateway(config, process.env, flags, userPrices(config));
  for (const warning of settings.warnings) writeWarning(warning);
  warnAboutCleartext(settings.endpoints);
  return { config, settings };
}

/**
 * Creates the pool. Gateways that share a server keep to the limits of an endpoint together.
 *
 * @throws {ConfigurationError} if a setting is out of range
 * @throws {RedisUnavailableError} if the server cannot be used now
 */
export async function openPool({ config, settings }: GatewaySetup): Promise<LLMClient> {
  if (settings.cache !== false) requireApproval(config, ["serve", "cache"]);
  const cache = withCacheWarnings(config, settings.cache, settings.redis);
  // The loss of the server is reported by the keys, which share it.
  const redis = settings.redis && redisOptions(settings.redis);
  const pool = new LLMClient({ ...settings.pool, cache, redis });
  try {
    await pool.connect();
  } catch (error) {
    await pool.close();
    throw error;
  }
  return pool;
}

/** The settings of the access. Without a key, only callers on this machine are accepted. */
export function accessSettings({ host, access }: GatewaySettings): AccessSettings {
  const { teams, limits, allowUnpriced } = access;
  return { teams, limits, allowUnpriced, allowAnonymous: isLoopback(host) };
}

/** A random admin key, which closes the pages of a gateway that others can reach and that has none. */
const NO_ADMIN = randomUUID();

/** What is called about requests and attempts. */
export type GatewayObservers = Pick<GatewayOptions, "onRequest" | "onAttempt">;

/** The options of the gateway. */
export function gatewayOptions(
  { host, options }: GatewaySettings,
  access: Access,
  { onRequest, onAttempt }: GatewayObservers,
): GatewayOptions {
  const adminKey = options.adminKey ?? (isLoopback(host) ? undefined : NO_ADMIN);
  return { ...options, access, adminKey, onRequest, onAttempt };
}
