/**
 * `/copy`: copies the last answer, its code or the whole conversation to the clipboard.
 *
 * @module
 */
import { codeBlocks } from "../../../lib/conversations/code_blocks.ts";
import { textOf } from "../../../lib/conversations/conversation.ts";
import { toMarkdown } from "../../../lib/conversations/export.ts";
import { InvalidInputError } from "../../../lib/errors.ts";
import { counted } from "../../terminal/format.ts";
import { copyToClipboard } from "../clipboard.ts";
import type { ChatContext } from "../chat_context.ts";
import type { SlashCommand } from "./slash_command.ts";

/** What to copy, and its name; a message if there is nothing. */
function selected(
  { session: { conversation } }: ChatContext,
  argument: string,
): { text: string; name: string } | string {
  const answer = conversation.turns.findLast(({ assistant }) => assistant !== undefined);
  if (answer === undefined) return "There is no answer to copy.";
  if (argument === "all") return { text: toMarkdown(conversation), name: "the conversation" };
  const text = textOf(answer.assistant?.content);
  if (argument === "") return { text, name: "the last answer" };
  const [, word, number] = /^(code)(?:\s+(\d+))?$/.exec(argument) ?? [];
  if (word === undefined) {
    throw new InvalidInputError(`/copy ${argument}: expected code, code NUMBER or all`, {
      hint: "Without an argument, /copy copies the last answer.",
    });
  }
  const blocks = codeBlocks(text);
  if (blocks.length === 0) return "The last answer has no code block.";
  const i = number === undefined ? blocks.length : Number(number);
  if (i < 1 || i > blocks.length) {
    return `The last answer has ${counted(blocks.length, "code block")}.`;
  }
  const which = blocks.length === 1 ? "the code block" : `code block ${i} of ${blocks.length}`;
  return { text: blocks[i - 1], name: which };
}

/** `/copy`: copies to the clipboard. */
export const copyCommand: SlashCommand = {
  usage: "[code|all]",
  help: 'copy the last answer; "code": its last code block, "code 1": its first, "all": ' +
    "the conversation",
  async run(context, argument) {
    const selection = selected(context, argument);
    if (typeof selection === "string") return context.say(selection);
    const { text, name } = selection;
    const way = await copyToClipboard(text, context.terminal);
    context.say(`Copied ${name} (${counted(text.length, "character")}) ${way}.`);
  },
};
