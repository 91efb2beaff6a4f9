/**
 * The texts of a request that the mock's answers depend on.
 *
 * @module
 */
import type { Message } from "../chat/messages.ts";
import { asObjects } from "../json/json.ts";

/** The whole conversation as one text, which seeds the answer and is counted as its prompt. */
export function conversationText(messages: readonly Message[]): string {
  return messages.map(({ content }) =>
    typeof content === "string" ? content : JSON.stringify(content ?? "")
  ).join("\n");
}

/** The text of the last user message; empty if there is none. */
export function lastUserText(messages: readonly Message[]): string {
  const content = messages.findLast(({ role }) => role === "user")?.content;
  if (typeof content === "string") return content;
  return asObjects(content).map(({ text }) => typeof text === "string" ? text : "").join("");
}
