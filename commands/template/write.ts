/**
 * Writes templates to the configuration file.
 *
 * @module
 */
import { join } from "node:path";
import process from "node:process";
import {
  type NewTemplate,
  removeTemplate,
  setTemplate,
  type TemplateEntry,
} from "../../lib/config/edit_templates.ts";
import { inspectConfig } from "../../lib/config/inspect.ts";
import { type Config, readConfigText } from "../../lib/config/load.ts";
import { templateFields } from "../../lib/config/templates.ts";
import { approve, isApproved, isFoundIn } from "../../lib/config/trust.ts";
import { ConfigurationError } from "../../lib/errors.ts";
import { homeFolder } from "../../lib/files/paths.ts";
import { writeUserFile } from "../../lib/files/replace_file.ts";
import { INPUT, placeholdersOf } from "../../lib/input/prompt_template.ts";
import { readConfig } from "../read_config.ts";
import { quoted } from "../terminal/format.ts";
import { colored, writeNote } from "../terminal/output.ts";
import { printable } from "../terminal/sanitize.ts";

/**
 * Checks the name of a new template.
 *
 * @throws {ConfigurationError} if it would be hard to type
 */
export function requireName(name: string): void {
  if (/^[\p{L}\p{N}_][\p{L}\p{N}_.-]*$/u.test(name)) return;
  throw new ConfigurationError(`not a name for a template: ${JSON.stringify(name)}`, {
    hint: "Use letters, digits, hyphens, underscores and dots, such as translate or code-review.",
  });
}

/**
 * Checks the text of the changed file.
 *
 * @throws {ConfigurationError} if the template has mistakes
 */
function requireValid(file: string, text: string): void {
  const { problems } = inspectConfig(file, text);
  if (problems.length === 0) return;
  // The positions are those of a file that has not been written.
  const messages = problems.map(({ message }) => message.replace(/^.*?:\d+:\d+: /, ""));
  throw new ConfigurationError(messages.join("\n"), {
    hint: problems.find(({ hint }) => hint !== undefined)?.hint,
  });
}

/** Writes the file. An approval of its other content stays valid, because the user made the change. */
function writeConfig(file: string, before: string, after: string): void {
  // FLEXLLM_TRUST is an approval for one command.
  const env = { ...process.env, FLEXLLM_TRUST: undefined };
  const wasApproved = before !== "" && isFoundIn(process.cwd(), file, env) &&
    isApproved(env, file, before);
  writeUserFile(file, after, false);
  if (wasApproved) approve(env, file, after);
}

async function mayReplace(name: string, force: boolean | undefined): Promise<boolean> {
  if (force) return true;
  const { canPrompt, promptYesNo } = await import("../terminal/prompts.ts");
  if (!canPrompt()) {
    throw new ConfigurationError(`the template "${name}" already exists`, {
      hint: "Replace it with --force, or choose another name.",
    });
  }
  return await promptYesNo(`Replace the template ${name}?`, false);
}

/**
 * Adds or replaces a template. If a template of the name exists, asks the user unless `force` is set.
 *
 * @throws {ConfigurationError} if the template is invalid, the file cannot be written, or there is no
 *   terminal to ask
 */
export async function writeTemplate(
  name: string,
  template: NewTemplate,
  flags: { config?: string; force?: boolean },
): Promise<{ file: string; replaced: boolean }> {
  const config = readConfig(flags.config);
  const file = config.file ?? join(homeFolder(process.env), "config.yaml");
  const before = config.file === undefined ? "" : readConfigText(file);
  const replaced = Object.hasOwn(config.value.templates ?? {}, name);
  if (replaced && !await mayReplace(name, flags.force)) {
    const { AbortedError } = await import("../../lib/errors.ts");
    throw new AbortedError("cancelled; nothing was changed");
  }
  const after = setTemplate(file, before, name, template);
  requireValid(file, after);
  if (after !== before) writeConfig(file, before, after);
  return { file, replaced };
}

/** Removes a template, which must exist. */
export function deleteTemplate(config: Config, name: string): void {
  const before = readConfigText(config.file!);
  writeConfig(config.file!, before, removeTemplate(config.file!, before, name));
}

/** The command that uses a template. */
export function useOf(name: string, entry: TemplateEntry): string {
  const { prompt, system } = templateFields(entry);
  const placeholders = placeholdersOf(prompt, system);
  const required = [...placeholders].filter(([key, value]) => key !== INPUT && value === undefined);
  const flags = required.map(([key]) => ` --var ${key}=…`).join("");
  const isWhole = prompt !== undefined && !placeholders.has(INPUT);
  return `flexllm ask --as ${quoted(name)}${flags}${isWhole ? "" : ' "…"'}`;
}

/** Shows on stderr how to use a template. */
export function describeUse(name: string, entry: TemplateEntry): void {
  writeNote(colored("dim", printable(`Use it: ${useOf(name, entry)}`)));
}
