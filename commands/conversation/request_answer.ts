/**
 * Sends the messages of a conversation to the model and shows the answer.
 *
 * @module
 */
import type { Message } from "../../lib/chat/messages.ts";
import type { StreamAccumulator } from "../../lib/chat/events.ts";
import type { ChatOptions } from "../../lib/chat/options.ts";
import type { ChatResult } from "../../lib/chat/result.ts";
import type { LLMClient } from "../../lib/client/client.ts";
import { holdLog, releaseLog } from "../call_log.ts";
import { reportLongWaits } from "../wait_notice.ts";
import { writeNote } from "../terminal/output.ts";
import type { AnswerView } from "./answer_view.ts";

/** Where and how an answer is shown. */
export interface Display {
  view: AnswerView;
  /** Show the answer as it arrives. */
  stream: boolean;
  /** Collects the events of a stream, so that a partial answer survives a failure. */
  received?: StreamAccumulator;
}

/** Requests an answer without showing it. Long waits are reported on stderr. */
export async function requestAnswer(
  client: LLMClient,
  messages: readonly Message[],
  options: ChatOptions,
): Promise<ChatResult> {
  return await client.chatCompletions(messages, {
    ...options,
    onRetry: reportLongWaits(writeNote),
  });
}

/** Requests an answer and shows it. Long waits are reported on stderr. */
export async function showAnswer(
  client: LLMClient,
  messages: readonly Message[],
  options: ChatOptions,
  { view, stream, received }: Display,
): Promise<ChatResult> {
  try {
    if (stream) return await streamAnswer(client, messages, options, view, received);
    const result = await requestAnswer(client, messages, options);
    await view.showThinking(result.thinking ?? "");
    await view.showText(result.content || (result.refusal ?? ""));
    return result;
  } finally {
    await view.end();
    releaseLog();
  }
}

async function streamAnswer(
  client: LLMClient,
  messages: readonly Message[],
  options: ChatOptions,
  view: AnswerView,
  received: StreamAccumulator | undefined,
): Promise<ChatResult> {
  const stream = client.chatCompletionsStream(messages, {
    ...options,
    onRetry: reportLongWaits(writeNote),
  });
  for await (const event of stream.events) {
    holdLog();
    received?.add(event);
    await view.show(event);
  }
  return await stream.finalResult();
}
