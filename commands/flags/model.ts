/**
 * Defines the flags that select a model and control its requests.
 *
 * @module
 */
import { Option } from "@commander-js/extra-typings";
import { HELP_GROUPS } from "./help_groups.ts";
import { duration, integer, timeout } from "./parse.ts";

/** Default of `--max-wait` in `ask` and `chat`, in seconds: shorter than a batch's, as a person is waiting. */
export const INTERACTIVE_MAX_WAIT = 120;

/** Default of `--timeout` in commands that send a few short requests, in seconds. */
export const SHORT_TIMEOUT = 30;

/** The longest `--max-wait`, in seconds: timers take at most 2^31 - 1 milliseconds. */
export const LONGEST_WAIT = 2_147_483;

function option<Flags extends string>(group: string, flags: Flags, description: string) {
  return new Option(flags, description).helpGroup(group);
}

const { model, prompt, requests } = HELP_GROUPS;

/** Flags that select a model and control its requests. */
export const modelFlags = {
  model: option(model, "-m, --model <name>", 'model to use; "mock" is built in and needs no key'),
  baseUrl: option(
    model,
    "--base-url <url>",
    "base URL of the server, e.g. http://localhost:8000/v1",
  ),
  apiKey: option(
    model,
    "--api-key <key>",
    "API key; prefer FLEXLLM_API_KEY or the configuration",
  ),
  system: option(prompt, "-s, --system <text>", "system prompt"),
  timeout: option(
    requests,
    "--timeout <duration>",
    "timeout per attempt, e.g. 90s or 5m (default: 120s)",
  ).argParser(timeout),
  /** For commands that send a few short requests. */
  shortTimeout: option(
    requests,
    "--timeout <duration>",
    `timeout per request, e.g. 10s or 1m (default: ${SHORT_TIMEOUT}s)`,
  ).argParser(timeout),
  retryTimes: option(
    requests,
    "--retry-times <count>",
    "retries of a failed request (default: 3)",
  ).argParser(integer(0)),
  /** For interactive commands. */
  shortMaxWait: option(
    requests,
    "--max-wait <duration>",
    `maximum wait for rate limits, e.g. 90s or 5m (default: ${INTERACTIVE_MAX_WAIT}s)`,
  ).argParser(duration(LONGEST_WAIT)),
  allowPrivateUrls: option(
    requests,
    "--allow-private-urls",
    "allow attachments from this machine and the local network",
  ),
} as const;
