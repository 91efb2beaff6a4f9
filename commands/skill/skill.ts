/**
 * `flexllm skill`: prints or installs the skill that explains flexllm to coding agents.
 *
 * @module
 */
import { Command, Option } from "@commander-js/extra-typings";
import type { CommandEntry } from "../command_entry.ts";
import { addNotes } from "../flags/help_notes.ts";
import { addExamples } from "../flags/shared_options.ts";
import { writeOutput } from "../terminal/output.ts";

const NOTES = [
  "A skill is a SKILL.md file that coding agents read when a task needs it. Claude Code reads " +
  ".claude/skills; Codex, Cursor, Copilot, Gemini CLI, OpenCode and others read .agents/skills. " +
  "`install` writes to both, in the current directory or with --global in your home directory.",
];

function withPlaces(name: string, description: string) {
  return new Command(name)
    .description(description)
    .option("--global", "for all projects: in your home directory")
    .addOption(
      new Option("--dir <folder>", "folder of skills to use instead").conflicts("global"),
    );
}

function printCommand(commands: readonly CommandEntry[]) {
  return new Command("print")
    .description("print the skill (default)")
    .action(async () => {
      const { skillPage } = await import("./page.ts");
      writeOutput(await skillPage(commands));
    });
}

function installCommand(commands: readonly CommandEntry[]) {
  return withPlaces("install", "write the skill to the folders that agents read")
    .option("--force", "replace a file that has been changed")
    .action(async (flags) => {
      const { skillPage } = await import("./page.ts");
      const { installSkill } = await import("./install.ts");
      for (const { file, state } of installSkill(await skillPage(commands), flags)) {
        writeOutput(`${file}: ${state}\n`);
      }
    });
}

function pathCommand() {
  return withPlaces("path", "print the files that `install` writes")
    .action(async (flags) => {
      const { skillFiles } = await import("./install.ts");
      writeOutput(`${skillFiles(flags).join("\n")}\n`);
    });
}

/** Creates the command. `commands` is the registry. */
export function skillCommand(commands: readonly CommandEntry[]) {
  const print = addExamples(printCommand(commands), ["flexllm skill print > SKILL.md"]);
  const install = addExamples(installCommand(commands), [
    "flexllm skill install",
    "flexllm skill install --global",
    "flexllm skill install --dir .github/skills",
  ]);
  const path = addExamples(pathCommand(), ["flexllm skill path --global"]);
  const command = new Command("skill")
    .addCommand(print, { isDefault: true })
    .addCommand(install)
    .addCommand(path);
  return addExamples(addNotes(command, NOTES), ["flexllm skill", "flexllm skill install"]);
}
