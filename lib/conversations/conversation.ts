/**
 * A conversation as it is kept: its settings and its turns. The fields are those of the file.
 *
 * @module
 */
import type { AssistantMessage, Message, UserMessage } from "../chat/messages.ts";
import type { Thinking } from "../chat/options.ts";
import type { ChatResult } from "../chat/result.ts";

/** Token counts of an answer as they are kept. */
export interface TurnUsage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
}

/** How a model is asked; absent is the provider's default. */
export interface ConversationSettings {
  /** The model as the server names it. */
  model: string;
  /** What `-m` called it; absent when it was the default. */
  named_model?: string;
  /** The server, when it was named on the command line. */
  base_url?: string;
  system?: string;
  temperature?: number;
  max_tokens?: number;
  thinking?: Thinking;
}

/** A message and its answer. */
export interface Turn {
  /** When it was asked, as ISO 8601. */
  at: string;
  user: UserMessage;
  /** What was attached to the message, by name. */
  files?: string[];
  /** The answer as it goes back to the model; absent when there was none. */
  assistant?: AssistantMessage;
  thinking?: string;
  /** The model as the server names it. */
  model?: string;
  usage?: TurnUsage;
  /** USD; absent when the price is not known. */
  cost?: number;
  /** Seconds. */
  latency?: number;
  finish_reason?: ChatResult["finishReason"];
  /** Whether the answer was cut before its end. */
  interrupted?: true;
}

/** A conversation. */
export interface Conversation extends ConversationSettings {
  version: 1;
  /** Sorts by the time it was begun. */
  id: string;
  /** As ISO 8601. */
  created: string;
  turns: Turn[];
}

/** The sums over a conversation. */
export interface ConversationTotals {
  answers: number;
  promptTokens: number;
  completionTokens: number;
  /** USD, of the answers whose price is known. */
  cost: number;
  /** Answers whose price is not known. */
  unpriced: number;
  /** Answers of which the server did not say how many tokens they took. */
  uncounted: number;
}

/** The text of a message without its images. */
export function textOf(content: Message["content"]): string {
  if (typeof content === "string") return content;
  return (content ?? []).flatMap((part) => part.type === "text" ? [part.text] : []).join("\n\n");
}

/**
 * The messages to send: turns that were not answered are left out, as many servers refuse two
 * messages of the user in a row.
 */
export function requestMessages(conversation: Conversation): Message[] {
  const messages: Message[] = conversation.system === undefined
    ? []
    : [{ role: "system", content: conversation.system }];
  for (const { user, assistant } of conversation.turns) {
    if (assistant !== undefined) messages.push(user, assistant);
  }
  return messages;
}

/** Takes an answer into its turn. */
export function answerTurn(turn: Turn, result: ChatResult): void {
  turn.assistant = result.message;
  turn.model = result.model;
  turn.latency = Math.round(result.latency * 1000) / 1000;
  turn.finish_reason = result.finishReason;
  if (result.thinking !== null) turn.thinking = result.thinking;
  if (result.cost !== null) turn.cost = result.cost;
  if (result.usage !== null) {
    const { promptTokens, completionTokens, totalTokens } = result.usage;
    turn.usage = {
      prompt_tokens: promptTokens,
      completion_tokens: completionTokens,
      total_tokens: totalTokens,
    };
  }
}

/** Takes what came of an answer that was cut into its turn. */
export function interruptTurn(turn: Turn, content: string, thinking: string | null): void {
  turn.interrupted = true;
  if (content.trim() !== "") turn.assistant = { role: "assistant", content };
  if (thinking !== null) turn.thinking = thinking;
}

/** Adds up what the answers of a conversation have taken. */
export function totalsOf({ turns }: Conversation): ConversationTotals {
  const answered = turns.filter(({ assistant }) => assistant !== undefined);
  const sum = (value: (turn: Turn) => number | undefined) =>
    answered.reduce((total, turn) => total + (value(turn) ?? 0), 0);
  return {
    answers: answered.length,
    promptTokens: sum(({ usage }) => usage?.prompt_tokens),
    completionTokens: sum(({ usage }) => usage?.completion_tokens),
    cost: sum(({ cost }) => cost),
    unpriced: answered.filter(({ cost }) => cost === undefined).length,
    uncounted: answered.filter(({ usage }) => usage === undefined).length,
  };
}

/** What was asked in a turn, without the files that went with it; their names when nothing was. */
export function questionOf({ user, files = [] }: Turn): string {
  const text = textOf(user.content);
  if (files.length === 0) return text;
  const bare = text.replace(/^(<file name=".*">\n[^]*?\n<\/file>\s*)+/, "");
  return bare === "" ? files.join(", ") : bare;
}

/** What a conversation is about, in one line: how its first question begins. */
export function titleOf({ turns: [turn] }: Conversation): string {
  const [line] = turn === undefined ? [""] : questionOf(turn).trim().split("\n");
  const title = line.replace(/\s+/g, " ");
  return title.length > 60 ? `${title.slice(0, 59)}…` : title;
}
