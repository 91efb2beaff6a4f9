/** Generates docs/cli.md: the help of every command. */
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { COMMANDS } from "../../commands/registry.ts";
import { buildProgram } from "../../commands/program.ts";

/** The help, 80 columns wide. */
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

const HEAD = `<!-- Generated from the commands by \`deno task docs\`; do not edit. -->

# Command line

The help of every command, as \`flexllm COMMAND --help\` prints it.

## Exit codes

| code | meaning |
| ---- | ------- |
| 0    | success |
| 1    | could not start or continue: bad usage, configuration, input or key, an unusable file, or the server of a batch stayed unreachable |
| 3    | a request failed, or a batch finished with failed records |
| 4    | a batch was stopped by its budget |
| 130  | interrupted; the same command resumes |
`;

/** Generates the page. */
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
