/**
 * Flags that several commands have, and how the values of flags are read.
 *
 * @module
 */
import { type Command, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { type Thinking, THINKING_LEVELS } from "../../lib/chat/options.ts";

function toNumber(text: string): number {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : NaN;
}

/** A whole number of at least `least`. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = toNumber(text);
    if (!Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`Expected a whole number of at least ${least}.`);
    }
    return value;
  };
}

/** A number above 0. */
export function positiveNumber(text: string): number {
  const value = toNumber(text);
  if (!(value > 0)) throw new InvalidArgumentError("Expected a number above 0.");
  return value;
}

/** A number from `min` to `max`. */
export function numberWithin(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = toNumber(text);
    if (!(value >= min && value <= max)) {
      throw new InvalidArgumentError(`Expected a number from ${min} to ${max}.`);
    }
    return value;
  };
}

/** A number of at least 0, or two of them with a dash: `0.5` or `1-5`. */
export function numberRange(text: string): [number, number] {
  const parts = text.split("-").map(toNumber);
  const [min, max = min] = parts;
  if (parts.length > 2 || !(min >= 0) || !(max >= min)) {
    throw new InvalidArgumentError(
      'Expected a number, or two with a dash, the smaller first, such as "1-5".',
    );
  }
  return [min, max];
}

/** A range of whole numbers. */
export function wholeRange(text: string): [number, number] {
  const [min, max] = numberRange(text);
  if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max)) {
    throw new InvalidArgumentError("Expected whole numbers.");
  }
  return [min, max];
}

/** How much to think: on, off, a level or tokens. */
export function thinkingLevel(text: string): Thinking {
  const value = text.trim().toLowerCase();
  if (value === "on" || value === "true") return true;
  if (value === "off" || value === "false") return false;
  const level = THINKING_LEVELS.find((level) => level === value);
  if (level !== undefined) return level;
  const tokens = toNumber(value);
  if (Number.isSafeInteger(tokens) && tokens > 0) return tokens;
  throw new InvalidArgumentError(
    `Expected on, off, ${THINKING_LEVELS.join(", ")} or a number of tokens.`,
  );
}

/** Adds the value of a flag that may be given more than once. */
export function collected(value: string, before: string[] = []): string[] {
  return [...before, value];
}

/** Seconds that a person waits for rate limits, where no flag says it. */
export const SHORT_MAX_WAIT = 120;

/** The flags that say which model to ask and how. */
export const modelFlags = {
  model: new Option("-m, --model <name>", 'model to ask; "mock" needs no key and no network'),
  baseUrl: new Option("--base-url <url>", "base URL of the server, e.g. http://localhost:8000/v1"),
  apiKey: new Option("--api-key <key>", "API key; better kept in FLEXLLM_API_KEY or a file"),
  system: new Option("-s, --system <text>", "system prompt"),
  temperature: new Option("-t, --temperature <number>", "randomness, 0 to 2")
    .argParser(numberWithin(0, 2)),
  maxTokens: new Option("--max-tokens <count>", "most tokens of an answer")
    .argParser(wholeNumber(1)),
  thinking: new Option("--thinking <level>", `on, off, ${THINKING_LEVELS.join(", ")}, or tokens`)
    .argParser(thinkingLevel),
  timeout: new Option("--timeout <seconds>", "most seconds for one try (default: 120)")
    .argParser(positiveNumber),
  /** For commands that somebody waits for. */
  shortTimeout: new Option("--timeout <seconds>", "most seconds for one request (default: 30)")
    .argParser(positiveNumber),
  retryTimes: new Option("--retry-times <count>", "retries of a failed request (default: 3)")
    .argParser(wholeNumber(0)),
  /** For commands that somebody waits for. */
  shortMaxWait: new Option(
    "--max-wait <seconds>",
    `longest wait for rate limits (default: ${SHORT_MAX_WAIT})`,
  ).argParser(numberWithin(0, 2_147_483)),
  allowPrivateUrls: new Option(
    "--allow-private-urls",
    "also download images and files from this machine and the local network",
  ),
} as const;

/** Flags of every command that reads the configuration. */
export const commonFlags = {
  config: new Option("--config <file>", "configuration file to use"),
  verbose: new Option("--verbose", "say more on stderr, also where errors come from"),
} as const;

/** Adds examples to the end of a command's help. */
export function addExamples<A extends unknown[], O extends Record<string, unknown>>(
  command: Command<A, O>,
  examples: readonly string[],
): Command<A, O> {
  return command.addHelpText("after", `\nExamples:\n${examples.map((e) => `  ${e}`).join("\n")}`);
}
