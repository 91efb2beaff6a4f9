/**
 * Lists the servers in a configuration: its models and its batch endpoints.
 *
 * @module
 */
import type { Path } from "../files/document.ts";
import type { ConfigValue, EndpointEntry, ModelEntry } from "./schema.ts";

/** A model or batch endpoint and its path in the file. */
export interface ConfiguredServer {
  entry: ModelEntry | EndpointEntry;
  path: Path;
}

/** All models, then all batch endpoints. */
export function configuredServers({ models, batch }: ConfigValue): ConfiguredServer[] {
  return [
    ...(models ?? []).map((entry, i) => ({ entry, path: ["models", i] })),
    ...(batch?.endpoints ?? []).map((entry, i) => ({ entry, path: ["batch", "endpoints", i] })),
  ];
}

/** A field that may contain `${NAME}` references: its path within the entry, and its text. */
export type ReferenceField = readonly [path: readonly string[], text: string];

/** The fields of an entry that may contain `${NAME}` references. */
export function referenceFields(
  { base_url, api_key, headers = {} }: ConfiguredServer["entry"],
): ReferenceField[] {
  return [
    ...base_url === undefined ? [] : [[["base_url"], base_url] as const],
    ...api_key === undefined ? [] : [[["api_key"], api_key] as const],
    ...Object.entries(headers).map(([name, text]) => [["headers", name], text] as const),
  ];
}
