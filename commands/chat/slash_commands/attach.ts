/**
 * `/file` and `/image`: attach files to the next message.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { expandPath, readImageAttachment } from "../../../lib/input/attachment.ts";
import { attachFiles, chatAttachmentOptions, describeAttachments } from "../attach_files.ts";
import type { ChatContext } from "../chat_context.ts";
import type { SlashCommand } from "./slash_command.ts";

/** Splits an argument at spaces, except in quotes and after a backslash, as a shell does. */
export function splitWords(argument: string): string[] {
  const pieces = argument.match(/(?:"[^"]*"|'[^']*'|\\.|[^\s"'\\]|["'\\])+/g) ?? [];
  return pieces.map((piece) =>
    piece.replace(
      /"([^"]*)"|'([^']*)'|\\(\W)/g,
      (_, double, single, escaped) => double ?? single ?? escaped,
    )
  );
}

/** The files that an argument names. A path with spaces doesn't need quotes if it exists. */
function references(argument: string): string[] {
  return existsSync(expandPath(argument)) ? [argument] : splitWords(argument);
}

function showAttached({ session, say }: ChatContext): void {
  const { attachments } = session;
  say(
    attachments.length === 0
      ? "Nothing is attached. Pass a path."
      : `Attached: ${describeAttachments(attachments)}. /file none removes them.`,
  );
}

/** `/file`: attaches files, or lists what is attached. */
export const fileCommand: SlashCommand = {
  usage: "[PATH...]",
  help:
    "attach files, patterns or URLs (text, images, PDFs, audio) to the next message; without a path, " +
    'list them; "none" removes them',
  async run(context, argument) {
    const { session, say } = context;
    if (argument === "") return showAttached(context);
    if (argument === "none" && !existsSync("none")) {
      session.attachments = [];
      return say("Nothing is attached now.");
    }
    const attached = await attachFiles(
      session,
      references(argument),
      chatAttachmentOptions(context.config, context.flags),
    );
    const names = attached.map(({ name }) => name).join(", ");
    const pronoun = attached.length === 1 ? "It is" : "They are";
    say(`Attached ${names}. ${pronoun} sent with your next message.`);
  },
};

/** `/image`: attaches an image, also from a URL that the server downloads. */
export const imageCommand: SlashCommand = {
  usage: "PATH",
  help: "attach an image (file or URL) to the next message",
  async run(context, argument) {
    if (argument === "") return showAttached(context);
    const { session, say } = context;
    const [reference] = references(argument);
    const attachment = await readImageAttachment(reference);
    session.attachments.push(attachment);
    say(`Attached ${attachment.name}. It is sent with your next message.`);
  },
};
