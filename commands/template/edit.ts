/**
 * `flexllm template edit`: opens a template in the editor, and saves it if it is valid.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { parseDocument } from "yaml";
import { type NewTemplate, templateYaml } from "../../lib/config/edit_templates.ts";
import { readConfigText } from "../../lib/config/load.ts";
import { templateFields, unknownTemplate } from "../../lib/config/templates.ts";
import { ConfigurationError, FlexLLMError } from "../../lib/errors.ts";
import { openEditor } from "../config/editor.ts";
import { writeTemporaryText } from "../config/temporary_text.ts";
import { reportError } from "../errors/report.ts";
import { readConfig } from "../read_config.ts";
import { canPrompt, promptYesNo } from "../terminal/prompts.ts";
import { writeNote, writeOutput } from "../terminal/output.ts";
import { describeUse, writeTemplate } from "./write.ts";

const HEADER = `# Fields: description, prompt, system, model, options, extra_body, schema.
# Placeholders: {{input}}, {{name}}, {{name=default}}. Save and close the editor to apply.
`;

/**
 * Parses the edited text.
 *
 * @throws {ConfigurationError} if it is not YAML
 */
function parseEdited(text: string): NewTemplate {
  const yaml = text.replace(HEADER, "");
  const document = parseDocument(yaml);
  const [error] = document.errors;
  if (error !== undefined) {
    const [reason] = error.message.split(/ at line |:?\n/);
    const { line, col } = error.linePos?.[0] ?? { line: 1, col: 1 };
    const offset = text.startsWith(HEADER) ? HEADER.split("\n").length - 1 : 0;
    throw new ConfigurationError(
      `line ${line + offset}, column ${col}: not valid YAML (${reason})`,
    );
  }
  const entry = document.toJS();
  return typeof entry === "string" ? { entry } : { entry, yaml };
}

/** Opens `file` until its template has been written. The file stays if the user gives up. */
async function editUntilValid(
  file: string,
  write: (template: NewTemplate) => Promise<void>,
): Promise<void> {
  for (;;) {
    await openEditor(file);
    try {
      return await write(parseEdited(readFileSync(file, "utf8")));
    } catch (error) {
      if (!(error instanceof FlexLLMError)) throw error;
      const hint = `the template was not changed; your text is in ${file}`;
      if (!canPrompt()) {
        throw new ConfigurationError(error.message, {
          cause: error,
          hint: error.hint === undefined ? hint : `${error.hint}\n${hint}`,
        });
      }
      reportError(error, false);
      if (!await promptYesNo("Edit it again?", true)) throw new ConfigurationError(hint);
    }
  }
}

/** Edits the template `name`. */
export async function editTemplate(name: string, flags: { config?: string }): Promise<void> {
  const config = readConfig(flags.config);
  const { templates = {} } = config.value;
  if (templates === null || !Object.hasOwn(templates, name)) throw unknownTemplate(config, name);
  const text = readConfigText(config.file!);
  const before = templateYaml(config.file!, text, name, templateFields(templates[name]));
  const file = writeTemporaryText(`${name.replace(/[^\w.-]/g, "_")}.yaml`, HEADER + before);
  await editUntilValid(file.path, async (template) => {
    if (template.yaml?.trim() === before.trim()) return writeNote("Nothing was changed.");
    const written = await writeTemplate(name, template, { ...flags, force: true });
    writeOutput(`Saved the template ${name} in ${written.file}.\n`);
    describeUse(name, template.entry);
  });
  file.remove();
}
