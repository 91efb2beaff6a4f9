/**
 * `flexllm ask`: sends one prompt and prints the answer.
 *
 * @module
 */
import process from "node:process";
import type { Message } from "../../lib/chat/messages.ts";
import type { ChatOptions } from "../../lib/chat/options.ts";
import type { ChatResult } from "../../lib/chat/result.ts";
import type { LLMClient } from "../../lib/client/client.ts";
import { answerTurn, requestMessages, type Turn } from "../../lib/conversations/conversation.ts";
import { addNotes } from "../flags/help_notes.ts";
import { addExamples } from "../flags/shared_options.ts";
import { chosenTemplate, withTemplate } from "../flags/saved_template.ts";
import { SCHEMA_NOTE, schemaOptions } from "../flags/schema.ts";
import { quoted } from "../terminal/format.ts";
import { colored, writeNote, writeOutput } from "../terminal/output.ts";
import { writeWarning } from "../terminal/sentences.ts";
import { type AskFlags, command } from "./flags.ts";

async function ask(words: readonly string[], given: AskFlags): Promise<void> {
  const { readConfig } = await import("../read_config.ts");
  const { connectConversation } = await import("../conversation/connect.ts");
  const { ConversationSession } = await import("../conversation/conversation_session.ts");
  const { samplingFromFields } = await import("../../lib/chat/sampling_fields.ts");
  const { savesConversation, settingsOf, withSettings } = await import(
    "../conversation/settings.ts"
  );
  const { ConversationStore, newConversation } = await import("../../lib/conversations/store.ts");
  const { homeFolder } = await import("../../lib/files/paths.ts");
  const { readPrompt, refuseLooseFiles } = await import("./prompt.ts");
  refuseLooseFiles(words, given.file);
  const config = readConfig(given.config);
  if (given.template !== undefined) {
    writeWarning(`--template is deprecated here; use --as ${quoted(given.template)}`);
  }
  const named = { as: given.as ?? given.template, var: given.var };
  const chosen = await chosenTemplate(named, () => config);
  const flags = withTemplate(given, chosen);
  const format = await schemaOptions(flags);
  const store = new ConversationStore(homeFolder(process.env));
  const session = new ConversationSession(savesConversation(config, flags) ? store : undefined);
  try {
    const saved = flags.continue ? await session.resume(store.latest()) : undefined;
    const prompt = await readPrompt(words.join(" "), flags, config, chosen);
    const { client, settings: model, defaults } = connectConversation(config, flags, saved);
    const system = prompt.system === undefined ? {} : { system: prompt.system };
    const settings = { ...model, ...system, ...settingsOf(flags) };
    const conversation = saved === undefined
      ? newConversation(settings)
      : withSettings(saved, settings);
    const turn: Turn = { at: new Date().toISOString(), user: prompt.user };
    if (prompt.files.length > 0) turn.files = prompt.files;
    const sampling = { ...defaults, ...samplingFromFields(conversation) };
    const options = { ...sampling, extraBody: flags.extraBody, ...format };
    const messages = [...requestMessages(conversation), prompt.user];
    const result = await requestAnswers(client, messages, options, flags);
    await client.close();
    answerTurn(turn, result);
    conversation.turns.push(turn);
    session.save(conversation);
  } finally {
    session.close();
  }
}

/** Requests and prints `--count` answers. Returns the last, which continues the conversation. */
async function requestAnswers(
  client: LLMClient,
  messages: Message[],
  options: ChatOptions,
  flags: AskFlags,
): Promise<ChatResult> {
  const { noteAnswer, printAnswers } = await import("./print_answers.ts");
  const { requestOne } = await import("./request_one.ts");
  const printsJson = flags.json === true || flags.schema !== undefined;
  const count = flags.count ?? 1;
  // From the cache, all answers would be the same.
  const callOptions = { ...options, cache: count === 1 };
  const results: ChatResult[] = [];
  try {
    for (let i = 0; i < count; i++) {
      if (!printsJson && i > 0) writeOutput("\n");
      if (count > 1 && process.stderr.isTTY) {
        writeNote(colored("dim", `Answer ${i + 1} of ${count}`));
      }
      const result = await requestOne(client, messages, callOptions, { ...flags, printsJson });
      results.push(result);
      noteAnswer(result, flags.verbose === true);
    }
  } finally {
    // If a later request failed, the answers already paid for are still printed.
    if (printsJson) printAnswers(results, flags);
  }
  return results.at(-1)!;
}

/** The command. */
export function askCommand() {
  return addExamples(addNotes(command().action(ask), [SCHEMA_NOTE]), [
    'flexllm ask "What is Python?"',
    'flexllm ask "summarize" < article.txt',
    'git diff | flexllm ask "write a commit message" -s "You are terse."',
    'flexllm ask "What is in the picture?" -f photo.png',
    'flexllm ask "Summarize in one sentence." -f report.pdf',
    "flexllm ask \"Review this code.\" -f 'src/**/*.ts'",
    'flexllm ask "What is new here?" -f https://example.com/news',
    'flexllm ask --continue "And in one sentence?"',
    'flexllm ask "Name three rivers" -m gpt-5.4-mini --json',
    'flexllm ask "Name a river" --schema river.json',
    'flexllm ask "A river" --schema "name, length_km int, countries [string]"',
    'flexllm ask --as translate --var language=French "Good morning"',
  ]);
}
