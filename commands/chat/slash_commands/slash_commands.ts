/**
 * The slash commands of a chat, and how a line is recognized as one.
 *
 * @module
 */
import { InvalidInputError } from "../../../lib/errors.ts";
import type { ChatContext } from "../chat_context.ts";
import { describePrompt, describeTotals } from "../describe.ts";
import { fileCommand, imageCommand } from "./attach.ts";
import { historyCommand, listCommand, resumeCommand, titleCommand } from "./conversations.ts";
import { copyCommand } from "./copy.ts";
import { editCommand } from "./edit.ts";
import { printHelp } from "./help.ts";
import { saveConversation } from "./save.ts";
import { modelCommand, systemCommand, temperatureCommand, thinkingCommand } from "./settings.ts";
import type { SlashCommand } from "./slash_command.ts";
import { similarName } from "../../../lib/similar_name.ts";

/** The commands under their headings, in the order of `/help`. */
export const COMMAND_GROUPS: Readonly<Record<string, Readonly<Record<string, SlashCommand>>>> = {
  Messages: {
    file: fileCommand,
    image: imageCommand,
    edit: editCommand,
    retry: {
      usage: "",
      help: "send the last message again",
      async run({ session, answer, say }) {
        if (session.conversation.turns.length === 0) return say("There is no message to retry.");
        await answer((view, signal) => session.retry(view, signal));
      },
    },
    undo: {
      usage: "",
      help: "remove the last message and its answer",
      async run({ session, say }) {
        const turn = await session.undo();
        say(turn === undefined ? "There is nothing to undo." : `Removed ${describePrompt(turn)}.`);
      },
    },
    copy: copyCommand,
  },
  Model: {
    model: modelCommand,
    system: systemCommand,
    temperature: temperatureCommand,
    thinking: thinkingCommand,
  },
  Conversations: {
    clear: {
      usage: "",
      help: "start a new conversation; the old one stays saved",
      run({ session, say }) {
        session.clear();
        say("Started a new conversation.");
      },
    },
    resume: resumeCommand,
    list: listCommand,
    title: titleCommand,
    history: historyCommand,
    save: {
      usage: "FILE",
      help: "write the conversation to a .md or .json file",
      run: saveConversation,
    },
    cost: {
      usage: "",
      help: "show tokens and cost of the conversation so far",
      run: ({ session, say }) => say(describeTotals(session.conversation, session.server.isLocal)),
    },
  },
  Other: {
    help: { usage: "", help: "show this help", run: ({ say }) => printHelp(COMMAND_GROUPS, say) },
    quit: {
      usage: "",
      help: 'exit, like "exit" or "quit" without a slash',
      run: ({ exit }) => exit(),
    },
  },
};

/** Every command by name. */
export const SLASH_COMMANDS: Readonly<Record<string, SlashCommand>> = Object.assign(
  {},
  ...Object.values(COMMAND_GROUPS),
);

const ALIASES: Readonly<Record<string, string>> = {
  exit: "quit",
  bye: "quit",
  "?": "help",
  new: "clear",
  rename: "title",
};

/** Whether a line that was typed ends the chat without being a slash command. */
export function isExitWord(line: string): boolean {
  return /^(exit|quit)\s*$/i.test(line);
}

/**
 * Runs `line` if it is a slash command. A path such as `/etc/hosts` is not.
 *
 * @returns whether `line` was a command
 * @throws {InvalidInputError} if the command is unknown
 */
export async function runSlashCommand(context: ChatContext, line: string): Promise<boolean> {
  const match = /^\/([a-z]+|\?)(?:\s+([^]*))?$/i.exec(line.trimEnd());
  if (match === null) return false;
  const [, typed, argument = ""] = match;
  const name = ALIASES[typed.toLowerCase()] ?? typed.toLowerCase();
  if (!Object.hasOwn(SLASH_COMMANDS, name)) {
    const guess = similarName(name, Object.keys(SLASH_COMMANDS));
    const hint = guess === undefined
      ? "Type /help for a list of commands."
      : `Did you mean /${guess}?`;
    throw new InvalidInputError(`unknown command /${typed}`, {
      hint: `${hint} To send it as a message, start the line with a space.`,
    });
  }
  await SLASH_COMMANDS[name].run(context, argument.trim());
  return true;
}
