/**
 * `flexllm template`: lists, shows, saves, edits and removes saved prompts and roles.
 *
 * @module
 */
import { Command } from "@commander-js/extra-typings";
import { addNotes } from "../flags/help_notes.ts";
import { addExamples, commonFlags } from "../flags/shared_options.ts";
import { writeOutput } from "../terminal/output.ts";
import { saveCommand, TEMPLATE_NOTES } from "./save.ts";

function listCommand() {
  return new Command("list")
    .description("list the templates (default)")
    .option("--json", "print JSON")
    .addOption(commonFlags.config)
    .action(async (flags) => {
      const { readConfig } = await import("../read_config.ts");
      const { listTemplates } = await import("./list.ts");
      listTemplates(readConfig(flags.config), flags.json === true);
    });
}

function showCommand() {
  return new Command("show")
    .description("show a template as YAML")
    .argument("<template>", "name of the template")
    .option("--json", "print JSON, with the placeholders and their defaults")
    .addOption(commonFlags.config)
    .action(async (name, flags) => {
      const { readConfig } = await import("../read_config.ts");
      const { showTemplate } = await import("./list.ts");
      showTemplate(readConfig(flags.config), name, flags.json === true);
    });
}

function editCommand() {
  return new Command("edit")
    .description("edit a template in $VISUAL or $EDITOR")
    .argument("<template>", "name of the template")
    .addOption(commonFlags.config)
    .action(async (name, flags) => {
      const { editTemplate } = await import("./edit.ts");
      await editTemplate(name, flags);
    });
}

function removeCommand() {
  return new Command("remove")
    .description("remove a template")
    .argument("<template>", "name of the template")
    .addOption(commonFlags.config)
    .action(async (name, flags) => {
      const { readConfig } = await import("../read_config.ts");
      const { deleteTemplate } = await import("./write.ts");
      const { findTemplate } = await import("../../lib/config/templates.ts");
      const config = readConfig(flags.config);
      findTemplate(config, name);
      deleteTemplate(config, name);
      writeOutput(`Removed the template ${name} from ${config.file}.\n`);
    });
}

/** Creates the command. */
export function templateCommand() {
  const command = new Command("template")
    .addCommand(saveCommand())
    .addCommand(addExamples(listCommand(), ["flexllm template list --json"]), { isDefault: true })
    .addCommand(addExamples(showCommand(), ["flexllm template show translate"]))
    .addCommand(
      addExamples(editCommand(), [
        "flexllm template edit translate",
        "EDITOR=nano flexllm template edit translate",
      ]),
    )
    .addCommand(addExamples(removeCommand(), ["flexllm template remove translate"]));
  return addExamples(addNotes(command, TEMPLATE_NOTES), [
    'flexllm template save translate --prompt "To {{language=French}}: {{input}}"',
    'flexllm ask --as translate --var language=German "Good morning"',
    'flexllm template save reviewer -s "You review code. Be terse." -t 0',
    "git diff | flexllm ask --as reviewer",
    "flexllm chat --as reviewer",
    "flexllm batch texts.jsonl -o out.jsonl --as translate",
  ]);
}
