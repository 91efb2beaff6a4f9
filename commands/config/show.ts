/**
 * Formats the effective settings for `flexllm config show`, as a table or as JSON.
 *
 * @module
 */
import process from "node:process";
import type { Config } from "../../lib/config/load.ts";
import { redactConfig } from "../../lib/config/redact_config.ts";
import { describeForeign } from "../../lib/config/trust.ts";
import { table } from "../terminal/table.ts";
import { effectiveSettings } from "./settings.ts";

/** How the file was chosen. */
function originOf(config: Config, named: string | undefined): string {
  if (config.file === undefined) return "no file";
  if (named !== undefined) return "--config";
  return process.env.FLEXLLM_CONFIG ? "FLEXLLM_CONFIG" : "found";
}

/** Lists the variables that are not sent until the user trusts the file. */
function unapprovedLines({ unapproved, locate }: Config): string[] {
  if (unapproved.length === 0) return [];
  return [
    "",
    "This file was found in the current directory. Its models cannot be used until you allow this:",
    ...unapproved.map((each) => `  ${locate(each.path)}: ${describeForeign(each)}`),
    "To allow it, run `flexllm config trust`.",
  ];
}

/**
 * Formats the settings as lines of text.
 *
 * @param named the value of `--config`
 */
export function showLines(config: Config, named: string | undefined): string[] {
  const { file } = config;
  const origin = originOf(config, named);
  const shortSource = (source: string) =>
    file === undefined ? source : source.replace(file, "file").replace(/^file:/, "line ");
  const rows = effectiveSettings(config)
    .map(({ name, value, source }) => [name, String(value), shortSource(source)]);
  const modelCount = (config.value.models ?? []).length;
  return [
    file === undefined
      ? "No configuration file; run `flexllm init` to create one."
      : `Configuration: ${file}${origin === "found" ? "" : ` (${origin})`}`,
    "",
    ...table(["setting", "value", "source"].map((title) => ({ title })), rows),
    ...modelCount > 1 ? ["", `${modelCount} models are configured; see \`flexllm list\`.`] : [],
    ...unapprovedLines(config),
  ];
}

/**
 * Returns the settings and the redacted content of the file, for `--json`.
 *
 * @param named the value of `--config`
 */
export function showJson(config: Config, named: string | undefined) {
  const settings = Object.fromEntries(
    effectiveSettings(config).map(({ name, value, source }) => [name, { value, source }]),
  );
  return {
    file: config.file ?? null,
    origin: originOf(config, named),
    settings,
    unapproved: config.unapproved.map(({ variable, host, path }) => ({
      variable,
      host,
      source: config.locate(path),
    })),
    content: redactConfig(config.value),
  };
}
