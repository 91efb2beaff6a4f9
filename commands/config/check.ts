/**
 * Finds all problems in a configuration file for `flexllm config check`.
 *
 * @module
 */
import process from "node:process";
import { locateStore } from "../../lib/cache/open_store.ts";
import { LLMClient } from "../../lib/client/client.ts";
import { byPosition, type ConfigProblem, inspectConfig } from "../../lib/config/inspect.ts";
import { inspectServers } from "../../lib/config/inspect_servers.ts";
import {
  type Config,
  permissionWarning,
  readConfigText,
  unapprovedIn,
} from "../../lib/config/load.ts";
import { resolveRoute } from "../../lib/config/gateway_routes.ts";
import { nameOf } from "../../lib/config/models.ts";
import { keysIn, variablesIn } from "../../lib/config/references.ts";
import { resolveEndpoint } from "../../lib/config/resolve_endpoints.ts";
import { resolveModel } from "../../lib/config/resolve_model.ts";
import { configuredRedis, sharedRedis } from "../../lib/config/redis_urls.ts";
import { REDIS_VARIABLE, resolveRedis } from "../../lib/config/resolve_redis.ts";
import { describeForeign } from "../../lib/config/trust.ts";
import { ConfigurationError } from "../../lib/errors.ts";
import { findKey } from "../../lib/keys/key_store.ts";
import type { RedisAddress } from "../../lib/redis/redis_address.ts";

/** The result of checking a configuration file. */
export interface ConfigCheck {
  /** Problems that prevent its use. */
  problems: string[];
  /** Things that still allow its use. */
  warnings: string[];
}

/** Checks that the cache can be used with this runtime and environment. */
function cacheProblems(config: Config): ConfigProblem[] {
  const { cache } = config.value;
  if (typeof cache !== "object" || cache === null || hasUnresolved(cache)) return [];
  try {
    const redis = sharedServer(config);
    locateStore({ ...cache, redis }, process.env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return [{ message: error.message, hint: error.hint }];
  }
}

/** The Redis server that processes share; `undefined` if its address is not known or invalid. */
function sharedServer(config: Config): RedisAddress | undefined {
  try {
    return resolveRedis(config, process.env, {})?.address;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return undefined;
  }
}

/** Checks the address of the Redis server that processes share. */
function redisProblems(config: Config): ConfigProblem[] {
  const server = sharedRedis(config.value);
  if (server === undefined || hasUnresolved({ server })) return [];
  const env = { ...process.env, [REDIS_VARIABLE]: undefined };
  return problemOf(config.locate(server.path), () => resolveRedis(config, env, {}));
}

/** Warns about references in the URLs of Redis servers that cannot be expanded. */
function redisWarnings({ value, locate }: Config): string[] {
  return configuredRedis(value).flatMap(({ url, path }) => [
    ...variablesIn(url).filter((name) => process.env[name] === undefined)
      .map((name) => `${locate(path)}: the environment variable ${name} is not set`),
    ...keysIn(url).filter((name) => findKey(process.env, name) === undefined)
      .map((name) => `${locate(path)}: no key named "${name}" is stored: flexllm keys set ${name}`),
  ]);
}

/** Whether an entry refers to an unset variable, which is reported as a warning, or to a stored key. */
function hasUnresolved(entry: object): boolean {
  const text = JSON.stringify(entry);
  return keysIn(text).length > 0 ||
    variablesIn(text).some((name) => process.env[name] === undefined);
}

/** The configuration with a stand-in for each key that is not in the file: a check opens no keychain. */
function withStandIns(config: Config): Config {
  const standIn = <T extends { api_key?: string }>(entry: T): T =>
    entry.api_key && !entry.api_key.includes("${") ? entry : { ...entry, api_key: "key" };
  const { models, batch } = config.value;
  const value = {
    ...config.value,
    models: models?.map(standIn),
    batch: batch && { ...batch, endpoints: batch.endpoints?.map(standIn) },
  };
  return { ...config, value };
}

/** Calls `use` and returns the error it throws as a problem at `place`. */
function problemOf(place: string, use: () => void): ConfigProblem[] {
  try {
    use();
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const hasPosition = error.message.startsWith(place.replace(/:\d+:\d+$/, ":"));
    return [{
      message: hasPosition ? error.message : `${place}: ${error.message}`,
      hint: error.hint,
    }];
  }
}

/**
 * Finds what `ask`, `batch` and `serve` would reject in a file that is valid in itself: creates the clients of all
 * models, endpoints and batch settings as they do, without sending anything.
 */
function useProblems(original: Config): ConfigProblem[] {
  const { env } = process;
  const config = withStandIns(original);
  const { models, batch } = config.value;
  const problems: ConfigProblem[] = [];
  for (const [i, entry] of (models ?? []).entries()) {
    if (hasUnresolved(entry)) continue;
    const use = () => new LLMClient(resolveModel(config, env, { model: nameOf(entry) }));
    problems.push(...problemOf(config.locate(["models", i]), use));
  }
  for (const [i, entry] of (batch?.endpoints ?? []).entries()) {
    if (hasUnresolved(entry)) continue;
    const use = () => new LLMClient(resolveEndpoint(config, env, i));
    problems.push(...problemOf(config.locate(["batch", "endpoints", i]), use));
  }
  for (const [name, entry] of Object.entries(config.value.serve?.routes ?? {})) {
    const place = config.locate(["serve", "routes", name]);
    problems.push(...problemOf(place, () => resolveRoute(config, name, entry)));
  }
  const settings = {
    concurrencyLimit: batch?.concurrency ?? undefined,
    maxQps: batch?.max_qps ?? undefined,
    maxTpm: batch?.max_tpm ?? undefined,
    maxWait: batch?.max_wait ?? undefined,
    timeout: batch?.timeout ?? undefined,
    retryTimes: batch?.retry_times ?? undefined,
    retryDelay: batch?.retry_delay ?? undefined,
  };
  const use = () => new LLMClient({ provider: "mock", model: "mock", ...settings });
  problems.push(...problemOf(config.locate(["batch"]), use));
  return problems;
}

/** Checks a file. */
export function checkConfig(file: string): ConfigCheck {
  const text = readConfigText(file);
  try {
    const inspection = inspectConfig(file, text);
    const servers = inspectServers(inspection, process.env);
    const permission = permissionWarning(file, inspection.value);
    const { env } = process;
    const foreign = unapprovedIn(file, text, inspection.readable, env, process.cwd());
    const found = [...inspection.problems, ...servers.problems];
    // Only without other problems, which would be reported twice.
    const { value, locate } = inspection;
    const config: Config = { file, value, warnings: [], unapproved: [], locate };
    const problems = [
      ...found,
      ...found.length === 0 ? useProblems(config) : [],
      ...redisProblems(config),
      ...cacheProblems(config),
    ];
    const messages = problems.map(({ message, hint }) => hint ? `${message}. ${hint}` : message);
    return {
      problems: messages.toSorted(byPosition(file)),
      warnings: [
        ...inspection.warnings,
        ...servers.warnings,
        ...redisWarnings(config),
        ...permission === undefined ? [] : [permission],
        ...foreign.map((each) =>
          `${inspection.locate(each.path)}: ${describeForeign(each)}; ` +
          "to allow it, run `flexllm config trust`"
        ),
      ].toSorted(byPosition(file)),
    };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return { problems: error.message.split("\n"), warnings: [] };
  }
}
