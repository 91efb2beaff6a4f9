/**
 * `flexllm logs show` and `flexllm logs last`: print saved conversations in full.
 *
 * @module
 */
import process from "node:process";
import { codeBlocks } from "../../lib/conversations/code_blocks.ts";
import { type Conversation, textOf } from "../../lib/conversations/conversation.ts";
import { InvalidInputError } from "../../lib/errors.ts";
import { writeJson, writeOutput } from "../terminal/output.ts";

/** How conversations are shown. */
export interface ShowFlags {
  /** Only the last answer of each. */
  answer?: true;
  /** Only the last code block of the last answer of each. */
  code?: true;
  json?: true;
  raw?: true;
  showThinking?: true;
}

function lastAnswer({ id, turns }: Conversation): string {
  const turn = turns.findLast(({ assistant }) => assistant !== undefined);
  if (turn === undefined) throw new InvalidInputError(`the conversation ${id} has no answer`);
  return textOf(turn.assistant!.content);
}

function lastCode(conversation: Conversation): string {
  const block = codeBlocks(lastAnswer(conversation)).at(-1);
  if (block === undefined) {
    throw new InvalidInputError(`the last answer of ${conversation.id} has no code block`);
  }
  return block;
}

/** Prints conversations: for reading, as JSON, or only their last answers. */
export async function showConversations(
  conversations: readonly Conversation[],
  { answer, code, json, raw, showThinking }: ShowFlags,
): Promise<void> {
  if (json) return writeJson(conversations.length === 1 ? conversations[0] : conversations);
  if (answer || code) {
    const text = conversations.map(code ? lastCode : lastAnswer).join("\n\n");
    return writeOutput(text.endsWith("\n") ? text : `${text}\n`);
  }
  const { printConversations } = await import("./print_conversation.ts");
  await printConversations(conversations, {
    thinking: showThinking === true,
    markdown: process.stdout.isTTY === true && raw !== true,
  });
}
