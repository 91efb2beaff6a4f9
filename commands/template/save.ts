/**
 * `flexllm template save`: saves a prompt or role in the configuration.
 *
 * @module
 */
import { Command } from "@commander-js/extra-typings";
import process from "node:process";
import { samplingToFields } from "../../lib/chat/sampling_fields.ts";
import type { TemplateEntry } from "../../lib/config/edit_templates.ts";
import type { TemplateFields } from "../../lib/config/schema.ts";
import { ConfigurationError, InvalidInputError } from "../../lib/errors.ts";
import { HELP_GROUPS } from "../flags/help_groups.ts";
import { addNotes } from "../flags/help_notes.ts";
import { modelFlags } from "../flags/model.ts";
import { addSamplingFlags, samplingOf } from "../flags/sampling.ts";
import { schemaFlag } from "../flags/schema.ts";
import { addExamples, commonFlags } from "../flags/shared_options.ts";
import { writeOutput } from "../terminal/output.ts";

/** The notes below the flags of `flexllm template` and `template save`. */
export const TEMPLATE_NOTES: readonly string[] = [
  "Placeholders: {{input}} is the prompt that the template is applied to; without it, the prompt " +
  "follows the template. {{name}} is set with --var name=…, {{name=default}} has a default, and " +
  "\\{{ is a literal {{. A batch also takes the values from fields of the records.",
  "A template without a prompt is a role: a system prompt, model, options or schema. Flags override " +
  "what a template sets; records of a batch override both.",
];

function saveFlags() {
  const prompted = new Command("save")
    .description("save a prompt with its settings, or a role")
    .argument("<name>", "name of the template")
    .addOption(modelFlags.model)
    .optionsGroup(HELP_GROUPS.prompt)
    .option("--prompt <text>", 'the prompt, with {{placeholders}}; "-" reads it from stdin')
    .addOption(modelFlags.system);
  return addSamplingFlags(prompted)
    .addOption(schemaFlag)
    .optionsGroup("Options:")
    .option("--description <text>", "what it is for, as `template list` shows it")
    .option("--force", "replace a template of this name")
    .addOption(commonFlags.config);
}

type SaveFlags = ReturnType<ReturnType<typeof saveFlags>["opts"]>;

async function readPromptFlag(prompt: string | undefined): Promise<string | undefined> {
  if (prompt !== "-") return prompt;
  const { text } = await import("node:stream/consumers");
  const piped = (await text(process.stdin)).trim();
  if (piped !== "") return piped;
  throw new InvalidInputError("--prompt -: stdin is empty", {
    hint: "For example: flexllm template save NAME --prompt - < prompt.txt",
  });
}

/** The schema as the file stores it, so that the template does not depend on another file. */
async function schemaField(given: string | undefined): Promise<TemplateFields["schema"]> {
  if (given === undefined) return undefined;
  const { looksLikeJson, readSchema, schemaFileOf } = await import(
    "../../lib/input/schema_file.ts"
  );
  const { json_schema } = readSchema(given);
  if (schemaFileOf(given) === undefined && !looksLikeJson(given)) return given.trim();
  return json_schema.strict === undefined ? json_schema.schema : { ...json_schema };
}

/** The template that the flags describe; just the prompt if there is nothing else. */
async function entryOf(flags: SaveFlags): Promise<TemplateEntry> {
  const options = samplingToFields(samplingOf(flags));
  const fields = {
    description: flags.description,
    prompt: await readPromptFlag(flags.prompt),
    system: flags.system,
    model: flags.model,
    options: Object.keys(options).length === 0 ? undefined : options,
    extra_body: flags.extraBody,
    schema: await schemaField(flags.schema),
  };
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  const entry = JSON.parse(JSON.stringify(Object.fromEntries(given))) as TemplateFields;
  const { description: _, ...settings } = entry;
  if (Object.keys(settings).length === 0) {
    throw new ConfigurationError("the template would be empty", {
      hint:
        'Give it a prompt (--prompt "Summarize: {{input}}"), a system prompt (-s), a model (-m), ' +
        "sampling options or a schema.",
    });
  }
  return given.length === 1 && entry.prompt !== undefined ? entry.prompt : entry;
}

async function save(name: string, flags: SaveFlags): Promise<void> {
  const { describeUse, requireName, writeTemplate } = await import("./write.ts");
  requireName(name);
  const entry = await entryOf(flags);
  const written = await writeTemplate(name, { entry }, flags);
  const verb = written.replaced ? "Replaced" : "Saved";
  writeOutput(`${verb} the template ${name} in ${written.file}.\n`);
  describeUse(name, entry);
}

/** Creates the subcommand. */
export function saveCommand() {
  return addExamples(addNotes(saveFlags().action(save), TEMPLATE_NOTES), [
    'flexllm template save translate --prompt "To {{language=French}}: {{input}}"',
    'flexllm template save reviewer -s "You review code." -m gpt-5.4-mini -t 0',
    'flexllm template save people --prompt "Who is named?" --schema "[name, job]"',
    "flexllm template save letter --prompt - < letter.txt",
  ]);
}
