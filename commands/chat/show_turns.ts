/**
 * Shows earlier messages and answers of a conversation.
 *
 * @module
 */
import type { Conversation, Turn } from "../../lib/conversations/conversation.ts";
import { promptOf, textOf } from "../../lib/conversations/conversation.ts";
import { AnswerView, type AnswerViewOptions } from "../conversation/answer_view.ts";
import { printable } from "../terminal/sanitize.ts";
import { colored } from "../terminal/output.ts";
import { describeConversation } from "./describe.ts";

/** Where turns are shown. */
export interface TurnDisplay {
  view: AnswerViewOptions;
  say(line: string): void;
}

/** Shows messages with their answers. */
export async function showTurns(
  turns: readonly Turn[],
  { view, say }: TurnDisplay,
): Promise<void> {
  for (const turn of turns) {
    say(`\n${colored("bold", ">")} ${printable(promptOf(turn).trim())}\n`);
    const files = turn.files ?? [];
    if (files.length > 0) say(colored("dim", `Attached: ${files.join(", ")}\n`));
    const answer = new AnswerView({ ...view, thinking: false });
    await answer.showText(textOf(turn.assistant?.content));
    await answer.end();
    if (turn.interrupted) say(colored("yellow", "Interrupted."));
  }
  say("");
}

/** Shows which conversation continues, with its last message and answer. */
export async function showConversation(
  conversation: Conversation,
  display: TurnDisplay,
): Promise<void> {
  display.say(describeConversation(conversation));
  const last = conversation.turns.slice(-1);
  await showTurns(last, display);
  if (last[0]?.interrupted) display.say("/retry sends the last message again.\n");
}
