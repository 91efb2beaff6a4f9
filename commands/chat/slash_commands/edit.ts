/**
 * `/edit`: writes a message in the user's editor, or changes the last one.
 *
 * @module
 */
import { typedText } from "../../../lib/conversations/conversation.ts";
import { composeMessage } from "../compose.ts";
import type { ChatContext } from "../chat_context.ts";
import type { SlashCommand } from "./slash_command.ts";

async function editLast({ session, lend, answer, say, remember }: ChatContext): Promise<void> {
  const last = session.conversation.turns.at(-1);
  if (last === undefined) return say("There is no message to edit.");
  const before = typedText(last);
  const text = await lend(() => composeMessage(before));
  if (text.trim() === "") return say("The message is empty. Nothing was sent.");
  if (text === before.trimEnd()) {
    return say("The message was not changed. Nothing was sent; /retry sends it again.");
  }
  remember(text);
  await answer((view, signal) => session.resend(text, view, signal));
}

/** `/edit`: opens an editor and sends the message. */
export const editCommand: SlashCommand = {
  usage: "[last|TEXT]",
  help: 'write a message in your editor; "last" changes the last one and sends it again',
  async run(context, argument) {
    if (argument === "last") return await editLast(context);
    const { session, lend, answer, say, remember } = context;
    const text = await lend(() => composeMessage(argument));
    if (text.trim() === "") return say("The message is empty. Nothing was sent.");
    remember(text);
    await answer((view, signal) => session.send(text, view, signal));
  },
};
