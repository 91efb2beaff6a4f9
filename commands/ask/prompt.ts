/**
 * What `flexllm ask` asks: files, what is piped in, the argument, and a template around them.
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

/** A question that is ready to be sent. */
export interface Question {
  user: UserMessage;
  /** The template's system prompt. */
  system: string | undefined;
  /** The names of the files. */
  files: string[];
}

function valuesOf(pairs: readonly string[]): Map<string, string> {
  return new Map(pairs.map((pair) => {
    const [, name, value] = /^([\w.-]+)=([^]*)$/.exec(pair) ?? [];
    if (name !== undefined) return [name, value];
    throw new ConfigurationError(`--var: expected name=value, got ${JSON.stringify(pair)}`, {
      hint: "Such as --var language=French.",
    });
  }));
}

/**
 * Puts the question together.
 *
 * @throws {InvalidInputError} when there is nothing to ask, or a file cannot be read
 */
export async function readQuestion(
  argument: string | undefined,
  flags: Pick<AskFlags, "file" | "template" | "var" | "system">,
  config: Config,
): Promise<Question> {
  const { text } = await import("node:stream/consumers");
  const values = valuesOf(flags.var ?? []);
  if (values.size > 0 && flags.template === undefined) {
    throw new ConfigurationError("--var means nothing without --template", {
      hint: "Add --template NAME, or leave it out.",
    });
  }
  warnAboutPlaceholders("the system prompt", flags.system, "in templates of the configuration");
  if (flags.template === undefined) {
    warnAboutPlaceholders(
      "the question",
      argument,
      "in templates of the configuration (--template)",
    );
  }
  const files = await Promise.all((flags.file ?? []).map(readAttachment));
  const piped = process.stdin.isTTY ? "" : (await text(process.stdin)).trim();
  const input = [piped, argument ?? ""].filter((part) => part !== "").join("\n\n");
  const { prompt, system } = flags.template === undefined
    ? { prompt: input, system: undefined }
    : fillTemplate(config, flags.template, input, values);
  if (prompt === "" && files.length === 0) {
    throw new InvalidInputError("there is nothing to ask", {
      hint: 'Give a question, flexllm ask "What is Python?", or pipe text in.',
    });
  }
  return { user: messageWith(prompt, files), system, files: files.map(({ name }) => name) };
}
