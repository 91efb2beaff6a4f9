/**
 * `/save FILE`: writes the conversation to a Markdown or JSON file.
 *
 * @module
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { toMarkdown } from "../../../lib/conversations/export.ts";
import { InvalidInputError } from "../../../lib/errors.ts";
import { expandPath } from "../../../lib/input/attachment.ts";
import { quoted } from "../../terminal/format.ts";
import { type ChatContext, isConfirmed } from "../chat_context.ts";
import { fileReason } from "../../../lib/files/reasons.ts";

/**
 * Writes the conversation in the format of the file's extension. Asks before overwriting a file or
 * creating a folder.
 *
 * @throws {InvalidInputError} if the extension is unknown or the file cannot be written
 */
export async function saveConversation(
  { session, say, ask }: ChatContext,
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
    if (ask === undefined) {
      throw new InvalidInputError(`${path} already exists`, { hint: "Choose another file name." });
    }
    if (!await isConfirmed(ask, `${path} already exists. Overwrite it?`)) return say("Not saved.");
  }
  const folder = dirname(path);
  if (!existsSync(folder)) {
    if (ask === undefined) {
      throw new InvalidInputError(`cannot write ${path}: the folder ${folder} does not exist`, {
        hint: `Create it with: mkdir -p ${quoted(folder)}`,
      });
    }
    const question = `The folder ${folder} does not exist. Create it?`;
    if (!await isConfirmed(ask, question)) return say("Not saved.");
  }
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, text);
  } catch (cause) {
    throw new InvalidInputError(`cannot write ${path}: ${fileReason(cause)}`, {
      cause,
      hint: "Choose another file name.",
    });
  }
  say(`Saved to ${path}.`);
}
