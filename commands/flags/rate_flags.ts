/**
 * Defines the flags for rate limits of commands that send many requests.
 *
 * @module
 */
import { Option } from "@commander-js/extra-typings";
import { DEFAULTS } from "../../lib/client/defaults.ts";
import { LONGEST_WAIT } from "./model.ts";
import { duration, integer, positiveNumber } from "./parse.ts";

/** How fast requests are sent. */
export const rateFlags = {
  maxQps: new Option("--max-qps <number>", "maximum requests per second").argParser(positiveNumber),
  maxTpm: new Option("--max-tpm <number>", "maximum tokens per minute (input + output)")
    .argParser(positiveNumber),
  maxInFlight: new Option(
    "--max-in-flight <count>",
    "maximum concurrent requests over all processes that share --redis",
  ).argParser(integer(1)),
  adaptive: new Option("--no-adaptive", "don't adapt to the rate limits of the server"),
  maxWait: new Option(
    "--max-wait <duration>",
    `maximum wait for rate limits or an unreachable server (default: ${DEFAULTS.maxWait}s)`,
  ).argParser(duration(LONGEST_WAIT)),
} as const;
