/**
 * `/edit`: writes a message in the user's editor, or changes the last one.
 *
 * @module
 */
import { typedText } from "../../../lib/conversations/conversation.ts";
import { colored, writeNote } from "../../terminal/output.ts";
import { printable } from "../../terminal/sanitize.ts";
import { composeMessage } from "../compose.ts";
import type { ChatContext } from "../chat_context.ts";
import type { SlashCommand } from "./slash_command.ts";

/** Opens the editor. Returns `undefined` if there is nothing to send. */
async function compose({ lend, say }: ChatContext, before: string): Promise<string | undefined> {
  let text: string;
  try {
    text = await lend(() => composeMessage(before));
  } catch (error) {
    say("Nothing was sent.");
    throw error;
  }
  if (text.trim() !== "") return text;
  say("The message is empty. Nothing was sent.");
  return undefined;
}

/** Shows the edited message as if it had been typed. */
function echo({ remember }: ChatContext, text: string): void {
  remember(text);
  writeNote(`${colored("bold", ">")} ${printable(text)}`);
}

async function editLast(context: ChatContext): Promise<void> {
  const { session, answer, say } = context;
  const last = session.conversation.turns.at(-1);
  if (last === undefined) return say("There is no message to edit.");
  const before = typedText(last);
  const text = await compose(context, before);
  if (text === undefined) return;
  if (text === before.trimEnd()) {
    return say("The message was not changed. Nothing was sent; /retry sends it again.");
  }
  echo(context, text);
  await answer((view, signal) => session.resend(text, view, signal));
}

/** `/edit`: opens an editor and sends the message. */
export const editCommand: SlashCommand = {
  usage: "[last|TEXT]",
  help: 'write a message in your editor; "last" changes the last one and sends it again',
  async run(context, argument) {
    if (argument === "last") return await editLast(context);
    const text = await compose(context, argument);
    if (text === undefined) return;
    echo(context, text);
    const { session, answer } = context;
    await answer((view, signal) => session.send(text, view, signal));
  },
};
