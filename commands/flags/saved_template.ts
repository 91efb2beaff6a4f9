/**
 * Defines `--as` and `--var`, and applies a saved template to the flags of a command.
 *
 * @module
 */
import { Option } from "@commander-js/extra-typings";
import type { Sampling } from "../../lib/chat/sampling_fields.ts";
import { withExtraBody } from "../../lib/chat/extra_body.ts";
import type { Config } from "../../lib/config/load.ts";
import type { SavedTemplate } from "../../lib/config/templates.ts";
import { ConfigurationError } from "../../lib/errors.ts";
import type { Json } from "../../lib/json/json.ts";
import { HELP_GROUPS } from "./help_groups.ts";
import { collect } from "./parse.ts";
import { samplingOf } from "./sampling.ts";

/** `--as` and `--var`, for every command that sends prompts. */
export const templateFlags = {
  as: new Option("--as <name>", "use a saved prompt or role; see 'flexllm template'")
    .helpGroup(HELP_GROUPS.prompt),
  var: new Option("--var <name=value>", "with --as: set a {{name}} of the template (repeatable)")
    .helpGroup(HELP_GROUPS.prompt).argParser(collect),
} as const;

/** The parsed flags. */
export interface TemplateFlags {
  as?: string;
  var?: string[];
}

/** A template and the values of its placeholders. */
export interface ChosenTemplate {
  template: SavedTemplate;
  values: ReadonlyMap<string, string>;
}

function parseVariables(pairs: readonly string[]): Map<string, string> {
  return new Map(pairs.map((pair) => {
    const [, name, value] = /^([\p{L}\p{N}_.-]+)=([^]*)$/u.exec(pair) ?? [];
    if (name !== undefined) return [name, value];
    throw new ConfigurationError(`--var: expected name=value, got ${JSON.stringify(pair)}`, {
      hint: "For example --var language=French.",
    });
  }));
}

/**
 * The template that the flags name; `undefined` without `--as`.
 *
 * @throws {ConfigurationError} if it does not exist, or `--var` does not fit it
 */
export async function chosenTemplate(
  flags: TemplateFlags,
  config: () => Config,
): Promise<ChosenTemplate | undefined> {
  const values = parseVariables(flags.var ?? []);
  if (flags.as === undefined) {
    if (values.size === 0) return undefined;
    throw new ConfigurationError("--var requires --as", {
      hint: "Add --as NAME, or remove --var.",
    });
  }
  const { findTemplate } = await import("../../lib/config/templates.ts");
  const template = findTemplate(config(), flags.as);
  template.requireKnown([...values.keys()]);
  return { template, values };
}

/** The flags that a template can set. */
interface SettingFlags extends Sampling {
  model?: string | string[];
  schema?: string;
  extraBody?: Json;
}

/**
 * The flags with the settings of the template. Given flags take precedence.
 *
 * @param toModel converts the template's model to the value of `-m`
 */
export function withTemplate<F extends SettingFlags>(
  flags: F,
  chosen: ChosenTemplate | undefined,
  toModel: (name: string) => F["model"] = (name) => name,
): F & { schema?: string } {
  if (chosen === undefined) return flags;
  const { model, schema, sampling, extraBody } = chosen.template;
  return {
    ...flags,
    model: flags.model ?? (model === undefined ? undefined : toModel(model)),
    schema: flags.schema ?? schema,
    ...sampling,
    ...samplingOf(flags),
    extraBody: withExtraBody(extraBody, flags.extraBody),
  };
}
