/**
 * Builds the prompt of `flexllm ask` from attached files, piped text, the argument and a template.
 *
 * @module
 */
import process from "node:process";
import type { UserMessage } from "../../lib/chat/messages.ts";
import type { Config } from "../../lib/config/load.ts";
import { fillTemplate } from "../../lib/config/templates.ts";
import { ConfigurationError, InvalidInputError } from "../../lib/errors.ts";
import { messageWith, readAttachment } from "../../lib/input/attachment.ts";
import type { AskFlags } from "./flags.ts";
import { warnAboutPlaceholders } from "../flags/placeholder_warning.ts";

/** A prompt that is ready to be sent. */
export interface Prompt {
  user: UserMessage;
  /** The system prompt of the template. */
  system: string | undefined;
  /** The names of the attached files. */
  files: string[];
}

function parseVariables(pairs: readonly string[]): Map<string, string> {
  return new Map(pairs.map((pair) => {
    const [, name, value] = /^([\w.-]+)=([^]*)$/.exec(pair) ?? [];
    if (name !== undefined) return [name, value];
    throw new ConfigurationError(`--var: expected name=value, got ${JSON.stringify(pair)}`, {
      hint: "For example --var language=French.",
    });
  }));
}

/**
 * Builds the prompt. Reads stdin to its end unless it is a terminal.
 *
 * @throws {ConfigurationError} if `--var` is malformed or the template is unknown or incomplete
 * @throws {InvalidInputError} if the prompt is empty or a file cannot be read
 */
export async function readPrompt(
  argument: string,
  flags: Pick<AskFlags, "file" | "template" | "var" | "system">,
  config: Config,
): Promise<Prompt> {
  const { text } = await import("node:stream/consumers");
  const variables = parseVariables(flags.var ?? []);
  if (variables.size > 0 && flags.template === undefined) {
    throw new ConfigurationError("--var requires --template", {
      hint: "Add --template NAME, or remove --var.",
    });
  }
  warnAboutPlaceholders("the system prompt", flags.system, "in templates of the configuration");
  if (flags.template === undefined) {
    warnAboutPlaceholders("the prompt", argument, "in templates of the configuration (--template)");
  }
  const attachments = await Promise.all((flags.file ?? []).map(readAttachment));
  const piped = process.stdin.isTTY ? "" : (await text(process.stdin)).trim();
  const input = [piped, argument].filter((part) => part !== "").join("\n\n");
  const { prompt, system } = flags.template === undefined
    ? { prompt: input, system: undefined }
    : fillTemplate(config, flags.template, input, variables);
  if (prompt === "" && attachments.length === 0) {
    throw new InvalidInputError("no prompt was given", {
      hint: 'Pass one, flexllm ask "What is Python?", or pipe text in.',
    });
  }
  const files = attachments.map(({ name }) => name);
  return { user: messageWith(prompt, attachments), system, files };
}
