/**
 * The prompts that a configuration file keeps under names.
 *
 * @module
 */
import { ConfigurationError } from "../errors.ts";
import type { Config } from "./load.ts";

/** A prompt that has been filled in. */
export interface FilledTemplate {
  prompt: string;
  system: string | undefined;
}

const PLACEHOLDER = /\{\{\s*([\w.-]+)\s*\}\}/g;

function unknownTemplate(config: Config, name: string): ConfigurationError {
  const names = Object.keys(config.value.templates ?? {});
  return new ConfigurationError(`there is no template "${name}"`, {
    hint: names.length > 0
      ? `Known are ${names.join(", ")}.`
      : `List it in ${config.file ?? "~/.flexllm/config.yaml"}, as templates: {${name}: "…"}.`,
  });
}

/**
 * Fills in the template `name`: `{{input}}` with `input`, every other `{{name}}` with its value. Input
 * that the template has no place for goes after it.
 *
 * @throws {ConfigurationError} when there is no such template, a value is missing, or one is not used
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
          ? "Give it as the question, or pipe it in."
          : `Give it with --var ${placeholder}=…`,
      });
    });
  const filled = { prompt: fill(prompt), system: system && fill(system) };
  const unused = [...values.keys()].find((value) => !used.has(value));
  if (unused !== undefined) {
    throw new ConfigurationError(`the template "${name}" has no place {{${unused}}}`, {
      hint: "Leave out that --var, or give the template the place.",
    });
  }
  if (used.has("input") || input === "") return filled;
  return { ...filled, prompt: `${filled.prompt}\n\n${input}` };
}
