/**
 * Checks the base URLs and variable references of configured servers, which matter only once a server is used.
 *
 * @module
 */
import { ConfigurationError } from "../errors.ts";
import type { Environment } from "../files/paths.ts";
import { findKey } from "../keys/key_store.ts";
import { normalizeBaseUrl } from "../services/base_url.ts";
import type { ConfigProblem, Inspection } from "./inspect.ts";
import { keyState } from "./key_state.ts";
import { isReference, keysIn, variablesIn } from "./references.ts";
import { type ConfiguredServer, configuredServers, referenceFields } from "./servers.ts";

/** The problem with a base URL, which is checked only if it contains no reference. */
function baseUrlProblem(baseUrl: string | undefined, place: () => string): ConfigProblem[] {
  if (baseUrl === undefined || baseUrl.includes("${")) return [];
  try {
    normalizeBaseUrl(baseUrl);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return [{ message: `${place()}: ${error.message}`, hint: error.hint }];
  }
}

/** Whether `names` is the key of an entry, whose variable and stored key replace each other. */
function isReplaced(
  entry: ConfiguredServer["entry"],
  names: readonly string[],
  env: Environment,
): boolean {
  return names[0] === "api_key" && isReference(entry.api_key) &&
    keyState(entry, env).state === "set";
}

/** Reports invalid base URLs as problems and unset variables as warnings. */
export function inspectServers(
  { readable, locate }: Pick<Inspection, "readable" | "locate">,
  env: Environment,
): Pick<Inspection, "problems" | "warnings"> {
  const problems: ConfigProblem[] = [];
  const warnings: string[] = [];
  for (const { entry, path } of configuredServers(readable)) {
    for (const [names, text] of referenceFields(entry)) {
      for (const name of variablesIn(text)) {
        if (env[name] !== undefined || isReplaced(entry, names, env)) continue;
        const place = locate([...path, ...names]);
        warnings.push(`${place}: the environment variable ${name} is not set`);
      }
      for (const name of keysIn(text)) {
        if (findKey(env, name) !== undefined || isReplaced(entry, names, env)) continue;
        const place = locate([...path, ...names]);
        warnings.push(`${place}: no key named "${name}" is stored: flexllm keys set ${name}`);
      }
    }
    problems.push(...baseUrlProblem(entry.base_url, () => locate([...path, "base_url"])));
  }
  return { problems, warnings };
}
