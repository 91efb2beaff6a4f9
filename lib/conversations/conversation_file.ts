/**
 * Reads and validates the file of one conversation.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { messagesProblem } from "../chat/messages.ts";
import { withProviderMessage } from "../chat/normalize.ts";
import { InvalidInputError } from "../errors.ts";
import { asObject, asText } from "../json/json.ts";
import type { Conversation } from "./conversation.ts";
import { fileReason } from "../files/reasons.ts";

function conversationProblem(value: unknown): string | undefined {
  const conversation = asObject(value);
  if (conversation === undefined) return "expected a JSON object";
  const { version, id, model, title, turns } = conversation;
  if (version !== 1) return `version: expected 1, got ${JSON.stringify(version)}`;
  if (asText(id) === undefined) return "id: expected a string";
  if (asText(model) === undefined) return "model: expected a string";
  if (title !== undefined && asText(title) === undefined) return "title: expected a string";
  if (!Array.isArray(turns)) return "turns: expected an array";
  for (const [i, turn] of turns.entries()) {
    const { user, assistant } = asObject(turn) ?? {};
    const problem = messagesProblem(assistant === undefined ? [user] : [user, assistant]);
    if (problem !== undefined) return `turns[${i}]: ${problem}`;
  }
  return undefined;
}

/**
 * Reads the conversation in the file at `path`, including files of version 0.1.
 *
 * @throws {InvalidInputError} if the file cannot be read or is not a conversation
 */
export function readConversation(path: string): Conversation {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new InvalidInputError(`cannot read the conversation ${path}: ${fileReason(cause)}`, {
      cause,
      hint: "List the conversations with `flexllm logs`.",
    });
  }
  const problem = conversationProblem(value);
  if (problem !== undefined) {
    throw new InvalidInputError(`${path} is not a conversation: ${problem}`, {
      hint: "Fix or delete that file; other conversations still work.",
    });
  }
  const conversation = value as Conversation;
  for (const turn of conversation.turns) {
    if (turn.assistant !== undefined) turn.assistant = withProviderMessage(turn.assistant);
  }
  return conversation;
}
