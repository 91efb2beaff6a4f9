/**
 * The commands of a chat, which begin with a slash.
 *
 * @module
 */
import { InvalidArgumentError } from "commander";
import { closest, distance } from "fastest-levenshtein";
import { THINKING_LEVELS } from "../../lib/chat/options.ts";
import { InvalidInputError } from "../../lib/errors.ts";
import { readAttachment, readImageAttachment } from "../../lib/input/attachment.ts";
import { numberWithin, thinkingLevel } from "../flags/parse.ts";
import { screenWidth, wrapped } from "../terminal/wrap.ts";
import { configuredNames, switchTo } from "../conversation/connect.ts";
import type { ChatContext } from "./context.ts";
import { describeQuestion, describeTotals } from "./describe.ts";
import { saveConversation } from "./save.ts";

/** A command. */
interface SlashCommand {
  /** What comes after its name. */
  usage: string;
  help: string;
  run(context: ChatContext, argument: string): void | Promise<void>;
}

/** The argument as a flag's parser reads it. */
function parsed<T>(name: string, argument: string, parse: (text: string) => T): T {
  try {
    return parse(argument);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new InvalidInputError(`/${name} ${argument}: ${error.message}`);
  }
}

const DEFAULT_WORDS = ["default", "reset"];

/** Quotes are not needed around a path with blanks, but many write them. */
function unquoted(path: string): string {
  return /^(["']).+\1$/.test(path) ? path.slice(1, -1) : path;
}

async function attach(
  { session, say }: ChatContext,
  path: string,
  read: typeof readAttachment,
): Promise<void> {
  if (path === "") {
    const names = session.attachments.map(({ name }) => name).join(", ");
    return say(names === "" ? "Nothing is attached. Name a file." : `Attached: ${names}.`);
  }
  const attachment = await read(unquoted(path));
  session.attachments.push(attachment);
  say(`Attached ${attachment.name}; it goes with your next message.`);
}

/** Where the descriptions begin in the help. */
const HELP_COLUMN = 24;

const KEYS = [
  'Several lines: end a line with \\, write """ before and after, or paste them.',
  "Up and Down recall messages, Tab completes. A line that begins with a blank is sent as it is, " +
  "and not remembered.",
  "Ctrl-C stops an answer or clears the line, twice leaves. Ctrl-D leaves.",
];

/** Every command by its name, in the order of the help. */
export const SLASH_COMMANDS: Readonly<Record<string, SlashCommand>> = {
  model: {
    usage: "[NAME]",
    help: "ask another model; without a name, list them",
    async run({ session, config, flags, say }, name) {
      const { conversation } = session;
      if (name === "") {
        const current = conversation.named_model ?? conversation.model;
        const names = configuredNames(config);
        const listed = names.includes(current) ? names : [current, ...names];
        return listed.forEach((name) => say(`${name === current ? "*" : " "} ${name}`));
      }
      const { client, settings } = switchTo(config, flags, conversation, name);
      await session.client.close();
      session.client = client;
      delete conversation.base_url;
      Object.assign(conversation, settings);
      await keepChange(session);
      say(`The model is ${name} now.`);
    },
  },
  system: {
    usage: "[TEXT]",
    help: 'set the system prompt, or show it; "default" takes it away',
    async run({ session, say }, text) {
      const { conversation } = session;
      if (text === "") return say(`system: ${conversation.system ?? "none"}`);
      if (DEFAULT_WORDS.includes(text)) delete conversation.system;
      else conversation.system = text;
      await keepChange(session);
      say("It counts from the next message on.");
    },
  },
  temperature: {
    usage: "[NUMBER]",
    help: 'set the randomness, 0 to 2, or show it; "default" is the provider\'s',
    async run({ session, say }, text) {
      const { conversation } = session;
      if (DEFAULT_WORDS.includes(text)) delete conversation.temperature;
      else if (text !== "") {
        conversation.temperature = parsed("temperature", text, numberWithin(0, 2));
      }
      if (text !== "") await keepChange(session);
      say(`temperature: ${conversation.temperature ?? "the provider's default"}`);
    },
  },
  thinking: {
    usage: "[LEVEL]",
    help: `on, off, ${THINKING_LEVELS.join(", ")}, a number of tokens, or default`,
    async run({ session, say }, text) {
      const { conversation } = session;
      if (DEFAULT_WORDS.includes(text)) delete conversation.thinking;
      else if (text !== "") conversation.thinking = parsed("thinking", text, thinkingLevel);
      if (text !== "") await keepChange(session);
      const { thinking = "the provider's default" } = conversation;
      say(`thinking: ${thinking === true ? "on" : thinking === false ? "off" : thinking}`);
    },
  },
  file: {
    usage: "PATH",
    help: "attach a text file, image, PDF or audio to the next message",
    run: (context, path) => attach(context, path, readAttachment),
  },
  image: {
    usage: "PATH",
    help: "attach an image, a file or a URL, to the next message",
    run: (context, path) => attach(context, path, readImageAttachment),
  },
  clear: {
    usage: "",
    help: "begin a new conversation; the old one is kept",
    run({ session, say }) {
      session.clear();
      say("A new conversation begins.");
    },
  },
  retry: {
    usage: "",
    help: "ask the last message again",
    async run({ session, answer, say }) {
      if (session.conversation.turns.length === 0) return say("There is no message to retry.");
      await answer((view, signal) => session.retry(view, signal));
    },
  },
  undo: {
    usage: "",
    help: "take back the last message and its answer",
    async run({ session, say }) {
      const turn = await session.undo();
      say(turn === undefined ? "There is nothing to undo." : `Dropped ${describeQuestion(turn)}.`);
    },
  },
  save: {
    usage: "FILE",
    help: "write the conversation to a file, .md or .json",
    run: saveConversation,
  },
  cost: {
    usage: "",
    help: "tokens and cost of the conversation so far",
    run: ({ session, say }) => say(describeTotals(session.conversation)),
  },
  help: {
    usage: "",
    help: "this list",
    run({ say }) {
      const width = screenWidth();
      for (const [name, { usage, help }] of Object.entries(SLASH_COMMANDS)) {
        const first = `  ${`/${name} ${usage}`.padEnd(HELP_COLUMN - 2)}`;
        const isNarrow = width < 2 * HELP_COLUMN;
        if (isNarrow) say(first.trimEnd());
        const column = isNarrow ? 4 : HELP_COLUMN;
        const [line, ...more] = wrapped(help, width - column);
        say(`${isNarrow ? " ".repeat(column) : first}${line}`);
        for (const line of more) say(" ".repeat(column) + line);
      }
      say("");
      for (const text of KEYS) wrapped(text, width).forEach(say);
    },
  },
  quit: { usage: "", help: "leave", run: ({ leave }) => leave() },
};

/** Other names of commands. */
const ALIASES: Readonly<Record<string, string>> = { exit: "quit", bye: "quit", "?": "help" };

/** A setting that is changed before anything was said needs no file yet. */
async function keepChange(session: ChatContext["session"]): Promise<void> {
  if (session.conversation.turns.length > 0) await session.keep();
}

/**
 * Runs `line` when it is a command, and says whether it was. A path such as `/etc/hosts` is none.
 *
 * @throws {InvalidInputError} when there is no such command
 */
export async function runSlashCommand(context: ChatContext, line: string): Promise<boolean> {
  const match = /^\/([a-z]+|\?)(?:\s+([^]*))?$/i.exec(line.trimEnd());
  if (match === null) return false;
  const [, typed, argument = ""] = match;
  const name = ALIASES[typed.toLowerCase()] ?? typed.toLowerCase();
  if (!Object.hasOwn(SLASH_COMMANDS, name)) {
    const guess = closest(name, Object.keys(SLASH_COMMANDS));
    const hint = distance(name, guess) <= 2 ? `Did you mean /${guess}?` : "/help lists them.";
    throw new InvalidInputError(`there is no command /${typed}`, {
      hint: `${hint} To send it as a message, begin with a blank.`,
    });
  }
  await SLASH_COMMANDS[name].run(context, argument.trim());
  return true;
}
