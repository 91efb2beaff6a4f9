/**
 * Collects the effective settings and the source of each, for `flexllm config show`.
 *
 * @module
 */
import { DEFAULTS } from "../../lib/client/defaults.ts";
import process from "node:process";
import { DEFAULT_TTL } from "../../lib/cache/store.ts";
import { locateStore } from "../../lib/cache/open_store.ts";
import { defaultModel, overrides } from "../../lib/config/effective.ts";
import type { Config } from "../../lib/config/load.ts";
import { sharedRedis } from "../../lib/config/redis_urls.ts";
import { reachableCache, resolveBatchCache, resolveCache } from "../../lib/config/resolve_cache.ts";
import { usesEndpoints } from "../../lib/config/resolve_endpoints.ts";
import { REDIS_VARIABLE, resolveRedis } from "../../lib/config/resolve_redis.ts";
import type { BatchSection, EndpointEntry } from "../../lib/config/schema.ts";
import { ConfigurationError } from "../../lib/errors.ts";
import { redactConfig } from "../../lib/config/redact_config.ts";
import { maskKey, safeUrl } from "../../lib/redact.ts";
import { maskRedisUrl } from "../../lib/redis/redis_address.ts";
import { modelSettings, secretSettings } from "./model_settings.ts";
import { displayValue, type Setting } from "./setting.ts";

/** The default settings of a batch. */
const BATCH_DEFAULTS: Partial<Record<keyof BatchSection, unknown>> = {
  concurrency: DEFAULTS.concurrency,
  adaptive: true,
  max_wait: DEFAULTS.maxWait,
  timeout: DEFAULTS.timeout,
  retry_times: DEFAULTS.retryTimes,
  retry_delay: DEFAULTS.retryDelay,
  return_usage: true,
  track_cost: true,
  events: true,
};

function batchSettings(config: Config): Setting[] {
  const { endpoints: _, ...section } = config.value.batch ?? {};
  const given = Object.entries(section).filter(([, value]) => value !== null);
  const names = new Set([...given.map(([name]) => name), ...Object.keys(BATCH_DEFAULTS)]);
  return [...names].map((name): Setting => {
    const value = section[name as keyof typeof section];
    const isGiven = value !== undefined && value !== null;
    return {
      name: `batch.${name}`,
      value: displayValue(isGiven ? value : BATCH_DEFAULTS[name as keyof BatchSection]),
      source: isGiven ? config.locate(["batch", name]) : "default",
    };
  });
}

/** Summarizes an endpoint in one line. */
function describeEntry(entry: EndpointEntry): string {
  const { model = "the default model", base_url, provider } = entry;
  const server = base_url ? safeUrl(base_url) : `provider ${provider}`;
  const details = [
    entry.weight && `weight ${entry.weight}`,
    entry.concurrency_limit && `max ${entry.concurrency_limit} concurrent`,
    entry.max_qps && `max ${entry.max_qps} requests/s`,
    entry.max_tpm && `max ${entry.max_tpm} tokens/min`,
  ].filter((detail) => detail);
  return [`${model} at ${server}`, ...details].join(", ");
}

function endpointSettings(config: Config): Setting[] {
  const endpoints = config.value.batch?.endpoints;
  if (!endpoints) return [];
  if (!usesEndpoints(config, process.env, {})) {
    const { source } = overrides(process.env).baseUrl!;
    return [{
      name: "batch.endpoints",
      value: `${endpoints.length} in the file, not used`,
      source,
    }];
  }
  return endpoints.map((entry, i) => ({
    name: `batch.endpoints[${i}]`,
    value: describeEntry(entry),
    source: config.locate(["batch", "endpoints", i]),
  }));
}

/** The result of `resolve`; `undefined` if the configuration, the environment or this runtime prevents it. */
function ifPossible<T>(resolve: () => T): T | undefined {
  try {
    return resolve();
  } catch (error) {
    if (error instanceof ConfigurationError) return undefined;
    throw error;
  }
}

/** The Redis server that processes share. Its password is not shown. */
function redisSettings(config: Config): Setting[] {
  const server = sharedRedis(config.value);
  const variable = process.env[REDIS_VARIABLE];
  if (server === undefined && !variable) return [];
  const { redis } = config.value;
  const { url: _, ...fields } = typeof redis === "object" && redis !== null ? redis : { url: "" };
  const settings = ifPossible(() => resolveRedis(config, process.env, {}));
  return [
    {
      name: "redis.url",
      value: settings?.address.shown ?? maskRedisUrl(variable || server!.url),
      source: variable ? REDIS_VARIABLE : config.locate(server!.path),
    },
    ...Object.entries(fields).map(([name, value]): Setting => ({
      name: `redis.${name}`,
      value: displayValue(value),
      source: config.locate(["redis", name]),
    })),
  ];
}

function cacheSettings(config: Config): Setting[] {
  const { cache } = config.value;
  const given = typeof cache === "object" && cache !== null ? cache : {};
  const isOn = resolveCache(config) !== false;
  const source = cache === undefined || cache === null ? "default" : config.locate(["cache"]);
  const settings: Setting[] = [{ name: "cache", value: isOn, source }];
  if (!isOn && resolveBatchCache(config, {}) === false) return settings;
  const place = ifPossible(() => {
    const redis = resolveRedis(config, process.env, {});
    return locateStore(reachableCache(config, given, process.env, redis), process.env);
  });
  const values = {
    ttl: given.ttl ?? DEFAULT_TTL,
    store: place?.kind ?? `${given.store ?? "redis"}, which is not available here`,
    path: place?.kind === "kv" ? safeUrl(place.location!) : place?.location,
    namespace: given.namespace,
  };
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue;
    const isGiven = given[name as keyof typeof given] !== undefined;
    settings.push({
      name: `cache.${name}`,
      value,
      source: isGiven ? config.locate(["cache", name]) : "default",
    });
  }
  return settings;
}

function templateSettings(config: Config): Setting[] {
  const names = Object.keys(config.value.templates ?? {});
  if (names.length === 0) return [];
  return [{ name: "templates", value: names.join(", "), source: config.locate(["templates"]) }];
}

/** The settings of the gateway in the file, in one row each, with the admin key masked. */
function serveSettings(config: Config): Setting[] {
  const { routes, teams, ...section } = redactConfig(config.value).serve ?? {};
  const rows = (given: object, path: readonly string[]) =>
    Object.entries(given).filter(([, value]) => value !== null && value !== undefined)
      .map(([name, value]): Setting => ({
        name: [...path, name].join("."),
        value: displayValue(value),
        source: config.locate([...path, name]),
      }));
  const { FLEXLLM_ADMIN_KEY: adminKey } = process.env;
  const shown = rows(section, ["serve"]).filter(({ name }) =>
    !adminKey || name !== "serve.admin_key"
  );
  if (adminKey && config.value.serve) {
    const name = "serve.admin_key";
    shown.push({ name, value: maskKey(adminKey), source: "FLEXLLM_ADMIN_KEY" });
  }
  return [
    ...shown,
    ...rows(routes ?? {}, ["serve", "routes"]),
    ...rows(teams ?? {}, ["serve", "teams"]),
  ];
}

/** All effective settings. */
export function effectiveSettings(config: Config): Setting[] {
  const model = defaultModel(config, process.env);
  return [
    ...model === undefined ? [] : modelSettings(config, model),
    ...redisSettings(config),
    ...cacheSettings(config),
    ...batchSettings(config),
    ...endpointSettings(config),
    ...secretSettings(config, model?.value),
    ...serveSettings(config),
    ...templateSettings(config),
  ];
}
