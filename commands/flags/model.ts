/**
 * Defines the flags that select a model and control its requests.
 *
 * @module
 */
import { Option } from "@commander-js/extra-typings";
import { THINKING_LEVELS } from "../../lib/chat/options.ts";
import { duration, integer, numberWithin, thinkingLevel, timeout } from "./parse.ts";

/** Default of `--max-wait` in `ask` and `chat`, in seconds: shorter than a batch's, as a person is waiting. */
export const INTERACTIVE_MAX_WAIT = 120;

/** Default of `--timeout` in commands that send a few short requests, in seconds. */
export const SHORT_TIMEOUT = 30;

/** The longest `--max-wait`, in seconds: timers take at most 2^31 - 1 milliseconds. */
export const LONGEST_WAIT = 2_147_483;

/** Flags that select a model and control its requests. */
export const modelFlags = {
  model: new Option("-m, --model <name>", 'model to use; "mock" is built in and needs no key'),
  baseUrl: new Option("--base-url <url>", "base URL of the server, e.g. http://localhost:8000/v1"),
  apiKey: new Option("--api-key <key>", "API key; prefer FLEXLLM_API_KEY or the configuration"),
  system: new Option("-s, --system <text>", "system prompt"),
  temperature: new Option("-t, --temperature <number>", "sampling temperature, 0 to 2")
    .argParser(numberWithin(0, 2)),
  maxTokens: new Option("--max-tokens <count>", "maximum tokens per answer")
    .argParser(integer(1)),
  thinking: new Option(
    "--thinking <level>",
    `reasoning effort: on, off, ${THINKING_LEVELS.join(", ")}, or a number of tokens`,
  ).argParser(thinkingLevel),
  timeout: new Option("--timeout <seconds>", "timeout per attempt, e.g. 90 or 5m (default: 120)")
    .argParser(timeout),
  /** For commands that send a few short requests. */
  shortTimeout: new Option(
    "--timeout <seconds>",
    `timeout per request, e.g. 10 or 1m (default: ${SHORT_TIMEOUT})`,
  )
    .argParser(timeout),
  retryTimes: new Option("--retry-times <count>", "retries of a failed request (default: 3)")
    .argParser(integer(0)),
  /** For interactive commands. */
  shortMaxWait: new Option(
    "--max-wait <seconds>",
    `maximum wait for rate limits, e.g. 90 or 5m (default: ${INTERACTIVE_MAX_WAIT})`,
  ).argParser(duration(LONGEST_WAIT)),
  allowPrivateUrls: new Option(
    "--allow-private-urls",
    "allow attachments from this machine and the local network",
  ),
} as const;
