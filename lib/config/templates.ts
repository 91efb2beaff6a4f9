/**
 * Looks up the saved templates of a configuration and fills in their prompts.
 *
 * @module
 */
import { dirname, resolve } from "node:path";
import { type Sampling, samplingFromFields } from "../chat/sampling_fields.ts";
import { ConfigurationError } from "../errors.ts";
import { fillPlaceholders, INPUT, type Lookup, placeholdersOf } from "../input/prompt_template.ts";
import { schemaPath } from "../input/schema_file.ts";
import type { Json } from "../json/json.ts";
import type { Config } from "./load.ts";
import type { TemplateFields } from "./schema.ts";
import { similarName } from "../similar_name.ts";

/** A prompt with its placeholders filled in. A role has no prompt of its own. */
export interface FilledTemplate {
  prompt: string;
  system: string | undefined;
}

/** The template names of a configuration, in its order. */
export function templateNames({ value }: Config): string[] {
  return Object.keys(value.templates ?? {});
}

/** The fields of a template, which can also be written as just its prompt. */
export function templateFields(entry: string | TemplateFields): TemplateFields {
  return typeof entry === "string" ? { prompt: entry } : entry;
}

/** The error for a template that does not exist. */
export function unknownTemplate(config: Config, name: string): ConfigurationError {
  const names = templateNames(config);
  const guess = similarName(name, names);
  const saving = `flexllm template save ${/^[\w.-]+$/.test(name) ? name : "NAME"} --prompt "…"`;
  return new ConfigurationError(`there is no template named "${name}"`, {
    hint: guess !== undefined
      ? `Did you mean ${guess}?`
      : names.length > 0
      ? `Configured templates: ${names.join(", ")}.`
      : `Save one first: ${saving}`,
  });
}

/** A saved prompt or role. */
export class SavedTemplate {
  readonly prompt: string | undefined;
  readonly system: string | undefined;
  readonly model: string | undefined;
  readonly sampling: Sampling;
  readonly extraBody: Json | undefined;
  /** A value of `--schema`; the path of a file is absolute. */
  readonly schema: string | undefined;
  /** The placeholders of the prompt and the system prompt, each with its default. */
  readonly placeholders: ReadonlyMap<string, string | undefined>;

  /** @param folder the folder that a schema file is relative to */
  constructor(readonly name: string, fields: TemplateFields, folder: string) {
    this.prompt = fields.prompt;
    this.system = fields.system;
    this.model = fields.model;
    this.sampling = samplingFromFields(fields.options ?? {});
    this.extraBody = fields.extra_body;
    this.schema = schemaText(fields.schema, name, folder);
    this.placeholders = placeholdersOf(this.prompt, this.system);
  }

  /** Whether the prompt has a place for the input; otherwise the input follows it. */
  get usesInput(): boolean {
    return placeholdersOf(this.prompt).has(INPUT);
  }

  /**
   * Fills in the prompts: `{{input}}` with `input`, every other placeholder with its value or default. If
   * the prompt has no `{{input}}`, the input is appended.
   *
   * @throws {ConfigurationError} naming all values that are missing or unused
   */
  fill(input: string, values: ReadonlyMap<string, string>): FilledTemplate {
    this.requireKnown([...values.keys()]);
    const valueOf: Lookup = (name) => {
      const given = name === INPUT ? input || undefined : values.get(name);
      return given ?? this.placeholders.get(name);
    };
    const missing = [...this.placeholders.keys()].filter((name) => valueOf(name) === undefined);
    if (missing.length > 0) throw this.#missing(missing);
    const fill = (text: string) => fillPlaceholders(text, valueOf);
    const system = this.system && fill(this.system);
    if (this.prompt === undefined) return { prompt: input, system };
    const prompt = fill(this.prompt);
    return { prompt: this.usesInput || input === "" ? prompt : `${prompt}\n\n${input}`, system };
  }

  /**
   * Checks the names of `--var`.
   *
   * @throws {ConfigurationError} if the template has no such placeholder
   */
  requireKnown(names: readonly string[]): void {
    const unused = names.filter((name) => !this.placeholders.has(name) || name === INPUT);
    if (unused.length === 0) return;
    if (unused.includes(INPUT)) {
      throw new ConfigurationError(`--var cannot set {{${INPUT}}}`, {
        hint: "Pass it as the prompt, or pipe it in.",
      });
    }
    const others = [...this.placeholders.keys()].filter((name) => name !== INPUT);
    throw new ConfigurationError(
      `the template "${this.name}" has no placeholder ${unused.map(braced).join(" or ")}`,
      {
        hint: others.length > 0
          ? `Its placeholders: ${others.map(braced).join(", ")}.`
          : "Remove that --var, or add the placeholder to the template.",
      },
    );
  }

  #missing(names: readonly string[]): ConfigurationError {
    const values = names.length === 1 ? "a value" : "values";
    const flags = names.filter((name) => name !== INPUT).map((name) => `--var ${name}=…`);
    const hints = names.includes(INPUT) ? ["Pass it as the prompt, or pipe it in."] : [];
    if (flags.length > 0) hints.push(`Add ${flags.join(" ")}`);
    return new ConfigurationError(
      `the template "${this.name}" needs ${values} for ${names.map(braced).join(" and ")}`,
      { hint: hints.join("\n") },
    );
  }
}

function braced(name: string): string {
  return `{{${name}}}`;
}

/** A configured schema as a value of `--schema`. Relative paths are those of the configuration file. */
function schemaText(
  schema: TemplateFields["schema"],
  name: string,
  folder: string,
): string | undefined {
  if (typeof schema !== "object") {
    const path = schemaPath(schema?.trim() ?? "");
    return path === undefined ? schema : `@${resolve(folder, path)}`;
  }
  const isEnveloped = typeof schema.name === "string" && typeof schema.schema === "object";
  const safeName = name.replace(/[^A-Za-z0-9_-]+/g, "_").slice(0, 64);
  const envelope = { name: safeName, schema };
  return JSON.stringify(isEnveloped || typeof schema.title === "string" ? schema : envelope);
}

/**
 * Finds the template `name`.
 *
 * @throws {ConfigurationError} if it does not exist
 */
export function findTemplate(config: Config, name: string): SavedTemplate {
  const templates = config.value.templates ?? {};
  if (!Object.hasOwn(templates, name)) throw unknownTemplate(config, name);
  return new SavedTemplate(
    name,
    templateFields(templates[name]),
    dirname(resolve(config.file ?? ".")),
  );
}
