/** Generates docs/cli.md: the help of every command. */
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { COMMANDS } from "../../commands/registry.ts";
import { buildProgram } from "../../commands/program.ts";

/** The help as a terminal with 80 columns shows it. */
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

The output of \`flexllm COMMAND --help\` for every command.

## Exit codes

| code | meaning |
| ---- | ------- |
| 0    | everything succeeded |
| 1    | could not start or continue: bad usage, configuration, input or key, an unusable file, or the server stayed unreachable |
| 3    | a request failed, or a batch finished with failed records |
| 4    | a batch reached its budget |
| 130  | interrupted; run the same command again to resume |
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
