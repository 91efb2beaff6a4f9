/**
 * `flexllm chat`
 *
 * @module
 */
import { Command, Option } from "@commander-js/extra-typings";
import process from "node:process";
import type { Conversation } from "../../lib/conversations/conversation.ts";
import type { ConversationStore } from "../../lib/conversations/store.ts";
import { ConfigurationError, InvalidInputError } from "../../lib/errors.ts";
import { extraBodyFlag } from "../flags/extra_body.ts";
import { modelFlags } from "../flags/model.ts";
import { addExamples, commonFlags } from "../flags/shared_options.ts";
import { colored, showsColors, writeNote } from "../terminal/output.ts";
import { warnAboutPlaceholders } from "../flags/placeholder_warning.ts";

function command() {
  return new Command("chat")
    .argument("[message]", "the first message")
    .addOption(modelFlags.model)
    .addOption(modelFlags.system)
    .addOption(modelFlags.temperature)
    .addOption(modelFlags.maxTokens)
    .addOption(modelFlags.thinking)
    .addOption(extraBodyFlag)
    .option("-c, --continue", "go on with the last conversation, from chat or ask")
    .addOption(
      new Option("--resume <id>", "go on with this conversation").conflicts(["continue", "list"]),
    )
    .option("--list", "list the conversations that are kept")
    .addOption(new Option("--delete <id>", "delete a conversation").conflicts(["list", "resume"]))
    .option("--json", "with --list: as JSON")
    .option("--no-save", "do not keep this conversation")
    .option("--no-stream", "show answers when they are complete")
    .option("--raw", "show Markdown as it is")
    .addOption(modelFlags.baseUrl)
    .addOption(modelFlags.apiKey)
    .addOption(modelFlags.timeout)
    .addOption(modelFlags.retryTimes)
    .addOption(modelFlags.shortMaxWait)
    .addOption(modelFlags.allowPrivateUrls)
    .addOption(commonFlags.config)
    .addOption(commonFlags.verbose);
}

type Flags = ReturnType<ReturnType<typeof command>["opts"]>;

function keptConversation(store: ConversationStore, flags: Flags): Conversation | undefined {
  if (flags.resume !== undefined) return store.find(flags.resume);
  return flags.continue ? store.latest() : undefined;
}

/** Shows where a conversation stopped: its last question and answer. */
async function showEnd(conversation: Conversation, markdown: boolean): Promise<void> {
  const { describeConversation, describeQuestion } = await import("./describe.ts");
  const { AnswerView } = await import("../conversation/answer_view.ts");
  const { textOf } = await import("../../lib/conversations/conversation.ts");
  writeNote(describeConversation(conversation));
  const last = conversation.turns.at(-1);
  if (last === undefined) return;
  writeNote(`\n${colored("bold", ">")} ${describeQuestion(last).slice(1, -1)}\n`);
  const view = new AnswerView({ markdown, thinking: false });
  view.text(textOf(last.assistant?.content));
  view.end();
  if (last.interrupted) writeNote(colored("yellow", "Interrupted; /retry asks again."));
  writeNote("");
}

async function chat(first: string | undefined, flags: Flags): Promise<void> {
  const { readConfig } = await import("../read_config.ts");
  const { connectTo } = await import("../conversation/connect.ts");
  const { ConversationStore, newConversation } = await import("../../lib/conversations/store.ts");
  const { homeFolder } = await import("../../lib/files/paths.ts");
  const { goOnWith, settingsOf } = await import("../conversation/settings.ts");
  const { ChatSession } = await import("../conversation/session.ts");
  const home = homeFolder(process.env);
  warnAboutPlaceholders("the system prompt", flags.system, "by `flexllm ask --template`");
  const store = new ConversationStore(home);

  const config = readConfig(flags.config);
  const kept = keptConversation(store, flags);
  const { client, settings } = connectTo(config, flags, kept);
  const given = { ...settings, ...settingsOf(flags) };
  const conversation = kept === undefined ? newConversation(given) : goOnWith(kept, given);
  const session = new ChatSession({
    conversation,
    client,
    store: flags.save ? store : undefined,
    stream: flags.stream,
    extraBody: flags.extraBody,
  });
  if (kept !== undefined) await session.goOn();

  const markdown = !flags.raw && showsColors();
  const view = { markdown, thinking: process.stderr.isTTY === true };
  const common = { session, config, flags, view, first, verbose: flags.verbose === true };
  try {
    const hasScreen = process.stderr.isTTY || process.stdout.isTTY;
    if (process.stdin.isTTY && hasScreen && process.env.TERM !== "dumb") {
      const { chatInteractively } = await import("./interactive.ts");
      const { History } = await import("./editor/history.ts");
      if (kept !== undefined) await showEnd(session.conversation, markdown);
      else writeNote(`Chatting with ${settings.model}. /help lists the commands, Ctrl-D leaves.\n`);
      await chatInteractively({ ...common, history: new History(home) });
    } else {
      const { chatPiped } = await import("./piped.ts");
      const isTalk = process.stdin.isTTY && first === undefined;
      if (isTalk) writeNote(`Chatting with ${settings.model}. Ctrl-D leaves.\n`);
      if (await chatPiped(common) === 0 && !isTalk) {
        throw new InvalidInputError("there is nothing to say", {
          hint: 'Give a message, flexllm chat "Hello", pipe lines in, or use a terminal.',
        });
      }
    }
  } finally {
    session.close();
    await session.client.close();
  }
}

async function run(first: string | undefined, flags: Flags): Promise<void> {
  if (flags.json && !flags.list) {
    throw new ConfigurationError("--json means nothing without --list", {
      hint: "One answer as JSON: flexllm ask --json. A conversation: /save FILE.json.",
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
  const { listConversations } = await import("./list.ts");
  listConversations(store, flags.json === true);
}

/** The command. */
export function chatCommand() {
  return addExamples(command().action(run), [
    "flexllm chat",
    'flexllm chat "What is Python?" -m mock',
    'flexllm chat -m gpt-5.4-mini -s "You are terse." -t 0.2',
    "flexllm chat -c",
    "flexllm chat --list",
    'printf "My name is Ada.\\nWhat is my name?\\n" | flexllm chat -m mock',
  ]);
}
