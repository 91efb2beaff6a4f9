/**
 * Defines saved conversations, with the field names of their files, and reads messages and totals from them.
 *
 * @module
 */
import type { AssistantMessage, Message, UserMessage } from "../chat/messages.ts";
import type { SamplingFields } from "../chat/sampling_fields.ts";
import type { ChatResult } from "../chat/result.ts";

/** Token counts of an answer, under the names in the file. */
export interface TurnUsage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
}

/** The model and its options. Absent options are the provider's defaults. */
export interface ConversationSettings extends SamplingFields {
  /** The model, under the server's name for it. */
  model: string;
  /** The value of `-m`; absent for the default model. */
  named_model?: string;
  /** The server, if the command line named one. */
  base_url?: string;
  system?: string;
}

/** A message and its answer. */
export interface Turn {
  /** When the message was sent, as ISO 8601. */
  at: string;
  user: UserMessage;
  /** The names of the attached files. */
  files?: string[];
  /** The answer, as it is sent back to the model; absent if there was none. */
  assistant?: AssistantMessage;
  thinking?: string;
  /** The model, under the server's name for it. */
  model?: string;
  usage?: TurnUsage;
  /** USD; absent if the model has no known price. */
  cost?: number;
  /** Seconds. */
  latency?: number;
  finish_reason?: ChatResult["finishReason"];
  /** Whether the answer was interrupted. */
  interrupted?: true;
}

/** A conversation. */
export interface Conversation extends ConversationSettings {
  version: 1;
  /** Ids sort by the time the conversation started. */
  id: string;
  /** As ISO 8601. */
  created: string;
  /** The name that the user gave it. */
  title?: string;
  turns: Turn[];
}

/** The totals of a conversation. */
export interface ConversationTotals {
  answers: number;
  promptTokens: number;
  completionTokens: number;
  /** USD, of the answers with a known price. */
  cost: number;
  /** Answers without a known price. */
  unpriced: number;
  /** Answers without token counts from the server. */
  uncounted: number;
}

/** The text of a message without its images. */
export function textOf(content: Message["content"]): string {
  if (typeof content === "string") return content;
  return (content ?? []).flatMap((part) => part.type === "text" ? [part.text] : []).join("\n\n");
}

/**
 * The messages to send. Turns without an answer are left out, because many servers reject two user
 * messages in a row.
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

/** Stores an answer in its turn. */
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

/** Stores the received part of an interrupted answer in its turn. */
export function interruptTurn(turn: Turn, content: string, thinking: string | null): void {
  turn.interrupted = true;
  if (content.trim() !== "") turn.assistant = { role: "assistant", content };
  if (thinking !== null) turn.thinking = thinking;
}

/** Sums up tokens and costs of a conversation. */
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

/** The attached text files at the start of a message. */
const ATTACHED_TEXTS = /^(<file name=".*">\n[^]*?\n<\/file>\s*)+/;

/** The text that was typed in a turn, without the attached files. */
export function typedText({ user, files = [] }: Turn): string {
  const text = textOf(user.content);
  return files.length === 0 ? text : text.replace(ATTACHED_TEXTS, "");
}

/** The text of a turn's message without the attached files; the names of the files if there is no text. */
export function promptOf(turn: Turn): string {
  return typedText(turn) || (turn.files ?? []).join(", ");
}

/** The message of a turn with another text. The attached files stay. */
export function withText({ user, files = [] }: Turn, text: string): UserMessage {
  const { content } = user;
  if (typeof content === "string") {
    const [attached = ""] = files.length === 0 ? [] : ATTACHED_TEXTS.exec(content) ?? [];
    return { ...user, content: attached + text };
  }
  // The text is the last part, after the attachments.
  const last = content.at(-1);
  const hasText = last?.type === "text" && !ATTACHED_TEXTS.test(last.text);
  const attached = hasText ? content.slice(0, -1) : content;
  return { ...user, content: [...attached, { type: "text", text }] };
}

/** The title of a conversation: its own, or the first line of its first message, truncated. */
export function titleOf({ title: own, turns: [turn] }: Conversation): string {
  if (own !== undefined) return own;
  const [line] = turn === undefined ? [""] : promptOf(turn).trim().split("\n");
  const title = line.replace(/\s+/g, " ");
  return title.length > 60 ? `${title.slice(0, 59)}…` : title;
}
