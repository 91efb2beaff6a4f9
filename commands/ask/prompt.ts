/**
 * Builds the prompt of `flexllm ask` from attached files, piped text, the argument and a template.
 *
 * @module
 */
import process from "node:process";
import type { UserMessage } from "../../lib/chat/messages.ts";
import { InvalidInputError } from "../../lib/errors.ts";
import { messageWith, readAttachment } from "../../lib/input/attachment.ts";
import type { AskFlags } from "./flags.ts";
import type { ChosenTemplate } from "../flags/saved_template.ts";
import { warnAboutPlaceholders } from "../flags/placeholder_warning.ts";

/** A prompt that is ready to be sent. */
export interface Prompt {
  user: UserMessage;
  /** The system prompt of the template. */
  system: string | undefined;
  /** The names of the attached files. */
  files: string[];
}

/**
 * Builds the prompt. Reads stdin to its end unless it is a terminal.
 *
 * @throws {ConfigurationError} if a placeholder of the template has no value
 * @throws {InvalidInputError} if the prompt is empty or a file cannot be read
 */
export async function readPrompt(
  argument: string,
  flags: Pick<AskFlags, "file" | "system">,
  chosen: ChosenTemplate | undefined,
): Promise<Prompt> {
  const { text } = await import("node:stream/consumers");
  warnAboutPlaceholders("the system prompt", flags.system, "in templates of the configuration");
  if (chosen === undefined) {
    warnAboutPlaceholders("the prompt", argument, "in templates of the configuration (--as)");
  }
  const attachments = await Promise.all((flags.file ?? []).map(readAttachment));
  const piped = process.stdin.isTTY ? "" : (await text(process.stdin)).trim();
  const input = [piped, argument].filter((part) => part !== "").join("\n\n");
  const { prompt, system } = chosen?.template.fill(input, chosen.values) ??
    { prompt: input, system: undefined };
  if (prompt === "" && attachments.length === 0) {
    throw new InvalidInputError("no prompt was given", {
      hint: 'Pass one, flexllm ask "What is Python?", or pipe text in.',
    });
  }
  const files = attachments.map(({ name }) => name);
  return { user: messageWith(prompt, attachments), system, files };
}
