/**
 * Writes a model to a new or existing configuration file for `flexllm init`.
 *
 * @module
 */
import { addModel, setDefault } from "../../lib/config/edit.ts";
import { inspectConfig } from "../../lib/config/inspect.ts";
import { readConfigText } from "../../lib/config/load.ts";
import { isReference } from "../../lib/config/references.ts";
import type { ModelEntry } from "../../lib/config/schema.ts";
import { configTemplate } from "../../lib/config/initial_config.ts";
import { ConfigurationError } from "../../lib/errors.ts";
import { writeUserFile } from "../../lib/files/replace_file.ts";
import type { ProviderName } from "../../lib/services/providers.ts";

/** The flags that describe the model to set up. */
export interface InitFlags {
  provider?: ProviderName;
  baseUrl?: string;
  apiKeyEnv?: string;
  model?: string;
}

/**
 * Reads the models and the default of a configuration file.
 *
 * @throws {ConfigurationError} if the file has problems
 */
export function modelsOf(file: string): { models: ModelEntry[]; default: string | undefined } {
  const { value, problems } = inspectConfig(file, readConfigText(file));
  if (problems.length > 0) {
    throw new ConfigurationError(problems.map(({ message }) => message).join("\n"), {
      hint: "Fix the file first: flexllm config edit",
    });
  }
  return { models: value.models ?? [], default: value.default ?? undefined };
}

/** Whether the entry contains a literal key. */
function hasLiteralKey({ api_key = "" }: ModelEntry): boolean {
  return api_key !== "" && !isReference(api_key);
}

/** Writes a new file with `entry`, by default with the template's example. */
export function writeNewFile(file: string, entry: ModelEntry | undefined): void {
  const isJson = /\.jsonc?$/i.test(file);
  const text = isJson
    ? addModel(
      file,
      setDefault(file, "", entry?.name ?? "mock"),
      entry ?? { id: "mock", provider: "mock" },
    )
    : configTemplate(entry);
  writeUserFile(file, text, true);
}

/** Adds `entry` to an existing file. */
export function addToFile(file: string, entry: ModelEntry, asDefault: boolean): void {
  const added = addModel(file, readConfigText(file), entry);
  const text = asDefault ? setDefault(file, added, entry.name ?? entry.id) : added;
  writeUserFile(file, text, hasLiteralKey(entry));
}
