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
import type { KeyCommandFlags } from "./key_flags.ts";

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
    return await use(store, config);
  } finally {
    store.close();
  }
}
