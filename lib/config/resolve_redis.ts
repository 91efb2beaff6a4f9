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
import { expandField } from "./expand_entry.ts";
import { type ConfiguredRedis, sharedRedis } from "./redis_urls.ts";
import { requireApproval } from "./trust.ts";

/** The variable with the address. */
export const REDIS_VARIABLE = "FLEXLLM_REDIS_URL";

/** The flags that select a Redis server. */
export interface RedisFlags {
  /** The address; takes precedence over the variable, which takes precedence over the configuration. */
  redis?: string;
  /** See {@link parseStoreLoss}. */
  onStoreLoss?: string;
}

/** The address, and where it is from, for errors. */
interface NamedServer {
  url: string;
  source: string;
}

/**
 * Expands the references in the URL of a server. A user or a password is inserted as it is: it needs no
 * percent-encoding in its variable.
 *
 * @throws {ConfigurationError} if a variable is not set, or a key is not stored
 */
export function expandServerUrl(
  { url, path }: ConfiguredRedis,
  config: Config,
  env: Environment,
): string {
  const expand = (text: string) => expandField(text, [], { path, config, env }) ?? "";
  const loginEnd = url.startsWith("redis") ? url.lastIndexOf("@") : 0;
  const login = url.slice(0, Math.max(loginEnd, 0))
    .replace(/\$\{[^}]*\}/g, (reference) => encodeURIComponent(expand(reference)));
  return login + expand(url.slice(Math.max(loginEnd, 0)));
}

/** The server that the configuration names. */
function configuredServer(config: Config, env: Environment): NamedServer | undefined {
  const found = sharedRedis(config.value);
  if (found === undefined) return undefined;
  requireApproval(config, ["redis"]);
  const url = expandServerUrl(found, config, env);
  return { url, source: `${config.locate(found.path)}: redis` };
}

/**
 * Resolves the server; `undefined` if none is named.
 *
 * @throws {ConfigurationError} if an address is invalid or refers to a variable that is not set, if a policy is
 *   given without a server, or if the user has not approved a server that a file in the current directory names
 */
export function resolveRedis(
  config: Config,
  env: Environment,
  flags: RedisFlags,
): RedisSettings | undefined {
  const variable = env[REDIS_VARIABLE];
  const server = flags.redis !== undefined
    ? { url: flags.redis, source: "--redis" }
    : variable
    ? { url: variable, source: REDIS_VARIABLE }
    : configuredServer(config, env);
  const policy = flags.onStoreLoss === undefined ? {} : parseStoreLoss(flags.onStoreLoss);
  if (server === undefined) {
    if (flags.onStoreLoss === undefined) return undefined;
    throw new ConfigurationError("--on-store-loss: no Redis server is named", {
      hint: `Add --redis URL, or set ${REDIS_VARIABLE}.`,
    });
  }
  const section = config.value.redis;
  const fields = typeof section === "object" && section !== null ? section : undefined;
  return {
    address: parseRedisAddress(server.url, server.source, fields?.prefix),
    onStoreLoss: { ...DEFAULT_STORE_LOSS, ...fields?.on_store_loss, ...policy },
  };
}
