/**
 * From flags to a client: what `ask` and `batch` begin with.
 *
 * @module
 */
import process from "node:process";
import { LLMClient } from "../lib/client/client.ts";
import type { ClientOptions } from "../lib/client/client_options.ts";
import { type Config, loadConfig } from "../lib/config/load.ts";
import { type ModelFlags, resolveModel } from "../lib/config/resolve_model.ts";
import { maskKey, shownUrl } from "../lib/redact.ts";
import { colored, writeNote } from "./terminal.ts";

/** Reads the configuration and passes on its warnings. */
export function readConfig(file: string | undefined): Config {
  const config = loadConfig(process.env, process.cwd(), file);
  for (const warning of config.warnings) writeNote(`${colored("yellow", "warning:")} ${warning}`);
  return config;
}

/** Makes the client of the model that flags, environment and configuration mean. */
export function connectModel(
  config: Config,
  flags: ModelFlags & { verbose?: true },
  settings: Omit<ClientOptions, "model">,
): { client: LLMClient; model: string } {
  const model = resolveModel(config, process.env, flags);
  if (flags.verbose) {
    const server = model.baseUrl ? shownUrl(model.baseUrl) : `provider ${model.provider}`;
    const key = model.apiKey === undefined ? "no key" : `key ${maskKey(model.apiKey)}`;
    writeNote(colored("dim", `configuration: ${config.file ?? "none"}`));
    writeNote(colored("dim", `model: ${model.model} at ${server}, ${key}`));
  }
  return { client: new LLMClient({ ...model, ...settings }), model: model.model };
}
