/**
 * Fills in the prompt templates of a configuration.
 *
 * @module
 */
import { ConfigurationError } from "../errors.ts";
import type { Config } from "./load.ts";

/** A template with its placeholders filled in. */
export interface FilledTemplate {
  prompt: string;
  system: string | undefined;
}

const PLACEHOLDER = /\{\{\s*([\w.-]+)\s*\}\}/g;

function unknownTemplate(config: Config, name: string): ConfigurationError {
  const names = Object.keys(config.value.templates ?? {});
  return new ConfigurationError(`there is no template named "${name}"`, {
    hint: names.length > 0
      ? `Configured templates: ${names.join(", ")}.`
      : `Add it to ${config.file ?? "~/.flexllm/config.yaml"} as templates: {${name}: "…"}.`,
  });
}

/**
 * Fills in the template `name`: `{{input}}` with `input`, every other `{{name}}` with its value. If the
 * template has no `{{input}}`, the input is appended.
 *
 * @throws {ConfigurationError} if the template does not exist, or a value is missing or unused
 */
export function fillTemplate(
  config: Config,
  name: string,
  input: string,
  values: ReadonlyMap<string, string>,
): FilledTemplate {
  const templates = config.value.templates ?? {};
  if (!Object.hasOwn(templates, name)) throw unknownTemplate(config, name);
  const template = templates[name];
  const { prompt, system } = typeof template === "string"
    ? { prompt: template, system: undefined }
    : template;
  const used = new Set<string>();
  const fill = (text: string) =>
    text.replace(PLACEHOLDER, (_, placeholder: string) => {
      used.add(placeholder);
      const value = placeholder === "input" ? input : values.get(placeholder);
      if (value !== undefined && value !== "") return value;
      throw new ConfigurationError(`the template "${name}" needs a value for {{${placeholder}}}`, {
        hint: placeholder === "input"
          ? "Pass it as the prompt, or pipe it in."
          : `Set it with --var ${placeholder}=…`,
      });
    });
  const filled = { prompt: fill(prompt), system: system && fill(system) };
  const unused = [...values.keys()].find((value) => !used.has(value));
  if (unused !== undefined) {
    throw new ConfigurationError(`the template "${name}" has no placeholder {{${unused}}}`, {
      hint: "Remove that --var, or add the placeholder to the template.",
    });
  }
  if (used.has("input") || input === "") return filled;
  return { ...filled, prompt: `${filled.prompt}\n\n${input}` };
}
