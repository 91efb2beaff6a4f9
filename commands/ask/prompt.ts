/**
 * Builds the prompt of `flexllm ask` from attached files, piped text, the argument and a template.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { extname } from "node:path";
import process from "node:process";
import type { UserMessage } from "../../lib/chat/messages.ts";
import type { Config } from "../../lib/config/load.ts";
import { fillTemplate } from "../../lib/config/templates.ts";
import { ConfigurationError, InvalidInputError } from "../../lib/errors.ts";
import { type Attachment, messageWith, readAttachments } from "../../lib/input/attachment.ts";
import { attachmentOptions } from "../connect.ts";
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

/** The flags that attachments need. */
type AttachmentFlag = "file" | "allowPrivateUrls" | "timeout";

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
 * Throws if a word of the prompt is a file and looks like one more value of `-f`, as when the shell has
 * expanded `-f *.png`. It would be sent as text, without a file, and paid for.
 *
 * @throws {ConfigurationError} naming the file
 */
export function refuseLooseFiles(words: readonly string[], files: readonly string[] = []): void {
  const extensions = files.map((file) => extname(file)).filter((extension) => extension !== "");
  const loose = words.find((word) => extensions.includes(extname(word)) && existsSync(word));
  if (loose === undefined) return;
  const pattern = `*${extname(loose)}`;
  throw new ConfigurationError(`${loose} is part of the prompt, but looks like a file for -f`, {
    hint: `Quote a pattern, so that the shell doesn't expand it: -f '${pattern}'\n` +
      "Otherwise write -f before each file, or quote the prompt.",
  });
}

/** Reads the attachments of `--file`, in its order. */
async function readFiles(
  flags: Pick<AskFlags, AttachmentFlag>,
  config: Config,
): Promise<Attachment[]> {
  const { file = [] } = flags;
  if (file.filter((reference) => reference === "-").length > 1) {
    throw new ConfigurationError("-f - can be given only once", {
      hint: "Standard input can be read only once.",
    });
  }
  if (file.includes("-") && process.stdin.isTTY) {
    throw new InvalidInputError("-f - attaches standard input, but nothing is piped in", {
      hint: 'Pipe a file in: flexllm ask "What is this?" -f - < photo.png',
    });
  }
  const options = {
    ...attachmentOptions(config, flags),
    timeout: flags.timeout,
    stdin: process.stdin,
  };
  const attachments = await Promise.all(
    file.map((reference) => readAttachments(reference, options)),
  );
  return attachments.flat();
}

/** Reads the text that is piped in; none if stdin is a terminal. */
async function readPiped(): Promise<string> {
  if (process.stdin.isTTY) return "";
  const { buffer } = await import("node:stream/consumers");
  const { decodeText, likelyEncoding } = await import("../../lib/input/text_decoding.ts");
  const bytes = await buffer(process.stdin);
  // A diff or a log can contain a few bytes of another encoding.
  const text = decodeText(bytes) ??
    (likelyEncoding(bytes) === undefined ? undefined : bytes.toString("utf8"));
  if (text !== undefined) return text.trim();
  throw new InvalidInputError("standard input is binary, not text", {
    hint: 'Attach an image, a PDF or audio with -f -: flexllm ask "What is this?" -f - < photo.png',
  });
}

/**
 * Builds the prompt. Reads stdin to its end unless it is a terminal: it is the start of the prompt, or an
 * attachment with `-f -`.
 *
 * @throws {ConfigurationError} if `--var` is malformed or the template is unknown or incomplete
 * @throws {InvalidInputError} if the prompt is empty or a file cannot be read
 */
export async function readPrompt(
  argument: string,
  flags: Pick<AskFlags, "template" | "var" | "system" | AttachmentFlag>,
  config: Config,
): Promise<Prompt> {
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
  const attachments = await readFiles(flags, config);
  const piped = flags.file?.includes("-") ? "" : await readPiped();
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
