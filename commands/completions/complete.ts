/**
 * Implements the hidden command `flexllm complete -- WORDS`, which the completion scripts call.
 *
 * It never fails and never writes to stderr. The output format is cobra's, as used by the scripts of
 * `@bomb.sh/tab`: one line per candidate, with a tab before the description if there is one, and finally `:`
 * and a number; 4 disables file names.
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

/** The completions of a word: candidates, or file names. */
type Completion = Candidate[] | "files";

const GLOBAL_FLAGS: Candidate[] = [
  { value: "--help", description: "show help" },
  { value: "--no-color", description: "disable colors" },
];

function visible(commands: readonly CommandEntry[]): Candidate[] {
  const shown = commands.filter(({ hidden }) => !hidden);
  const listed = shown.map(({ name, description }) => ({ value: name, description }));
  return [...listed, { value: "help", description: "show help for a command" }];
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

async function savedTemplates(): Promise<Candidate[]> {
  const { loadConfig } = await import("../../lib/config/load.ts");
  const { printableLine } = await import("../terminal/sanitize.ts");
  const { templates } = loadConfig(process.env, process.cwd(), undefined).value;
  return Object.entries(templates ?? {}).map(([value, entry]) => {
    const fields = typeof entry === "string" ? { prompt: entry } : entry;
    const text = ("description" in fields ? fields.description : undefined) ?? fields.prompt;
    const line = printableLine(text?.trim().split("\n")[0] ?? "role");
    return { value, description: line.slice(0, 60) };
  });
}

/** Ids of saved conversations with their titles, the last used first. */
async function conversations(): Promise<Candidate[]> {
  const { ConversationStore } = await import("../../lib/conversations/store.ts");
  const { homeFolder } = await import("../../lib/files/paths.ts");
  const { printableLine } = await import("../terminal/sanitize.ts");
  const { conversations } = new ConversationStore(homeFolder(process.env)).list();
  return conversations.map(({ id, title }) => ({ value: id, description: printableLine(title) }));
}

/** The services for `keys set`, or the stored keys for `keys remove`. */
async function keyNames(command: CommandUnknownOpts): Promise<Candidate[]> {
  if (command.name() === "set") {
    const { keyedServices } = await import("../../lib/keys/key_names.ts");
    return keyedServices().map(({ name, variable }) => ({ value: name, description: variable }));
  }
  const { listKeys } = await import("../../lib/keys/key_store.ts");
  return listKeys(process.env).map(({ name, shown }) => ({ value: name, description: shown }));
}

/** The names of the configured routes of the gateway and of the models. */
async function routeNames(): Promise<Candidate[]> {
  const { loadConfig } = await import("../../lib/config/load.ts");
  const { serve } = loadConfig(process.env, process.cwd(), undefined).value;
  const routes = Object.keys(serve?.routes ?? {}).map((value) => ({ value, description: "route" }));
  return [...routes, ...await modelNames()];
}

/** The names of the gateway's virtual keys. */
async function virtualKeys(): Promise<Candidate[]> {
  const { existsSync } = await import("node:fs");
  const { loadConfig } = await import("../../lib/config/load.ts");
  const { gatewayDatabase } = await import("../../lib/config/resolve_gateway.ts");
  const path = gatewayDatabase(loadConfig(process.env, process.cwd(), undefined), process.env);
  // Completion must not create the database.
  if (!existsSync(path)) return [];
  const { openKeyStore } = await import("../../lib/gateway/access/open_key_store.ts");
  using store = await openKeyStore(path);
  return store.list().map(({ name, prefix }) => ({ value: name, description: `${prefix}…` }));
}

/** The names of the configured teams. */
async function teamNames(): Promise<Candidate[]> {
  const { loadConfig } = await import("../../lib/config/load.ts");
  const { serve } = loadConfig(process.env, process.cwd(), undefined).value;
  return Object.keys(serve?.teams ?? {}).map((value) => ({ value }));
}

/** The formats that results can be converted to. */
async function tableFormats(): Promise<Candidate[]> {
  const { TABLE_FORMATS } = await import("../../lib/results/table/table_writer.ts");
  return TABLE_FORMATS.map((value) => ({ value }));
}

/** The columns of tables of results. */
async function columnNames(): Promise<Candidate[]> {
  const { COLUMN_NAMES } = await import("../../lib/results/columns.ts");
  return COLUMN_NAMES.map((value) => ({ value }));
}

/** The jobs of the fleet at the configured Redis server. */
async function jobNames(): Promise<Candidate[]> {
  const { loadConfig } = await import("../../lib/config/load.ts");
  const { resolveRedis } = await import("../../lib/config/resolve_redis.ts");
  const config = loadConfig(process.env, process.cwd(), undefined);
  const redis = resolveRedis(config, process.env, {});
  if (redis === undefined) return [];
  const { shareConnection } = await import("../../lib/redis/shared_connection.ts");
  const { readJobs } = await import("../../lib/fleet/read_fleet.ts");
  await using share = await shareConnection(redis.address, { needsWrites: false });
  return (await readJobs(share.connection)).map(({ id, name, input }) => ({
    value: id,
    description: [name, input].filter((text) => text !== undefined).join(", ") || undefined,
  }));
}

/** Whether a command belongs to the gateway. */
function isOfGateway(command: CommandUnknownOpts): boolean {
  return command.name() === "serve" || command.parent?.name() === "virtual-key";
}

/** Commands whose `--model` does not refer to configured models. */
const FREE_MODELS = new Set(["init", "mock"]);

async function valuesOf(command: CommandUnknownOpts, option: Option): Promise<Completion> {
  if (option.argChoices !== undefined) return option.argChoices.map((value) => ({ value }));
  if (option.long === "--to") return await tableFormats();
  if (option.long === "--columns") return await columnNames();
  if (option.long === "--as") return await savedTemplates();
  if (option.long === "--job") return await jobNames();
  if (option.long === "--team") return await teamNames();
  if (option.long === "--model" && isOfGateway(command)) return await routeNames();
  if (option.long === "--model" && !FREE_MODELS.has(command.name())) return await modelNames();
  if (/[<[](file|folder|path|schema)/.test(option.flags)) return "files";
  if (/[<[]conversation/.test(option.flags)) return await conversations();
  return [];
}

async function argumentsOf(
  command: CommandUnknownOpts,
  argument: Argument | undefined,
): Promise<Completion> {
  if (argument === undefined) return [];
  if (argument.argChoices !== undefined) return argument.argChoices.map((value) => ({ value }));
  if (command.name() === "set-model") return await modelNames();
  if (command.parent?.name() === "keys" && argument.name() === "name") {
    return await keyNames(command);
  }
  if (command.parent?.name() === "virtual-key" && argument.name() === "key") {
    return await virtualKeys();
  }
  if (argument.name() === "conversation") return await conversations();
  if (argument.name() === "template") return await savedTemplates();
  return ["input", "output", "file", "schema"].includes(argument.name()) ? "files" : [];
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

/** Completes the last of `words`, the arguments of `command`. */
async function completeCommandLine(
  command: CommandUnknownOpts,
  words: readonly string[],
): Promise<Completion> {
  const current = words.at(-1) ?? "";
  const used = new Set<Option>();
  let operands = 0;
  let pending: Option | undefined;
  for (const [i, word] of words.slice(0, -1).entries()) {
    const isFlag = word.startsWith("-") && word !== "-";
    if (pending !== undefined && !isFlag) {
      // The second word after --to is a file, as the arguments are.
      if (!pending.variadic || pending.long === "--to") pending = undefined;
    } else if (isFlag) {
      const option = findOption(command, word);
      if (option !== undefined) used.add(option);
      pending = takesValue(option) && !word.includes("=") ? option : undefined;
    } else {
      const inner = operands === 0 && command.commands.find((c) => c.name() === word);
      if (inner) return await completeCommandLine(inner, words.slice(i + 1));
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
  // The words of `serve` only explain a misspelled subcommand.
  const registeredArguments = command.registeredArguments.filter((each) => each.name() !== "words");
  const last = registeredArguments.at(-1);
  const argument = registeredArguments[operands] ?? (last?.variadic ? last : undefined);
  // A command with arguments of its own, as `batch`: its subcommands only once they are being typed.
  const begun = inner.filter(({ value }) => current !== "" && value.startsWith(current));
  if (argument !== undefined && begun.length === 0) return await argumentsOf(command, argument);
  return inner.length > 0 ? (argument === undefined ? inner : begun) : [];
}

/** Completes the last word of a whole command line. Without a command, it is a prompt for `ask`. */
async function completionOf(
  words: readonly string[],
  commands: readonly CommandEntry[],
): Promise<Completion> {
  const rest = words.slice(words.findIndex((word) => word !== "--no-color"));
  const [first = "", ...others] = rest;
  const load = (entry: CommandEntry) => loadCommand(entry, commands);
  const ask = commands.find(({ name }) => name === "ask")!;
  if (others.length === 0) {
    if (!first.startsWith("-")) return visible(commands);
    const version = { value: "--version", description: "print the version" };
    return [version, ...flagsOf(await load(ask), new Set())];
  }
  if (first === "help") return others.length === 1 ? visible(commands) : [];
  const entry = commands.find(({ name }) => name === first);
  return entry === undefined
    ? await completeCommandLine(await load(ask), rest)
    : await completeCommandLine(await load(entry), others);
}

/** Formats completions for the script. */
function formatted(completion: Completion, current: string): string {
  if (completion === "files") return ":0\n";
  const prefix = current.replace(/^--[^=]+=/, "");
  const lines = completion
    .filter(({ value }) => value.startsWith(prefix))
    .map(({ value, description }) => description ? `${value}\t${description}\n` : `${value}\n`);
  return `${lines.join("")}:4\n`;
}

/** Creates the command. */
export function completeCommand(commands: readonly CommandEntry[]) {
  return new Command("complete")
    .argument("[words...]")
    .helpOption(false)
    .allowUnknownOption()
    .action(async () => {
      const words = process.argv.slice(process.argv.indexOf("--") + 1);
      try {
        writeOutput(formatted(await completionOf(words, commands), words.at(-1) ?? ""));
      } catch {
        // An error, such as an invalid configuration, must not disturb typing.
        writeOutput(":4\n");
      }
    });
}
