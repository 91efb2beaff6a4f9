/**
 * `flexllm chat`: starts or resumes a conversation, or lists and deletes saved ones.
 *
 * @module
 */
import process from "node:process";
import type { Conversation } from "../../lib/conversations/conversation.ts";
import type { ConversationStore } from "../../lib/conversations/store.ts";
import { ConfigurationError, InvalidInputError } from "../../lib/errors.ts";
import { type ChosenTemplate, chosenTemplate, withTemplate } from "../flags/saved_template.ts";
import { schemaOptions } from "../flags/schema.ts";
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
  const { settingsOf, withSettings } = await import("../conversation/settings.ts");
  const { ConversationStore, newConversation } = await import("../../lib/conversations/store.ts");
  const { homeFolder } = await import("../../lib/files/paths.ts");
  const { ChatSession } = await import("./chat_session.ts");
  const home = homeFolder(process.env);
  const store = new ConversationStore(home);
  const config = readConfig(flags.config);
  const saved = findSaved(store, flags);
  const { client, settings: model, defaults } = connectConversation(config, flags, saved);
  const system = template.system === undefined ? {} : { system: template.system };
  const settings = { ...model, ...system, ...settingsOf(flags) };
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
    ...{ conversation, client, defaults, storage, stream, extraBody },
    // A stream shows its text before it could be checked and retried.
    format: { responseFormat: (await schemaOptions(flags)).responseFormat },
    fill: template.fill,
  });
  return { home, config, session, isResumed: saved !== undefined };
}

async function chat(message: string | undefined, given: ChatFlags): Promise<void> {
  warnAboutPlaceholders("the system prompt", given.system, "in templates of the configuration");
  const { readConfigSilently } = await import("../read_config.ts");
  const chosen = await chosenTemplate(given, () => readConfigSilently(given.config));
  const template = chosen === undefined ? { first: message } : chatTemplate(chosen, message);
  const { first } = template;
  const flags = withTemplate(given, chosen);
  const { home, config, session, isResumed } = await openChat(flags, template);
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
    "flexllm chat --as reviewer",
    "flexllm chat --continue",
    "flexllm chat --list",
    'printf "My name is Ada.\\nWhat is my name?\\n" | flexllm chat -m mock',
  ]);
}
