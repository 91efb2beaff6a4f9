/**
 * Builds the command line: all commands, and the options and behavior they share.
 *
 * @module
 */
import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import process from "node:process";
import { InvalidInputError } from "../lib/errors.ts";
import { VERSION } from "../lib/version.ts";
import { type CommandEntry, loadCommand } from "./command_entry.ts";
import { similarCommand, withDefaultCommand } from "./default_command.ts";
import { COMMANDS } from "./registry.ts";
import { addExamples } from "./flags/shared_options.ts";
import { errorStream, writeOutput } from "./terminal/output.ts";

const ENVIRONMENT: readonly [variable: string, meaning: string][] = [
  ["FLEXLLM_MODEL", "default model; OPENAI_MODEL also works"],
  ["FLEXLLM_BASE_URL", "default server; OPENAI_BASE_URL also works"],
  ["FLEXLLM_API_KEY", "its key; OPENAI_API_KEY also works"],
  ["FLEXLLM_CONFIG", "configuration file, as with --config"],
  ["FLEXLLM_HOME", "data directory (default: ~/.flexllm)"],
  ["FLEXLLM_LOG_LEVEL", "log calls, as with --log-level"],
  ["FLEXLLM_LOG_FILE", "file for that log, as with --log-file"],
  ["OTEL_EXPORTER_OTLP_ENDPOINT", "OpenTelemetry collector for spans and metrics"],
  ["NO_COLOR", "disable colors, as with --no-color"],
];

/** The variables that name a collector. Without them, nothing of OpenTelemetry is loaded. */
const COLLECTORS = [
  "OTEL_EXPORTER_OTLP_ENDPOINT",
  "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
  "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
];

/** The commands whose calls are traced. */
const TRACED: ReadonlySet<string> = new Set(["ask", "batch", "chat", "serve", "worker"]);

/** Whether a command, and not one of its subcommands, is to be traced. */
function isTraced(command: CommandUnknownOpts): boolean {
  return TRACED.has(command.name()) && command.parent?.name() === "flexllm";
}

/** The section about environment variables. */
function environmentHelp(): string {
  const lines = ENVIRONMENT.map(([variable, meaning]) => `  ${variable.padEnd(27)}  ${meaning}`);
  return ["", "Environment:", ...lines].join("\n");
}

/** Hints for errors of the argument parser. */
const HINTS: readonly [error: RegExp, hint: string][] = [
  [/too many arguments for 'chat'/, "Quote the prompt if it contains spaces."],
  [/unknown option '-c'/, "To continue the last conversation: --continue"],
  [/unknown option '-n'/, "To filter the models: flexllm models mini"],
];

/** Sets the variables that every output function checks. */
function disableColor(): void {
  process.env.NO_COLOR = "1";
  delete process.env.FORCE_COLOR;
}

/** What the argument parser reports before it throws. Printed afterwards, as wrapping loads a package. */
const usageErrors: string[] = [];

function emptyProgram() {
  const program = new Command("flexllm")
    .description("Send any number of prompts to any LLM endpoint, and never pay for one twice.")
    .version(VERSION, "-V, --version", "print the version")
    .option("--no-color", "disable colors, for every command")
    .on("option:no-color", disableColor)
    .usage("<command> [options]\n       flexllm [options] <prompt>")
    .commandsGroup("Setup:")
    .helpCommand("help [command]", "show help for a command")
    .configureOutput({
      writeOut: writeOutput,
      writeErr: (text) => usageErrors.push(text.trimEnd()),
      outputError: (text) => {
        usageErrors.push(text.trimEnd());
        const hint = HINTS.find(([pattern]) => pattern.test(text))?.[1];
        if (hint !== undefined) usageErrors.push(hint);
      },
    })
    .hook("preAction", () => void errorStream())
    .helpOption("-h, --help", "show help")
    // By default, descriptions next to long names are not wrapped on a narrow terminal.
    .configureHelp({ minWidthToWrap: 20 })
    .exitOverride()
    .showHelpAfterError("See 'flexllm --help'.");
  addExamples(program, [
    "flexllm init",
    'flexllm "What is Python?" -m mock',
    "flexllm batch questions.jsonl -o answers.jsonl",
    "flexllm mock -p 8080",
  ]);
  return program.addHelpText("after", environmentHelp());
}

/**
 * Rejects a word that is none of the subcommands of `group`. Otherwise the default subcommand would run,
 * and complain about its own arguments.
 */
async function requireSubcommand(group: CommandUnknownOpts, path: string): Promise<void> {
  const [word] = group.args;
  if (word === undefined || word.startsWith("-")) return;
  const names = group.commands.flatMap((inner) => [inner.name(), ...inner.aliases()]);
  if (names.includes(word)) return;
  const similar = await similarCommand(word, names);
  throw new InvalidInputError(`unknown command "${word}"`, {
    hint: similar === undefined
      ? `\`${path} --help\` lists its commands.`
      : `Did you mean ${path} ${similar}?`,
  });
}

/** Applies the settings of `parent` to a command and its subcommands; `path` is how it is called. */
function inherit(
  command: CommandUnknownOpts,
  parent: CommandUnknownOpts,
  path: string,
): CommandUnknownOpts {
  command.copyInheritedSettings(parent);
  // Otherwise a subcommand shares the help command of the program, which is in a group of its own.
  if (command.commands.length > 0) {
    command.commandsGroup("Commands:").helpCommand("help [command]", "show help for a command")
      .hook("preSubcommand", (group) => requireSubcommand(group, path));
  }
  command.showHelpAfterError(`See '${path} --help'.`);
  for (const inner of command.commands) inherit(inner, command, `${path} ${inner.name()}`);
  return command;
}

/** A command that will not run; help and suggestions need only its name and description. */
function placeholder({ name, description }: CommandEntry): CommandUnknownOpts {
  return new Command(name).description(description);
}

/** Writes `help keys set` as `keys set --help`: Commander's `help` takes a single name. */
function withHelpFlag(args: readonly string[], commands: readonly string[]): string[] {
  const [first, name, ...inner] = args;
  const isPath = first === "help" && inner.length > 0 && commands.includes(name);
  return isPath ? [name, ...inner, "--help"] : [...args];
}

/** Runs the command that `args` name, or `ask` if they are a prompt. */
export async function runProgram(args: readonly string[]): Promise<void> {
  const names = ["help", ...COMMANDS.map(({ name }) => name)];
  const resolved = withHelpFlag(await withDefaultCommand(args, names), names);
  const program = await buildProgram(resolved);
  const exporting = COLLECTORS.some((name) => process.env[name])
    ? await import("./telemetry.ts")
    : undefined;
  if (exporting !== undefined) {
    program.hook("preAction", async (_, command) => {
      if (isTraced(command)) await exporting.startTelemetry();
    });
  }
  try {
    await program.parseAsync(resolved, { from: "user" });
  } catch (error) {
    if (usageErrors.length > 0) {
      const { writeSentences } = await import("./terminal/sentences.ts");
      for (const text of usageErrors.splice(0)) writeSentences(text);
    }
    throw error;
  } finally {
    await exporting?.stopTelemetry();
  }
}

/**
 * Builds the command line, loading only the command that `args` name. Errors are thrown; the process does
 * not exit.
 *
 * @param args the arguments after the program's name
 * @throws {InvalidInputError} if `help` is called for an unknown command
 */
export async function buildProgram(args: readonly string[]): Promise<Command> {
  const program = emptyProgram();
  const [first, second] = args.filter((arg) => !arg.startsWith("-"));
  const named = first === "help" ? second : first;
  const isKnown = ["help", undefined, ...COMMANDS.map(({ name }) => name)].includes(second);
  if (first === "help" && !isKnown) {
    throw new InvalidInputError(`unknown command "${second}"`, {
      hint: "`flexllm --help` lists all commands.",
    });
  }
  for (const entry of COMMANDS) {
    const command = entry.name === named ? await loadCommand(entry, COMMANDS) : placeholder(entry);
    command.helpGroup(entry.group);
    program.addCommand(inherit(command, program, `flexllm ${entry.name}`), {
      hidden: entry.hidden,
    });
  }
  return program as unknown as Command;
}
