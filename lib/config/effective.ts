/**
 * Determines the effective model, server and key, and where each value comes from.
 *
 * @module
 */
import type { Config } from "./load.ts";
import type { Environment } from "../files/paths.ts";
import { nameOf } from "./models.ts";

/** A value and its source: `file:line:column`, or the name of a variable. */
export interface Sourced<T> {
  value: T;
  source: string;
}

/** The first of the variables that is set and not empty. */
export function fromEnvironment(
  env: Environment,
  ...names: string[]
): Sourced<string> | undefined {
  for (const source of names) {
    const value = env[source];
    if (value) return { value, source };
  }
  return undefined;
}

/** The settings that environment variables override. */
export interface Overrides {
  model: Sourced<string> | undefined;
  baseUrl: Sourced<string> | undefined;
  apiKey: Sourced<string> | undefined;
}

/** Reads the overrides from the environment; `FLEXLLM_` variables precede `OPENAI_` ones. */
export function overrides(env: Environment): Overrides {
  return {
    model: fromEnvironment(env, "FLEXLLM_MODEL", "OPENAI_MODEL"),
    baseUrl: fromEnvironment(env, "FLEXLLM_BASE_URL", "OPENAI_BASE_URL"),
    apiKey: fromEnvironment(env, "FLEXLLM_API_KEY", "OPENAI_API_KEY"),
  };
}

/** The name of the default model, or `undefined` if there is none. */
export function defaultModel(config: Config, env: Environment): Sourced<string> | undefined {
  const { model } = overrides(env);
  if (model !== undefined) return model;
  const { default: named, models } = config.value;
  if (named) return { value: named, source: config.locate(["default"]) };
  const [first] = models ?? [];
  if (first === undefined) return undefined;
  return { value: nameOf(first), source: `${config.locate(["models", 0])}, the first` };
}
