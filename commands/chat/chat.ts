/**
 * `flexllm chat`: starts or resumes a conversation, or lists and deletes saved ones.
 *
 * @module
 */
import process from "node:process";
import type { Conversation } from "../../lib/conversations/conversation.ts";
import type { ConversationStore } from "../../lib/conversations/store.ts";
import { ConfigurationError, InvalidInputError } from "../../lib/errors.ts";
import { addExamples } from "../flags/shared_options.ts";
import { colored, writeNote } from "../terminal/output.ts";
import { warnAboutPlaceholders } from "../flags/placeholder_warning.ts";
import { type ChatFlags, command } from "./flags.ts";

function findSaved(store: ConversationStore, flags: ChatFlags): Conversation | undefined {
  if (flags.resume !== undefined) return store.find(flags.resume);
  return flags.continue ? store.latest() : undefined;
}

/** Shows the last prompt and answer of a resumed conversation. */
async function showLastTurn(conversation: Conversation, markdown: boolean): Promise<void> {
  const { describeConversation, describePrompt } = await import("./describe.ts");
  const { AnswerView } = await import("../conversation/answer_view.ts");
  const { textOf } = await import("../../lib/conversations/conversation.ts");
  writeNote(describeConversation(conversation));
  const last = conversation.turns.at(-1);
  if (last === undefined) return;
  writeNote(`\n${colored("bold", ">")} ${describePrompt(last).slice(1, -1)}\n`);
  const view = new AnswerView({ markdown, thinking: false });
  await view.showText(textOf(last.assistant?.content));
  await view.end();
  if (last.interrupted) writeNote(colored("yellow", "Interrupted. /retry sends it again."));
  writeNote("");
}

async function openChat(flags: ChatFlags) {
  const { readConfig } = await import("../read_config.ts");
  const { connectConversation } = await import("../conversation/connect.ts");
  const { ConversationSession } = await import("../conversation/conversation_session.ts");
  const { settingsOf, withSettings } = await import("../conversation/settings.ts");
  const { ConversationStore, newConversation } = await import("../../lib/conversations/store.ts");
  const { homeFolder } = await import("../../lib/files/paths.ts");
  const { ChatSession } = await import("./chat_session.ts");
  const home = homeFolder(process.env);
  const store = new ConversationStore(home);
  const config = readConfig(flags.config);
  const saved = findSaved(store, flags);
  const { client, settings: model, defaults } = connectConversation(config, flags, saved);
  const settings = { ...model, ...settingsOf(flags) };
  const storage = new ConversationSession(flags.save ? store : undefined);
  let conversation = saved === undefined
    ? newConversation(settings)
    : withSettings(saved, settings);
  if (saved !== undefined) {
    conversation = await storage.resume(conversation);
    if (conversation.id !== saved.id) {
      writeNote("This conversation is open in another process. Continuing with a copy.");
    }
  }
  const { stream, extraBody } = flags;
  const session = new ChatSession({ conversation, client, defaults, storage, stream, extraBody });
  return { home, config, session, isResumed: saved !== undefined };
}

async function chat(first: string | undefined, flags: ChatFlags): Promise<void> {
  warnAboutPlaceholders("the system prompt", flags.system, "by `flexllm ask --template`");
  const { home, config, session, isResumed } = await openChat(flags);
  const { model } = session.conversation;
  const { answerOptions } = await import("../conversation/answer_view.ts");
  const view = answerOptions(flags);
  const options = { session, config, flags, view, first, verbose: flags.verbose === true };
  try {
    const hasScreen = process.stderr.isTTY || process.stdout.isTTY;
    if (process.stdin.isTTY && hasScreen && process.env.TERM !== "dumb") {
      const { chatInteractively } = await import("./interactive.ts");
      const { History } = await import("./editor/history.ts");
      if (isResumed) await showLastTurn(session.conversation, view.markdown);
      else writeNote(`Chatting with ${model}. Type /help for commands, Ctrl-D to exit.\n`);
      await chatInteractively({ ...options, history: new History(home) });
    } else {
      const { chatByLine } = await import("./by_line.ts");
      const isTyped = process.stdin.isTTY && first === undefined;
      if (isTyped) writeNote(`Chatting with ${model}. Press Ctrl-D to exit.\n`);
      if (await chatByLine(options) === 0 && !isTyped) {
        throw new InvalidInputError("no message was given", {
          hint: 'Pass one, flexllm chat "Hello", pipe lines in, or use a terminal.',
        });
      }
    }
  } finally {
    session.close();
    await session.client.close();
  }
}

async function run(first: string | undefined, flags: ChatFlags): Promise<void> {
  if (flags.json && !flags.list) {
    throw new ConfigurationError("--json requires --list", {
      hint: "For one answer as JSON, use flexllm ask --json; for a conversation, /save FILE.json.",
    });
  }
  if (!flags.list && flags.delete === undefined) return await chat(first, flags);
  const { ConversationStore } = await import("../../lib/conversations/store.ts");
  const { homeFolder } = await import("../../lib/files/paths.ts");
  const store = new ConversationStore(homeFolder(process.env));
  if (flags.delete !== undefined) {
    const { id } = store.find(flags.delete);
    store.remove(id);
    return writeNote(`Deleted ${id}.`);
  }
  const { listConversations } = await import("./list_conversations.ts");
  listConversations(store, flags.json === true);
}

/** The command. */
export function chatCommand() {
  return addExamples(command().action(run), [
    "flexllm chat",
    'flexllm chat "What is Python?" -m mock',
    'flexllm chat -m gpt-5.4-mini -s "You are terse." -t 0.2',
    "flexllm chat --continue",
    "flexllm chat --list",
    'printf "My name is Ada.\\nWhat is my name?\\n" | flexllm chat -m mock',
  ]);
}
