/**
 * Shows earlier messages and answers of a conversation.
 *
 * @module
 */
import type { Conversation, Turn } from "../../lib/conversations/conversation.ts";
import { promptOf, textOf } from "../../lib/conversations/conversation.ts";
import { AnswerView, type AnswerViewOptions } from "../conversation/answer_view.ts";
import { printable } from "../terminal/sanitize.ts";
import { colored, writeNote } from "../terminal/output.ts";
import { describeConversation } from "./describe.ts";

/** Shows messages with their answers. */
export async function showTurns(
  turns: readonly Turn[],
  view: AnswerViewOptions,
): Promise<void> {
  for (const turn of turns) {
    writeNote(`\n${colored("bold", ">")} ${printable(promptOf(turn).trim())}\n`);
    const files = turn.files ?? [];
    if (files.length > 0) writeNote(colored("dim", `Attached: ${files.join(", ")}\n`));
    const answer = new AnswerView({ ...view, thinking: false });
    await answer.showText(textOf(turn.assistant?.content));
    await answer.end();
    if (turn.interrupted) writeNote(colored("yellow", "Interrupted."));
  }
  writeNote("");
}

/** Shows which conversation continues, with its last message and answer. */
export async function showConversation(
  conversation: Conversation,
  view: AnswerViewOptions,
): Promise<void> {
  writeNote(describeConversation(conversation));
  const last = conversation.turns.slice(-1);
  await showTurns(last, view);
  if (last[0]?.interrupted) writeNote("/retry sends the last message again.\n");
}
