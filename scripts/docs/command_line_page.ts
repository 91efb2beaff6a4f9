/** docs/cli.md: the help of every command. */
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { COMMANDS } from "../../commands/registry.ts";
import { buildProgram } from "../../commands/program.ts";

/** The help as it is shown in a terminal of 80 columns. */
function helpOf(command: CommandUnknownOpts): string {
  let text = "";
  const writeOut = (piece: string) => {
    text += piece;
  };
  command.configureOutput({ writeOut, getOutHelpWidth: () => 80, getOutHasColors: () => false });
  command.outputHelp();
  return text.trimEnd();
}

function section(title: string, level: number, command: CommandUnknownOpts): string {
  return `${"#".repeat(level)} ${title}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\`\n`;
}

const HEAD = `<!-- Made of the commands themselves by \`deno task docs\`; do not edit. -->

# Command line

The help of every command, as \`flexllm COMMAND --help\` shows it.

## Exit codes

| code | meaning |
| ---- | ------- |
| 0    | everything succeeded |
| 1    | it could not begin, or not go on: wrong use, configuration, input or key, a file that cannot be used, a batch whose server stays away |
| 3    | a request failed, or a batch went to its end and some of its records failed |
| 4    | a batch was stopped by its budget |
| 130  | it was interrupted; the same command goes on |
`;

/** The whole page. */
export async function commandLinePage(): Promise<string> {
  const parts = [HEAD, section("flexllm", 2, await buildProgram([]))];
  for (const { name, hidden } of COMMANDS) {
    if (hidden) continue;
    const program = await buildProgram([name]);
    const command = program.commands.find((command) => command.name() === name)!;
    parts.push(section(`flexllm ${name}`, 2, command));
    for (const inner of command.commands) {
      parts.push(section(`flexllm ${name} ${inner.name()}`, 3, inner));
    }
  }
  return parts.join("\n");
}
