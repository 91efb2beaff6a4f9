/**
 * Converts the parsed flags of `flexllm serve` to settings.
 *
 * @module
 */
import type { GatewayFlags } from "../../lib/config/resolve_gateway.ts";
import type { LogFlags } from "../call_log.ts";
import { quoted } from "../terminal/format.ts";

/** The format of the access log. */
export type AccessLogFormat = "text" | "json";

/** The flags as Commander parses them. */
export interface RawServeFlags extends Omit<GatewayFlags, "cache">, LogFlags {
  cache?: false | "key" | "shared";
  accessLog?: AccessLogFormat;
  quiet?: boolean;
  config?: string;
  verbose?: boolean;
}

/** The flags of `flexllm serve`. */
export interface ServeFlags extends GatewayFlags, LogFlags {
  accessLog?: AccessLogFormat;
  quiet?: boolean;
  /** The value of `--config`. */
  config?: string;
  verbose?: boolean;
}

/** Converts parsed flags. */
export function serveFlags({ cache, ...flags }: RawServeFlags): ServeFlags {
  return { ...flags, cache: cache === "key" ? true : cache };
}

/** The command that creates a key for a gateway with these flags. */
export function createKeyCommand({ database, config }: Pick<ServeFlags, "database" | "config">) {
  const files = Object.entries({ database, config })
    .flatMap(([name, file]) => file === undefined ? [] : [` --${name} ${quoted(file)}`]);
  return `flexllm serve virtual-key create NAME${files.join("")}`;
}
