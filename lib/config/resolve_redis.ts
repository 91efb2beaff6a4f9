/**
 * Resolves the Redis server that processes share.
 *
 * @module
 */
import { ConfigurationError } from "../errors.ts";
import type { Environment } from "../files/paths.ts";
import { parseRedisAddress } from "../redis/redis_address.ts";
import { DEFAULT_STORE_LOSS, parseStoreLoss, type RedisSettings } from "../redis/redis_settings.ts";
import type { Config } from "./load.ts";
import { expandReferences } from "./references.ts";

/** The variable with the address. */
export const REDIS_VARIABLE = "FLEXLLM_REDIS_URL";

/** The flags that select a Redis server. */
export interface RedisFlags {
  /** The address; takes precedence over the variable, which takes precedence over the configuration. */
  redis?: string;
  /** See {@link parseStoreLoss}. */
  onStoreLoss?: string;
}

/**
 * Resolves the server; `undefined` if none is named.
 *
 * @throws {ConfigurationError} if an address is invalid, or a policy is given without a server
 */
export function resolveRedis(
  config: Config,
  env: Environment,
  flags: RedisFlags,
): RedisSettings | undefined {
  const section = config.value.redis ?? undefined;
  const fields = typeof section === "string" ? { url: section } : section;
  const configured = fields === undefined ? undefined : expandReferences(fields.url, env);
  const [url, source] = flags.redis !== undefined
    ? [flags.redis, "--redis"]
    : env[REDIS_VARIABLE]
    ? [env[REDIS_VARIABLE], REDIS_VARIABLE]
    : [configured, `${config.locate(["redis"])}: redis`];
  const policy = flags.onStoreLoss === undefined ? {} : parseStoreLoss(flags.onStoreLoss);
  if (url === undefined) {
    if (flags.onStoreLoss === undefined) return undefined;
    throw new ConfigurationError("--on-store-loss: no Redis server is named", {
      hint: `Add --redis URL, or set ${REDIS_VARIABLE}.`,
    });
  }
  return {
    address: parseRedisAddress(url, source, fields?.prefix),
    onStoreLoss: { ...DEFAULT_STORE_LOSS, ...fields?.on_store_loss, ...policy },
  };
}
