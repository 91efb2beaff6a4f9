/**
 * The command line as a whole: every command, and what is the same for all.
 *
 * @module
 */
import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import process from "node:process";
import { InvalidInputError } from "../lib/errors.ts";
import { VERSION } from "../lib/version.ts";
import { type CommandEntry, loadCommand } from "./command_entry.ts";
import { COMMANDS } from "./registry.ts";
import { addExamples } from "./flags/shared_options.ts";
import { errorStream, writeOutput } from "./terminal/output.ts";

const ENVIRONMENT = `
Environment:
  FLEXLLM_MODEL, FLEXLLM_BASE_URL, FLEXLLM_API_KEY
                      model, server and key to use instead of the default ones;
                      OPENAI_MODEL, OPENAI_BASE_URL, OPENAI_API_KEY likewise
  FLEXLLM_CONFIG      configuration file to use, as --config
  FLEXLLM_HOME        folder to use instead of ~/.flexllm
  NO_COLOR            no colours, as --no-color`;

/** Colours are decided by the environment in every place that writes; a flag changes it there. */
function forbidColor(): void {
  process.env.NO_COLOR = "1";
  delete process.env.FORCE_COLOR;
}

function emptyProgram() {
  const program = new Command("flexllm")
    .description("Sends any number of prompts to any LLM endpoint, and never pays for one twice.")
    .version(VERSION, "-V, --version", "print the version")
    .option("--no-color", "write no colours; for every command")
    .on("option:no-color", forbidColor)
    .usage("<command> [options]")
    .helpCommand("help [command]", "show the help of a command")
    .showHelpAfterError("Run with --help to see how it is used.")
    .configureOutput({
      writeOut: writeOutput,
      writeErr: (text) => errorStream().write(text),
      outputError: (text, write) => {
        write(text);
        if (/too many arguments for '(ask|chat)'/.test(text)) write("Put the text in quotes.\n");
      },
    })
    .hook("preAction", () => void errorStream())
    .helpOption("-h, --help", "show this help")
    .exitOverride();
  addExamples(program, [
    "flexllm init",
    'flexllm ask "What is Python?" -m mock',
    "flexllm batch questions.jsonl -o answers.jsonl",
    "flexllm mock -p 8080",
  ]);
  return program.addHelpText("after", ENVIRONMENT);
}

function inherit(command: CommandUnknownOpts, program: CommandUnknownOpts): CommandUnknownOpts {
  command.copyInheritedSettings(program);
  for (const inner of command.commands) inherit(inner, command);
  return command;
}

/** Stands for a command that is not run: the help and the suggestions need its name only. */
function placeholder({ name, description }: CommandEntry): CommandUnknownOpts {
  return new Command(name).description(description);
}

/**
 * Builds the command line that `args` need. Errors are thrown, not exited with.
 *
 * @param args what follows the program's name
 */
export async function buildProgram(args: readonly string[]): Promise<Command> {
  const program = emptyProgram();
  const [first, second] = args.filter((arg) => !arg.startsWith("-"));
  const named = first === "help" ? second : first;
  const isKnown = ["help", undefined, ...COMMANDS.map(({ name }) => name)].includes(second);
  if (first === "help" && !isKnown) {
    throw new InvalidInputError(`there is no command "${second}"`, {
      hint: "flexllm --help lists all commands.",
    });
  }
  for (const entry of COMMANDS) {
    const command = entry.name === named ? await loadCommand(entry, COMMANDS) : placeholder(entry);
    program.addCommand(inherit(command, program), { hidden: entry.hidden });
  }
  return program as unknown as Command;
}
