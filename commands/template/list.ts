/**
 * `flexllm template list` and `template show`: show the saved templates.
 *
 * @module
 */
import { templateYaml } from "../../lib/config/edit_templates.ts";
import { type Config, readConfigText } from "../../lib/config/load.ts";
import { templateFields, unknownTemplate } from "../../lib/config/templates.ts";
import { placeholdersOf } from "../../lib/input/prompt_template.ts";
import { colored, writeJson, writeNote, writeOutput } from "../terminal/output.ts";
import { writeSentences } from "../terminal/sentences.ts";
import { printable } from "../terminal/sanitize.ts";
import { table } from "../terminal/table.ts";
import { describeUse } from "./write.ts";

type Entry = NonNullable<Config["value"]["templates"]>[string];

/** A template as JSON, with its placeholders and their defaults. */
function toJson(name: string, entry: Entry) {
  const fields = templateFields(entry);
  const placeholders = placeholdersOf(fields.prompt, fields.system);
  return {
    name,
    ...fields,
    placeholders: Object.fromEntries(
      [...placeholders].map(([key, value]) => [key, value ?? null]),
    ),
  };
}

/** The first line of a text, for a cell. */
function firstLine(text: string): string {
  return printable(text.trim().split("\n")[0]);
}

/** Lists the templates. */
export function listTemplates(config: Config, json: boolean): void {
  const entries = Object.entries(config.value.templates ?? {});
  if (json) return writeJson(entries.map(([name, entry]) => toJson(name, entry)));
  if (entries.length === 0) {
    return writeSentences(
      'No templates. Save one: flexllm template save summarize --prompt "Summarize: {{input}}"',
    );
  }
  const rows = entries.map(([name, entry]) => {
    const { description, prompt, system, model } = templateFields(entry);
    const kind = prompt === undefined ? "role" : "prompt";
    const text = description ?? prompt ?? system ?? "";
    return [printable(name), kind, printable(model ?? ""), firstLine(text)];
  });
  const columns = [
    { title: "name", untruncated: true as const },
    { title: "kind" },
    { title: "model" },
    { title: "text" },
  ];
  writeOutput(`${table(columns, rows).join("\n")}\n`);
}

/** Shows one template as YAML, and on stderr how to use it. */
export function showTemplate(config: Config, name: string, json: boolean): void {
  const templates = config.value.templates ?? {};
  if (!Object.hasOwn(templates, name)) throw unknownTemplate(config, name);
  const entry = templates[name];
  if (json) return writeJson(toJson(name, entry));
  const text = readConfigText(config.file!);
  writeOutput(printable(templateYaml(config.file!, text, name, templateFields(entry))));
  writeNote(colored("dim", `\n${config.locate(["templates", name])}`));
  describeUse(name, entry);
}
