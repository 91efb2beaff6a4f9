/**
 * Masks the secrets in a configuration so that it can be shown.
 *
 * @module
 */
import { isHarmlessHeader, maskKey, safeUrl } from "../redact.ts";
import { maskRedisUrl } from "../redis/redis_address.ts";
import { isReference } from "./references.ts";
import type { ConfigValue } from "./schema.ts";

/** Masks a value that may be secret, unless it is a reference such as `Bearer ${NAME}`. */
function masked(text: string): string {
  return isReference(text.replace(/^\w+ /, "")) || text === "" || text === "EMPTY"
    ? text
    : maskKey(text);
}

interface ServerFields {
  base_url?: string;
  api_key?: string;
  headers?: Record<string, string>;
}

function redactServer<T extends ServerFields>(server: T): T {
  const { base_url, api_key, headers } = server;
  const shown = Object.entries(headers ?? {})
    .map(([name, text]) => [name, isHarmlessHeader(name) ? text : masked(text)]);
  return {
    ...server,
    ...base_url === undefined ? {} : { base_url: safeUrl(base_url) },
    ...api_key === undefined ? {} : { api_key: masked(api_key) },
    ...headers === undefined ? {} : { headers: Object.fromEntries(shown) },
  };
}

/** Masks credentials in the URL that a cache can have as its path. */
function redactCache<T>(cache: T): T {
  if (typeof cache !== "object" || cache === null) return cache;
  const { path } = cache as { path?: string };
  if (path === undefined || !path.includes("://")) return cache;
  return { ...cache, path: path.startsWith("redis") ? maskRedisUrl(path) : safeUrl(path) };
}

function redactRedis(redis: NonNullable<ConfigValue["redis"]>): ConfigValue["redis"] {
  if (typeof redis === "string") return maskRedisUrl(redis);
  return { ...redis, url: maskRedisUrl(redis.url) };
}

/** A copy of `value` with keys, secret headers and credentials in URLs masked. */
export function redactConfig(value: ConfigValue): ConfigValue {
  const { models, batch, serve, cache, redis } = value;
  return {
    ...value,
    ...cache ? { cache: redactCache(cache) } : {},
    ...redis ? { redis: redactRedis(redis) } : {},
    ...models ? { models: models.map(redactServer) } : {},
    ...batch
      ? {
        batch: {
          ...batch,
          ...batch.endpoints ? { endpoints: batch.endpoints.map(redactServer) } : {},
        },
      }
      : {},
    ...serve
      ? {
        serve: {
          ...serve,
          ...serve.admin_key ? { admin_key: masked(serve.admin_key) } : {},
          ...serve.cache ? { cache: redactCache(serve.cache) } : {},
        },
      }
      : {},
  };
}
