/**
 * Opens the virtual keys of a gateway, which may be running meanwhile.
 *
 * @module
 */
import process from "node:process";
import type { Config } from "../../../lib/config/load.ts";
import { gatewayDatabase } from "../../../lib/config/resolve_gateway.ts";
import type { KeyFile } from "../../../lib/gateway/access/open_key_store.ts";
import { readConfig } from "../../read_config.ts";
import { resolveRedis } from "../../../lib/config/resolve_redis.ts";
import { FlexLLMError } from "../../../lib/errors.ts";
import type { RedisSettings } from "../../../lib/redis/redis_settings.ts";
import { writeWarning } from "../../terminal/sentences.ts";
import type { KeyCommandFlags } from "./key_flags.ts";

/** The server through which gateways share the keys; `undefined` if they share none. */
export function sharedStore(flags: KeyCommandFlags): RedisSettings | undefined {
  return resolveRedis(readConfig(flags.config), process.env, flags);
}

/** Changes the keys in a file, and publishes them if gateways share them. */
async function changeShared<T>(
  store: KeyFile,
  redis: RedisSettings,
  change: () => T | Promise<T>,
): Promise<T> {
  const { publishFile, requireOwnKeys } = await import(
    "../../../lib/gateway/access/shared_keys.ts"
  );
  await requireOwnKeys(store, redis);
  const result = await change();
  try {
    await publishFile(store, redis);
  } catch (error) {
    if (!(error instanceof FlexLLMError)) throw error;
    writeWarning(`the other gateways do not know it yet: ${error.message}`);
  }
  return result;
}

/**
 * Opens the keys in the database that the flags or the configuration name, and closes them afterwards.
 *
 * @throws {ConfigurationError} if it cannot be opened
 */
export async function withKeys<T>(
  flags: KeyCommandFlags,
  use: (store: KeyFile, config: Config) => T | Promise<T>,
): Promise<T> {
  const { openKeyStore } = await import("../../../lib/gateway/access/open_key_store.ts");
  const config = readConfig(flags.config);
  const store = await openKeyStore(gatewayDatabase(config, process.env, flags));
  try {
    const redis = resolveRedis(config, process.env, flags);
    if (redis === undefined) return await use(store, config);
    return await changeShared(store, redis, () => use(store, config));
  } finally {
    store.close();
  }
}
