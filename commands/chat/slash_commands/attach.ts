/**
 * `/file` and `/image`: attach files to the next message.
 *
 * @module
 */
import { readAttachment, readImageAttachment } from "../../../lib/input/attachment.ts";
import type { ChatContext } from "../chat_context.ts";
import type { SlashCommand } from "./slash_command.ts";

/** Removes quotes around a path. Paths with spaces don't need them, but are often typed so. */
function unquoted(path: string): string {
  return /^(["']).+\1$/.test(path) ? path.slice(1, -1) : path;
}

async function attach(
  { session, say }: ChatContext,
  path: string,
  read: typeof readAttachment,
): Promise<void> {
  if (path === "") {
    const names = session.attachments.map(({ name }) => name).join(", ");
    return say(names === "" ? "Nothing is attached. Pass a path." : `Attached: ${names}.`);
  }
  const attachment = await read(unquoted(path));
  session.attachments.push(attachment);
  say(`Attached ${attachment.name}. It is sent with your next message.`);
}

/** `/file`: attaches a file, or lists what is attached. */
export const fileCommand: SlashCommand = {
  usage: "PATH",
  help: "attach a text file, image, PDF or audio file to the next message",
  run: (context, path) => attach(context, path, readAttachment),
};

/** `/image`: attaches an image, also from a URL. */
export const imageCommand: SlashCommand = {
  usage: "PATH",
  help: "attach an image (file or URL) to the next message",
  run: (context, path) => attach(context, path, readImageAttachment),
};
