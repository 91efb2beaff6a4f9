/**
 * Implements `flexllm completions`, which prints a shell completion script.
 *
 * @module
 */
import { Argument, Command } from "@commander-js/extra-typings";
import { addNotes } from "../flags/help_notes.ts";
import { addExamples } from "../flags/shared_options.ts";
import { writeOutput } from "../terminal/output.ts";

const HELP = `
To load it in every new shell:
  bash, in ~/.bashrc:
    source <(flexllm completions bash)
  zsh, in ~/.zshrc:
    source <(flexllm completions zsh)
  fish, once:
    flexllm completions fish > ~/.config/fish/completions/flexllm.fish
  powershell, in $PROFILE:
    flexllm completions powershell | Out-String | Invoke-Expression`;

/** Creates the command. */
export function completionsCommand() {
  const command = new Command("completions")
    .addArgument(
      new Argument("<shell>", "shell to print the script for").choices(
        ["bash", "zsh", "fish", "powershell"] as const,
      ),
    )
    .action(async (shell) => {
      if (shell === "bash") {
        const { BASH_COMPLETION } = await import("./bash.ts");
        return writeOutput(BASH_COMPLETION);
      }
      if (shell === "zsh") {
        const { ZSH_COMPLETION } = await import("./zsh.ts");
        return writeOutput(ZSH_COMPLETION);
      }
      const { script } = await import("@bomb.sh/tab");
      script(shell, "flexllm", "flexllm");
    });
  addExamples(command, ["source <(flexllm completions bash)"]).addHelpText("after", HELP);
  return addNotes(command, [
    "Completes commands, flags and their values, configured models and file names.",
  ]);
}
