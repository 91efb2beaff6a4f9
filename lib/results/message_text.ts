/**
 * Finds the texts of a result: those of its messages, and the last one of the user.
 *
 * @module
 */
import type { ResultRecord } from "../batch/journal/result_line.ts";

/** A message of a result as text. */
export interface MessageText {
  role: string;
  text: string;
}

/** The text of a content: a string, or parts of which those without text are named in brackets. */
function contentText(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) {
    return content === undefined || content === null ? "" : JSON.stringify(content);
  }
  return content.map(partText).filter((text) => text !== "").join("\n");
}

function partText(part: unknown): string {
  if (typeof part === "string") return part;
  if (typeof part !== "object" || part === null) return String(part);
  if ("text" in part && typeof part.text === "string") return part.text;
  // Images and documents are too long to be shown.
  return "type" in part && typeof part.type === "string" ? `[${part.type}]` : JSON.stringify(part);
}

/** The messages of a result's input. Other programs may have written a string. */
export function messageTexts({ input }: Pick<ResultRecord, "input">): MessageText[] {
  const value = input as unknown;
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return [{ role: "user", text: contentText(value) }];
  return value.map((message) => {
    if (typeof message !== "object" || message === null) {
      return { role: "user", text: contentText(message) };
    }
    const { role = "user", content, tool_calls: calls } = message as Record<string, unknown>;
    const text = contentText(content);
    const called = calls === undefined ? "" : JSON.stringify(calls);
    return { role: String(role), text: [text, called].filter((part) => part !== "").join("\n") };
  });
}

/** The last text of the user; without one, the last text. */
export function lastUserText(record: Pick<ResultRecord, "input">): string | undefined {
  const messages = messageTexts(record);
  return (messages.findLast(({ role }) => role === "user") ?? messages.at(-1))?.text;
}

/** The text of the answer: of a refusal if the model refused. */
export function outputText({ output, refusal }: ResultRecord): string {
  const value = output as unknown;
  if (typeof value === "string" && value !== "") return value;
  if (value === null || value === undefined || value === "") {
    return typeof refusal === "string" ? refusal : "";
  }
  return JSON.stringify(value);
}
