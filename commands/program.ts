/**
 * The command line as a whole: every command, and what is the same for all.
 *
 * @module
 */
import { Command } from "@commander-js/extra-typings";
import { VERSION } from "../lib/version.ts";
import { askCommand } from "./ask.ts";
import { batchCommand } from "./batch.ts";
import { cacheCommand } from "./cache.ts";
import { chatCommand } from "./chat.ts";
import { addExamples } from "./flags.ts";
import { mockCommand } from "./mock.ts";
import { pricingCommand } from "./pricing.ts";
import { writeOutput } from "./terminal.ts";
import { versionCommand } from "./version.ts";

/** Builds the command line. Errors are thrown, not exited with. */
export function buildProgram(): Command {
  const program = new Command("flexllm")
    .description("Sends any number of prompts to any LLM endpoint, and never pays for one twice.")
    .version(VERSION, "-V, --version")
    .usage("<command> [options]")
    .helpCommand("help [command]", "show the help of a command")
    .showHelpAfterError("Run with --help to see how it is used.")
    .configureOutput({ writeOut: writeOutput })
    .exitOverride();
  addExamples(program, [
    'flexllm ask "What is Python?" -m mock',
    "flexllm batch questions.jsonl -o answers.jsonl",
    "flexllm mock -p 8080",
  ]);
  const commands = [
    askCommand(),
    batchCommand(),
    cacheCommand(),
    chatCommand(),
    mockCommand(),
    pricingCommand(),
    versionCommand(),
  ];
  for (const command of commands) {
    program.addCommand(command.copyInheritedSettings(program));
    for (const part of command.commands) part.copyInheritedSettings(program);
  }
  return program;
}
