/**
 * `flexllm ask`
 *
 * @module
 */
import process from "node:process";
import type { Message } from "../../lib/chat/messages.ts";
import type { ChatOptions } from "../../lib/chat/options.ts";
import type { ChatResult } from "../../lib/chat/result.ts";
import type { LLMClient } from "../../lib/client/client.ts";
import { answerTurn, requestMessages, type Turn } from "../../lib/conversations/conversation.ts";
import { addExamples } from "../flags/shared_options.ts";
import { type AskFlags, command } from "./flags.ts";
import { printable } from "../terminal/sanitize.ts";
import { schemaOptions } from "../flags/schema.ts";
import { colored, writeNote, writeOutput } from "../terminal/output.ts";

function describe(result: ChatResult): string {
  const { usage } = result;
  const tokens = usage
    ? `${usage.promptTokens} tokens in, ${usage.completionTokens} out`
    : "no usage";
  return `${result.model}: ${tokens}, ${result.latency.toFixed(2)} s, ${result.finishReason}`;
}

async function ask(argument: string | undefined, flags: AskFlags): Promise<void> {
  const { readConfig } = await import("../read_config.ts");
  const { connectTo } = await import("../conversation/connect.ts");
  const { readQuestion } = await import("./prompt.ts");
  const { openConversation } = await import("./conversation_session.ts");
  const config = readConfig(flags.config);
  const format = await schemaOptions(flags);
  const kept = await openConversation(flags);
  try {
    const { user, system, files } = await readQuestion(argument, flags, config);
    const { client, settings } = connectTo(config, flags, kept.last);
    const conversation = kept.begin(settings, system);
    const turn: Turn = { at: new Date().toISOString(), user };
    if (files.length > 0) turn.files = files;
    const { temperature, max_tokens: maxTokens, thinking } = conversation;
    const { extraBody } = flags;
    const options = { temperature, maxTokens, thinking, extraBody, ...format };
    const messages = [...requestMessages(conversation), user];
    const result = await answer(client, messages, options, flags);
    await client.close();
    answerTurn(turn, result);
    conversation.turns.push(turn);
    kept.keep(conversation);
  } finally {
    kept.close();
  }
}

/** Asks as often as wanted, prints the answers, and gives the last. */
async function answer(
  client: LLMClient,
  messages: Message[],
  options: ChatOptions,
  flags: AskFlags,
): Promise<ChatResult> {
  const { askOnce, printAnswers } = await import("./answers.ts");
  const asksForJson = flags.json === true || flags.schema !== undefined;
  const count = flags.count ?? 1;
  // Several answers to one question are to differ.
  const calls = { ...options, cache: count === 1 };
  const results: ChatResult[] = [];
  try {
    for (let i = 0; i < count; i++) {
      if (!asksForJson && i > 0) writeOutput("\n");
      if (count > 1 && process.stderr.isTTY) {
        writeNote(colored("dim", `Answer ${i + 1} of ${count}`));
      }
      const result = await askOnce(client, messages, calls, asksForJson);
      results.push(result);
      for (const { function: { name, arguments: json } } of result.toolCalls) {
        writeNote(colored("yellow", printable(`The model calls ${name}(${json}).`)));
      }
      if (result.content === "" && result.toolCalls.length === 0) {
        writeNote(colored("yellow", "The answer is empty."));
      }
      if (result.finishReason === "length") {
        writeNote(colored("yellow", "The answer was cut at the limit of tokens."));
      }
      if (flags.verbose) writeNote(colored("dim", describe(result)));
    }
  } finally {
    // Also when a later one failed: what has been paid for is shown.
    if (asksForJson) printAnswers(results, flags);
  }
  return results.at(-1)!;
}

/** The command. */
export function askCommand() {
  return addExamples(command().action(ask), [
    'flexllm ask "What is Python?"',
    'flexllm ask "summarise" < article.txt',
    'git diff | flexllm ask "write a commit message" -s "You are terse."',
    'flexllm ask "What is in the picture?" -f photo.png',
    'flexllm ask "Summarize in one sentence." -f report.pdf',
    'flexllm ask -c "And in one sentence?"',
    'flexllm ask "Name three rivers" -m gpt-5.4-mini --json',
    'flexllm ask "Name a river" --schema river.json',
    'flexllm ask --template translate --var language=French "Good morning"',
  ]);
}
