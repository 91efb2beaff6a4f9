/**
 * Looks up configured models by the name that `-m` uses.
 *
 * @module
 */
import type { ConfigValue, ModelEntry } from "./schema.ts";

/** An entry of `models` and its index there. */
export type FoundModel = readonly [entry: ModelEntry, index: number];

/** The name of a configured model: its `name`, otherwise its `id`. */
export function nameOf({ id, name = id }: ModelEntry): string {
  return name;
}

/** The names of all configured models, in the order of the file. */
export function modelNames({ models }: ConfigValue): string[] {
  return (models ?? []).map(nameOf);
}

/** The names that can be selected: those of the configured models, and the built-in mock. */
export function selectableModels(value: ConfigValue): string[] {
  return [...new Set([...modelNames(value), "mock"])];
}

/** Finds a configured model by name, then by id. */
export function findModel(value: ConfigValue, name: string | undefined): FoundModel | undefined {
  const models = value.models ?? [];
  let i = models.findIndex((entry) => nameOf(entry) === name);
  if (i < 0) i = models.findIndex(({ id }) => id === name);
  return i < 0 ? undefined : [models[i], i];
}

/** The id of the configured model called `name`, or `name` itself if none is configured. */
export function modelId(value: ConfigValue, name: string): string {
  return findModel(value, name)?.[0].id ?? name;
}
