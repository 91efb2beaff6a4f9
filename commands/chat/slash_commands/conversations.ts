/**
 * `/list`, `/resume`, `/title` and `/history`: saved conversations.
 *
 * @module
 */
import process from "node:process";
import type { Conversation } from "../../../lib/conversations/conversation.ts";
import type { ConversationSummary } from "../../../lib/conversations/summary.ts";
import { InvalidInputError } from "../../../lib/errors.ts";
import { reconnect } from "../../conversation/connect.ts";
import { integer } from "../../flags/parse.ts";
import { counted } from "../../terminal/format.ts";
import type { ChatContext } from "../chat_context.ts";
import { conversationTable } from "../conversation_table.ts";
import { showConversation, showTurns } from "../show_turns.ts";
import { parseArgument, type SlashCommand } from "./slash_command.ts";

/** How many conversations `/list` shows. */
const LISTED = 15;

/** Prints conversations, the last saved nearest to the prompt. */
function printList(
  { say, session }: ChatContext,
  found: readonly ConversationSummary[],
  text: string,
): void {
  const shown = found.slice(0, LISTED);
  const current = session.conversation.id;
  conversationTable(shown, { stream: process.stderr, current }).forEach(say);
  const more = found.length - shown.length;
  if (more === 0) return;
  const narrower = text === "" ? "/list TEXT searches them" : "search for more words";
  say(`${counted(more, "older conversation")} not shown; ${narrower}.`);
}

/** `/list`: lists or searches saved conversations. */
export const listCommand: SlashCommand = {
  usage: "[TEXT]",
  help: "list saved conversations, or those that contain a text",
  run(context, text) {
    const { conversations } = context.store.list(text);
    if (conversations.length === 0) {
      return context.say(
        text === "" ? "No saved conversations." : `No saved conversation contains "${text}".`,
      );
    }
    printList(context, conversations, text);
    context.say("/resume NUMBER opens one.");
  },
};

/** Lets the user choose among several conversations. */
async function choose(
  context: ChatContext,
  found: readonly ConversationSummary[],
  text: string,
): Promise<ConversationSummary | undefined> {
  const { ask, say, store } = context;
  if (ask === undefined) return undefined;
  printList(context, found, text);
  const answer = await ask("Which one? Type its number, or press Enter to cancel: ");
  if (answer === undefined || answer === "") {
    say("Nothing was changed.");
    return undefined;
  }
  const chosen = store.matching(answer);
  if (chosen.length === 1) return chosen[0];
  say(`No single conversation matches "${answer}". Nothing was changed.`);
  return undefined;
}

/** The conversation that `reference` means, or that the user chooses. */
async function select(
  context: ChatContext,
  reference: string,
): Promise<ConversationSummary | Conversation | undefined> {
  const { session, store, say, ask } = context;
  const isOther = ({ id }: ConversationSummary) => id !== session.conversation.id;
  if (reference === "") {
    if (ask === undefined) {
      throw new InvalidInputError("/resume expects a number, an ID or a text", {
        hint: "List the conversations with /list.",
      });
    }
    const { conversations } = store.list();
    if (conversations.some(isOther)) return await choose(context, conversations, "");
    say("There is no other conversation.");
    return undefined;
  }
  const found = store.matching(reference);
  // A search also finds the conversation in which it was typed.
  const others = found.length > 1 ? found.filter(isOther) : found;
  if (others.length === 1) return others[0];
  // `find` reports what is wrong.
  return others.length > 1 && ask !== undefined
    ? await choose(context, others, reference)
    : store.find(reference);
}

async function resume(context: ChatContext, reference: string): Promise<void> {
  const { session, store, say, config, flags } = context;
  const selected = await select(context, reference);
  if (selected === undefined) return;
  if (selected.id === session.conversation.id) return say("This is the current conversation.");
  const saved = store.find(selected.id);
  const isCopy = await session.open(saved, reconnect(config, flags, saved));
  if (isCopy) say("It is open in another process. Continuing with a copy.");
  await showConversation(session.conversation, context.view);
}

/** `/resume`: continues another saved conversation. */
export const resumeCommand: SlashCommand = {
  usage: "[NUMBER|ID|TEXT]",
  help: "continue another conversation; without an argument, choose from a list",
  run: resume,
};

/** `/title`: renames the conversation, or shows its title. */
export const titleCommand: SlashCommand = {
  usage: "[TEXT]",
  help: 'rename the conversation; "default" restores its first message as the title',
  async run({ session, say }, text) {
    if (text !== "") await session.rename(text === "default" ? undefined : text);
    say(`title: ${session.title}`);
  },
};

/** `/history`: shows the conversation so far. */
export const historyCommand: SlashCommand = {
  usage: "[COUNT]",
  help: "show the conversation so far, or its last messages",
  async run(context, argument) {
    const { turns } = context.session.conversation;
    if (turns.length === 0) return context.say("There are no messages yet.");
    const count = argument === "" ? turns.length : parseArgument("history", argument, integer(1));
    await showTurns(turns.slice(-count), context.view);
  },
};
