/**
 * `/save FILE`
 *
 * @module
 */
import { existsSync, writeFileSync } from "node:fs";
import { toMarkdown } from "../../lib/conversations/export.ts";
import { InvalidInputError } from "../../lib/errors.ts";
import { expandPath } from "../../lib/input/attachment.ts";
import type { ChatContext } from "./context.ts";
import { fileReason } from "../../lib/files/reasons.ts";

/** Writes the conversation as its file's ending says; asks before it overwrites. */
export async function saveConversation(
  { session, say, confirm }: ChatContext,
  argument: string,
): Promise<void> {
  const { conversation } = session;
  const [, extension] = /\.(md|markdown|json)$/i.exec(argument) ?? [];
  if (extension === undefined) {
    throw new InvalidInputError("/save needs a file that ends in .md or .json", {
      hint: "For example /save answer.md",
    });
  }
  const path = expandPath(argument);
  const text = extension.toLowerCase() === "json"
    ? `${JSON.stringify(conversation, null, 2)}\n`
    : toMarkdown(conversation);
  if (existsSync(path)) {
    if (confirm === undefined) {
      throw new InvalidInputError(`${path} exists already`, { hint: "Name another file." });
    }
    if (!await confirm(`${path} exists. Overwrite it? [y/N] `)) return say("Not saved.");
  }
  try {
    writeFileSync(path, text);
  } catch (cause) {
    throw new InvalidInputError(`cannot write ${path}: ${fileReason(cause)}`, {
      cause,
      hint: "Name another file.",
    });
  }
  say(`Saved to ${path}.`);
}
