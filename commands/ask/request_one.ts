/**
 * Requests one answer of `flexllm ask`, with a spinner on a terminal.
 *
 * @module
 */
import process from "node:process";
import type { Message } from "../../lib/chat/messages.ts";
import type { ChatOptions } from "../../lib/chat/options.ts";
import type { ChatResult } from "../../lib/chat/result.ts";
import type { LLMClient } from "../../lib/client/client.ts";
import { type AnswerFlags, answerOptions, AnswerView } from "../conversation/answer_view.ts";
import { requestAnswer, showAnswer } from "../conversation/request_answer.ts";
import { EXIT } from "../exit_codes.ts";

/** Whether the answer is printed as JSON when it is complete, and how it is shown otherwise. */
export interface RequestOneOptions extends AnswerFlags {
  printsJson: boolean;
}

/** Requests an answer, and prints it unless it is printed as JSON later. */
export async function requestOne(
  client: LLMClient,
  messages: readonly Message[],
  options: ChatOptions,
  { printsJson, ...flags }: RequestOneOptions,
): Promise<ChatResult> {
  const isWatched = process.stderr.isTTY === true;
  const spinner = isWatched ? new (await import("../terminal/spinner.ts")).Spinner() : undefined;
  const shown = answerOptions(flags);
  // Thinking is part of the JSON, so only the flag shows it.
  const thinking = printsJson ? flags.showThinking === true : shown.thinking;
  const markdown = shown.markdown && !printsJson;
  const view = new AnswerView({ markdown, thinking, spinner });
  // Ends the answer like an error, so that the shell's prompt gets its own line.
  const interrupt = () => {
    process.off("SIGINT", interrupt);
    void view.end().finally(() => process.exit(EXIT.interrupted));
  };
  if (isWatched) process.on("SIGINT", interrupt);
  try {
    if (!printsJson) return await showAnswer(client, messages, options, { view, stream: true });
    const result = await requestAnswer(client, messages, options);
    await view.showThinking(result.thinking ?? "");
    await view.end();
    return result;
  } finally {
    spinner?.clear();
    process.off("SIGINT", interrupt);
  }
}
