/**
 * What `flexllm config check` finds: the mistakes in a file, and what other commands would refuse.
 *
 * @module
 */
import process from "node:process";
import { locateStore } from "../../lib/cache/open_store.ts";
import { LLMClient } from "../../lib/client/client.ts";
import { inspectConfig, inspectServers, type Problem } from "../../lib/config/inspect.ts";
import {
  type Config,
  permissionWarning,
  readConfigText,
  unapprovedIn,
} from "../../lib/config/load.ts";
import { resolveEndpoint } from "../../lib/config/resolve_endpoints.ts";
import { resolveModel } from "../../lib/config/resolve_model.ts";
import type { ConfigValue } from "../../lib/config/schema.ts";
import { describeForeign } from "../../lib/config/trust.ts";
import { ConfigurationError } from "../../lib/errors.ts";

/** What is wrong with a configuration file. */
export interface Mistakes {
  /** Errors that keep commands from using it. */
  problems: string[];
  /** Warnings for the user. */
  warnings: string[];
}

/** Why the configured cache cannot be used on this runtime and in this environment. */
function cacheProblems({ cache }: ConfigValue): Problem[] {
  if (typeof cache !== "object" || cache === null) return [];
  try {
    locateStore(cache, process.env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return [{ message: error.message, hint: error.hint }];
  }
}

/** Whether an entry refers to a variable that is not set, which is only a warning. */
function hasUnsetReference(entry: unknown): boolean {
  const references = JSON.stringify(entry).matchAll(/\$\{(\w+)\}/g);
  return [...references].some(([, name]) => process.env[name] === undefined);
}

/** The error that `use` of the entry at `place` would throw, if any. */
function problemOf(place: string, use: () => void): Problem[] {
  try {
    use();
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const isPlaced = error.message.startsWith(place.replace(/:\d+:\d+$/, ":"));
    return [{ message: isPlaced ? error.message : `${place}: ${error.message}`, hint: error.hint }];
  }
}

/**
 * What `ask` and `batch` would refuse in a valid file: resolves every model, every endpoint and the batch
 * settings as they do, without sending anything.
 */
function useProblems(config: Config): Problem[] {
  const { env } = process;
  const { models, batch } = config.value;
  const problems: Problem[] = [];
  for (const [i, entry] of (models ?? []).entries()) {
    if (hasUnsetReference(entry)) continue;
    const use = () => new LLMClient(resolveModel(config, env, { model: entry.name ?? entry.id }));
    problems.push(...problemOf(config.locate(["models", i]), use));
  }
  for (const [i, entry] of (batch?.endpoints ?? []).entries()) {
    if (hasUnsetReference(entry)) continue;
    const use = () => new LLMClient(resolveEndpoint(config, env, i));
    problems.push(...problemOf(config.locate(["batch", "endpoints", i]), use));
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

/** All mistakes in a file. */
export function mistakesIn(file: string): Mistakes {
  const text = readConfigText(file);
  try {
    const inspection = inspectConfig(file, text);
    const servers = inspectServers(inspection, process.env);
    const permission = permissionWarning(file, inspection.value);
    const { env } = process;
    const foreign = unapprovedIn(file, text, inspection.readable, env, process.cwd());
    const found = [...inspection.problems, ...servers.problems];
    // Only if the file has no other mistakes: they would be reported twice.
    const { value, locate } = inspection;
    const config: Config = { file, value, warnings: [], unapproved: [], locate };
    const problems = [
      ...found,
      ...found.length === 0 ? useProblems(config) : [],
      ...cacheProblems(inspection.value),
    ];
    return {
      problems: problems.map(({ message, hint }) => hint ? `${message}. ${hint}` : message),
      warnings: [
        ...inspection.warnings,
        ...servers.warnings,
        ...permission === undefined ? [] : [permission],
        ...foreign.map((each) =>
          `${inspection.locate(each.path)}: ${describeForeign(each)}: allow it with ` +
          "`flexllm config trust`"
        ),
      ],
    };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return { problems: error.message.split("\n"), warnings: [] };
  }
}
