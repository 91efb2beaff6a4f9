/**
 * `flexllm complete -- WORDS`: what the completion scripts ask. Never an error, never a word on stderr.
 *
 * The answer is that of cobra's scripts, which `@bomb.sh/tab` has for most shells: a line for each
 * candidate, with a tab before its description if it has one, and at the end `:` and a number; 4 forbids file names.
 *
 * @module
 */
import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import type { Argument, Option } from "commander";
import process from "node:process";
import { type CommandEntry, loadCommand } from "../command_entry.ts";
import { writeOutput } from "../terminal/output.ts";

interface Candidate {
  value: string;
  description?: string;
}

/** What can stand somewhere: some candidates, or any file. */
type Completion = Candidate[] | "files";

const GLOBAL_FLAGS: Candidate[] = [
  { value: "--help", description: "show help" },
  { value: "--no-color", description: "no colours" },
];

function visible(commands: readonly CommandEntry[]): Candidate[] {
  const shown = commands.filter(({ hidden }) => !hidden);
  const listed = shown.map(({ name, description }) => ({ value: name, description }));
  return [...listed, { value: "help", description: "show the help of a command" }];
}

async function modelNames(): Promise<Candidate[]> {
  const { loadConfig } = await import("../../lib/config/load.ts");
  const { models } = loadConfig(process.env, process.cwd(), undefined).value;
  const named = (models ?? []).map(({ id, name = id }) => ({
    value: name,
    description: name === id ? undefined : id,
  }));
  return [...named, { value: "mock", description: "built in" }];
}

/** The commands whose `--model` is not one of the configured ones. */
const FREE_MODELS = new Set(["init", "mock"]);

async function valuesOf(command: CommandUnknownOpts, option: Option): Promise<Completion> {
  if (option.argChoices !== undefined) return option.argChoices.map((value) => ({ value }));
  if (/[<[]file/.test(option.flags)) return "files";
  if (option.long === "--model" && !FREE_MODELS.has(command.name())) return await modelNames();
  return [];
}

async function argumentsOf(
  command: CommandUnknownOpts,
  argument: Argument | undefined,
): Promise<Completion> {
  if (argument === undefined) return [];
  if (argument.argChoices !== undefined) return argument.argChoices.map((value) => ({ value }));
  if (command.name() === "set-model") return await modelNames();
  return ["input", "file"].includes(argument.name()) ? "files" : [];
}

function findOption(command: CommandUnknownOpts, word: string): Option | undefined {
  const [name] = word.split("=");
  return command.options.find(({ short, long }) => name === short || name === long);
}

function takesValue(option: Option | undefined): option is Option {
  return option !== undefined && (option.required || option.optional);
}

function flagsOf(command: CommandUnknownOpts, used: ReadonlySet<Option>): Candidate[] {
  const free = command.options.filter((option) =>
    !option.hidden && (option.variadic || !used.has(option))
  );
  const flags = free.map(({ short, long, description }) => ({
    value: long ?? short ?? "",
    description,
  }));
  return [...flags, ...GLOBAL_FLAGS];
}

/** What can stand at the end of the `words` of `command`, whose last is begun. */
async function within(command: CommandUnknownOpts, words: readonly string[]): Promise<Completion> {
  const current = words.at(-1) ?? "";
  const used = new Set<Option>();
  let operands = 0;
  let pending: Option | undefined;
  for (const [i, word] of words.slice(0, -1).entries()) {
    const isFlag = word.startsWith("-") && word !== "-";
    if (pending !== undefined && !isFlag) {
      if (!pending.variadic) pending = undefined;
    } else if (isFlag) {
      const option = findOption(command, word);
      if (option !== undefined) used.add(option);
      pending = takesValue(option) && !word.includes("=") ? option : undefined;
    } else {
      const inner = operands === 0 && command.commands.find((c) => c.name() === word);
      if (inner) return await within(inner, words.slice(i + 1));
      operands++;
    }
  }
  const assigned = /^--[^=]+=/.test(current) ? findOption(command, current) : undefined;
  if (takesValue(assigned)) return await valuesOf(command, assigned);
  if (pending !== undefined && !current.startsWith("-")) return await valuesOf(command, pending);
  if (current.startsWith("-")) return flagsOf(command, used);
  const inner = operands > 0 ? [] : command.commands.map((c) => ({
    value: c.name(),
    description: c.description(),
  }));
  const { registeredArguments } = command;
  const last = registeredArguments.at(-1);
  const argument = registeredArguments[operands] ?? (last?.variadic ? last : undefined);
  return inner.length > 0 ? inner : await argumentsOf(command, argument);
}

/** What can stand at the end of a command line. */
async function completionOf(
  words: readonly string[],
  commands: readonly CommandEntry[],
): Promise<Completion> {
  const at = words.slice(0, -1).findIndex((word) => !word.startsWith("-"));
  const current = words.at(-1) ?? "";
  if (at < 0) {
    const version = { value: "--version", description: "print the version" };
    return current.startsWith("-") ? [...GLOBAL_FLAGS, version] : visible(commands);
  }
  if (words[at] === "help") return at === words.length - 2 ? visible(commands) : [];
  const entry = commands.find(({ name }) => name === words[at]);
  return entry === undefined
    ? []
    : await within(await loadCommand(entry, commands), words.slice(at + 1));
}

/** The answer to the script. */
function answer(completion: Completion, current: string): string {
  if (completion === "files") return ":0\n";
  const begun = current.replace(/^--[^=]+=/, "");
  const lines = completion
    .filter(({ value }) => value.startsWith(begun))
    .map(({ value, description }) => description ? `${value}\t${description}\n` : `${value}\n`);
  return `${lines.join("")}:4\n`;
}

/** The command. */
export function completeCommand(commands: readonly CommandEntry[]) {
  return new Command("complete")
    .argument("[words...]")
    .helpOption(false)
    .allowUnknownOption()
    .action(async () => {
      const words = process.argv.slice(process.argv.indexOf("--") + 1);
      try {
        writeOutput(answer(await completionOf(words, commands), words.at(-1) ?? ""));
      } catch {
        // A broken configuration must not be told of between two keys.
        writeOutput(":4\n");
      }
    });
}
