/**
 * `/save FILE`: writes the conversation to a Markdown or JSON file.
 *
 * @module
 */
import { existsSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { toMarkdown } from "../../../lib/conversations/export.ts";
import { InvalidInputError } from "../../../lib/errors.ts";
import { expandPath } from "../../../lib/input/attachment.ts";
import type { ChatContext } from "../chat_context.ts";
import { fileReason } from "../../../lib/files/reasons.ts";

/**
 * Writes the conversation in the format of the file's extension. Asks before overwriting a file.
 *
 * @throws {InvalidInputError} if the extension is unknown or the file cannot be written
 */
export async function saveConversation(
  { session, say, confirm }: ChatContext,
  argument: string,
): Promise<void> {
  const { conversation } = session;
  const [, extension] = /\.(md|markdown|json)$/i.exec(argument) ?? [];
  if (extension === undefined) {
    throw new InvalidInputError("/save expects a file name that ends in .md or .json", {
      hint: "For example /save answer.md",
    });
  }
  const path = expandPath(argument);
  const text = extension.toLowerCase() === "json"
    ? `${JSON.stringify(conversation, null, 2)}\n`
    : toMarkdown(conversation);
  if (existsSync(path)) {
    if (confirm === undefined) {
      throw new InvalidInputError(`${path} already exists`, { hint: "Choose another file name." });
    }
    if (!await confirm(`${path} already exists. Overwrite it? [y/N] `)) return say("Not saved.");
  }
  try {
    writeFileSync(path, text);
  } catch (cause) {
    const reason = existsSync(dirname(path)) ? fileReason(cause) : "its folder does not exist";
    throw new InvalidInputError(`cannot write ${path}: ${reason}`, {
      cause,
      hint: "Choose another file name.",
    });
  }
  say(`Saved to ${path}.`);
}
