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
import { showsColors, writeNote } from "../terminal/output.ts";
import { warnAboutPlaceholders } from "../flags/placeholder_warning.ts";
import type { ChatSession } from "./chat_session.ts";
import { type ChatFlags, command } from "./flags.ts";

function findSaved(store: ConversationStore, flags: ChatFlags): Conversation | undefined {
  if (flags.resume !== undefined) return store.find(flags.resume);
  return flags.continue ? store.latest() : undefined;
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
  const { client, settings: model, defaults, server } = connectConversation(config, flags, saved);
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
  const session = new ChatSession({
    conversation,
    client,
    defaults,
    server,
    storage,
    stream,
    extraBody,
  });
  return { home, config, store, session, isResumed: saved !== undefined };
}

/** Attaches the files of `-f`. */
async function attachFirst(session: ChatSession, files: readonly string[] = []): Promise<void> {
  if (files.length === 0) return;
  const { attachFiles } = await import("./attach_files.ts");
  await attachFiles(session, files);
}

async function chat(first: string | undefined, flags: ChatFlags): Promise<void> {
  warnAboutPlaceholders("the system prompt", flags.system, "by `flexllm ask --template`");
  const { home, config, store, session, isResumed } = await openChat(flags);
  const { model } = session.conversation;
  const markdown = !flags.raw && showsColors();
  const view = { markdown, thinking: process.stderr.isTTY === true };
  const verbose = flags.verbose === true;
  const options = { session, config, flags, store, view, first, verbose };
  try {
    await attachFirst(session, flags.file);
    const hasScreen = process.stderr.isTTY || process.stdout.isTTY;
    if (process.stdin.isTTY && hasScreen && process.env.TERM !== "dumb") {
      const { chatInteractively } = await import("./interactive.ts");
      const { History } = await import("./editor/history.ts");
      if (isResumed) {
        const { showConversation } = await import("./show_turns.ts");
        await showConversation(session.conversation, view);
      } else writeNote(`Chatting with ${model}. Type /help for commands, Ctrl-D to exit.\n`);
      if (first === undefined && session.attachments.length > 0) {
        const { describeAttachments } = await import("./attach_files.ts");
        const names = describeAttachments(session.attachments);
        writeNote(`Attached to your first message: ${names}.\n`);
      }
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

/** Rejects flags that only apply to another one that is missing. */
function checkCombination({ json, count, list, yes, delete: deleted }: ChatFlags): void {
  if (json && list === undefined) {
    throw new ConfigurationError("--json requires --list", {
      hint: "For one answer as JSON, use flexllm ask --json; for a conversation, /save FILE.json.",
    });
  }
  if (count !== undefined && list === undefined) {
    throw new ConfigurationError("--count requires --list");
  }
  if (yes && deleted === undefined) throw new ConfigurationError("--yes requires --delete");
}

async function run(first: string | undefined, flags: ChatFlags): Promise<void> {
  checkCombination(flags);
  const { list, count, json = false, yes = false } = flags;
  if (list === undefined && flags.delete === undefined) return await chat(first, flags);
  const { ConversationStore } = await import("../../lib/conversations/store.ts");
  const { homeFolder } = await import("../../lib/files/paths.ts");
  const store = new ConversationStore(homeFolder(process.env));
  if (flags.delete !== undefined) {
    const { deleteConversations } = await import("./delete_conversations.ts");
    return await deleteConversations(store, flags.delete, yes);
  }
  const { listConversations } = await import("./list_conversations.ts");
  listConversations(store, { text: list === true ? undefined : list, count, json });
}

/** The command. */
export function chatCommand() {
  return addExamples(command().action(run), [
    "flexllm chat",
    'flexllm chat "What is Python?" -m mock',
    'flexllm chat -m gpt-5.4-mini -s "You are terse." -t 0.2',
    "flexllm chat -f notes.md",
    "flexllm chat --continue",
    "flexllm chat --list rivers",
    "flexllm chat --resume 2",
    'printf "My name is Ada.\\nWhat is my name?\\n" | flexllm chat -m mock',
  ]);
}
