/**
 * Replaces the library's names of options in error messages by the names that the command line and files use.
 *
 * @module
 */
import { WIRE_NAMES } from "../../lib/chat/record_options.ts";
import { type FlexLLMError, HttpError, InvalidInputError } from "../../lib/errors.ts";

/** The flags for options of the library; for options without a flag, the name in files. */
const FLAGS: Readonly<Record<string, string>> = {
  temperature: "--temperature",
  topP: "--top-p",
  topK: "--top-k",
  maxTokens: "--max-tokens",
  thinking: "--thinking",
  stop: "--stop",
  seed: "--seed",
  presencePenalty: "--presence-penalty",
  frequencyPenalty: "--frequency-penalty",
  responseFormat: "--schema",
  extraBody: "--extra-body",
  tools: "tools",
  toolChoice: "tool_choice",
  parallelToolCalls: "parallel_tool_calls",
  schemaRetries: "--schema-retries",
  timeout: "--timeout",
  maxWait: "--max-wait",
  retryTimes: "--retry-times",
  retryDelay: "retry_delay",
  maxQps: "--max-qps",
  maxTpm: "--max-tpm",
  maxInFlight: "--max-in-flight",
  concurrencyLimit: "--concurrency",
  baseUrl: "--base-url",
  apiKey: "--api-key",
  rerunChanged: "--rerun-changed",
  allowUnpriced: "--allow-unpriced",
  allowPrivateUrls: "--allow-private-urls",
};

const NAMES = Object.keys(FLAGS);
/** Names that are no words of English, and can be replaced anywhere. */
const CAMEL_CASE = NAMES.filter((name) => /[A-Z]/.test(name)).join("|");
const ANY = NAMES.join("|");

/** A library name after the flag of the same option: `--max-tokens (maxTokens)`. */
const SECOND_NAME = new RegExp(
  `(--[a-z-]+)(?: \\((?:${CAMEL_CASE})\\)|, (?:${CAMEL_CASE})\\b|, or [a-z.]*(?:${CAMEL_CASE}) in the library)`,
  "g",
);
/** `the option topP`. */
const OPTION = new RegExp(`\\bthe option (${ANY})\\b`, "g");
/** A problem that starts with the option: `maxTokens: expected …`. */
const SUBJECT = new RegExp(`^(${ANY})(?=[:.])`, "gm");
const LIBRARY_NAME = new RegExp(`(?<![\\w.-])(${CAMEL_CASE})\\b(?!\\()`, "g");
const LAST_NAME = new RegExp(` \\((?:${CAMEL_CASE})\\)(?=\\.|$)`, "g");

function withFlags(text: string): string {
  const flagOf = (_: string, name: string) => FLAGS[name];
  return text
    .replace(SECOND_NAME, "$1")
    .replace(
      LAST_NAME,
      (name, at: number, all: string) => all.slice(0, at).includes("--") ? "" : name,
    )
    .replace(
      /\bthe option thinking: (true|false)/g,
      (_, value) => `--thinking ${value === "true" ? "on" : "off"}`,
    )
    .replace(OPTION, flagOf)
    .replace(SUBJECT, flagOf)
    .replace(LIBRARY_NAME, flagOf);
}

/**
 * The message and hint of an error of the library with the names of flags. Text of servers and of the user's
 * files is not changed.
 */
export function inTermsOfFlags(error: FlexLLMError): { message: string; hint?: string } {
  const { message, hint } = error;
  const isForeign = error instanceof HttpError || error instanceof InvalidInputError;
  return {
    message: isForeign ? message : withFlags(message),
    hint: hint === undefined ? undefined : withFlags(hint),
  };
}

const FIELDS: Readonly<Record<string, string>> = WIRE_NAMES;

/**
 * The message of a record's failure with the names that files use: an option may come from the record, the
 * configuration or a flag, and all but flags write it like that.
 */
export function inTermsOfFields(message: string): string {
  return message.replace(
    LIBRARY_NAME,
    (_, name: string) => FIELDS[name] ?? name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`),
  );
}
