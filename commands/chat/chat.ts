/**
 * `flexllm chat`: starts or resumes a conversation, or lists and deletes saved ones.
 *
 * @module
 */
import process from "node:process";
import type { Conversation } from "../../lib/conversations/conversation.ts";
import type { Config } from "../../lib/config/load.ts";
import type { ConversationStore } from "../../lib/conversations/store.ts";
import { ConfigurationError, InvalidInputError } from "../../lib/errors.ts";
import { type ChosenTemplate, chosenTemplate, withTemplate } from "../flags/saved_template.ts";
import { schemaOptions } from "../flags/schema.ts";
import { addExamples } from "../flags/shared_options.ts";
import { canRedraw } from "../terminal/output.ts";
import { writeSentences } from "../terminal/sentences.ts";
import { warnAboutPlaceholders } from "../flags/placeholder_warning.ts";
import type { ChatSession } from "./chat_session.ts";
import { type ChatFlags, command } from "./flags.ts";

function findSaved(store: ConversationStore, flags: ChatFlags): Conversation | undefined {
  if (flags.resume !== undefined) return store.find(flags.resume);
  return flags.continue ? store.latest() : undefined;
}

/** What the template of `--as` contributes to a chat. */
interface ChatTemplate {
  system?: string;
  /** Inserts a message into the prompt. */
  fill?: (message: string) => string;
  /** The first message, if the prompt is not a frame for messages. */
  first?: string;
}

/**
 * Prepares a template for a chat. A prompt with `{{input}}` is a frame for each message; any other prompt is
 * the first message.
 */
function chatTemplate(
  { template, values }: ChosenTemplate,
  first: string | undefined,
): ChatTemplate {
  const framesMessages = template.prompt !== undefined && template.usesInput;
  // The system prompt is filled in once, so it cannot depend on the message.
  const { system, prompt } = template.fill(framesMessages ? first ?? "…" : first ?? "", values);
  if (framesMessages) {
    return { system, fill: (message) => template.fill(message, values).prompt, first };
  }
  return { system, first: prompt === "" ? undefined : prompt };
}

async function openChat(flags: ChatFlags & { schema?: string }, template: ChatTemplate) {
  const { readConfig } = await import("../read_config.ts");
  const { connectConversation } = await import("../conversation/connect.ts");
  const { ConversationSession } = await import("../conversation/conversation_session.ts");
  const { savesConversation, settingsOf, withSettings } = await import(
    "../conversation/settings.ts"
  );
  const { ConversationStore, newConversation } = await import("../../lib/conversations/store.ts");
  const { homeFolder } = await import("../../lib/files/paths.ts");
  const { ChatSession } = await import("./chat_session.ts");
  const home = homeFolder(process.env);
  const store = new ConversationStore(home);
  const config = readConfig(flags.config);
  const saved = findSaved(store, flags);
  const { client, settings: model, defaults, server } = connectConversation(config, flags, saved);
  const system = template.system === undefined ? {} : { system: template.system };
  const settings = { ...model, ...system, ...settingsOf(flags) };
  const storage = new ConversationSession(savesConversation(config, flags) ? store : undefined);
  let conversation = saved === undefined
    ? newConversation(settings)
    : withSettings(saved, settings);
  if (saved !== undefined) {
    conversation = await storage.resume(conversation);
    if (conversation.id !== saved.id) {
      writeSentences("This conversation is open in another process. Continuing with a copy.");
    }
  }
  const { stream, extraBody } = flags;
  const session = new ChatSession({
    ...{ conversation, client, defaults, server, storage, stream, extraBody },
    // A stream shows its text before it could be checked and retried.
    format: { responseFormat: (await schemaOptions(flags)).responseFormat },
    fill: template.fill,
  });
  return { home, config, store, session, isResumed: saved !== undefined };
}

/** Attaches the files of `-f`. */
async function attachFirst(
  session: ChatSession,
  config: Config,
  flags: ChatFlags,
): Promise<void> {
  const { file: files = [] } = flags;
  if (files.length === 0) return;
  const { attachFiles, chatAttachmentOptions } = await import("./attach_files.ts");
  await attachFiles(session, files, chatAttachmentOptions(config, flags));
}

async function chat(message: string | undefined, given: ChatFlags): Promise<void> {
  warnAboutPlaceholders("the system prompt", given.system, "in templates of the configuration");
  const { readConfigSilently } = await import("../read_config.ts");
  const chosen = await chosenTemplate(given, () => readConfigSilently(given.config));
  const template = chosen === undefined ? { first: message } : chatTemplate(chosen, message);
  const { first } = template;
  const flags = withTemplate(given, chosen);
  const { home, config, store, session, isResumed } = await openChat(flags, template);
  const { model } = session.conversation;
  const { answerOptions } = await import("../conversation/answer_view.ts");
  const view = answerOptions(flags);
  const verbose = flags.verbose === true;
  const options = { session, config, flags, store, view, first, verbose };
  try {
    await attachFirst(session, config, flags);
    if (process.stdin.isTTY && (canRedraw(process.stderr) || canRedraw(process.stdout))) {
      const { chatInteractively } = await import("./interactive.ts");
      const { History } = await import("./editor/history.ts");
      if (isResumed) {
        const { showConversation } = await import("./show_turns.ts");
        await showConversation(session.conversation, view);
      } else writeSentences(`Chatting with ${model}. Type /help for commands, Ctrl-D to exit.\n`);
      if (session.attachments.length > 0) {
        const { describeAttachments } = await import("./attach_files.ts");
        const names = describeAttachments(session.attachments);
        writeSentences(`Attached to your first message: ${names}.\n`);
      }
      await chatInteractively({ ...options, history: new History(home) });
    } else {
      const { chatByLine } = await import("./by_line.ts");
      const isTyped = process.stdin.isTTY && first === undefined;
      if (isTyped) writeSentences(`Chatting with ${model}. Press Ctrl-D to exit.\n`);
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
    "flexllm chat --as reviewer",
    "flexllm chat -f notes.md",
    "flexllm chat --continue",
    "flexllm chat --list rivers",
    "flexllm chat --resume 2",
    'printf "My name is Ada.\\nWhat is my name?\\n" | flexllm chat -m mock',
  ]);
}
