/**
 * The flags of commands that can log their calls.
 *
 * @module
 */
import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { LOG_LEVELS } from "../../lib/log/log_level.ts";
import { HELP_GROUPS } from "./help_groups.ts";

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 1e3,
  kb: 1e3,
  m: 1e6,
  mb: 1e6,
  g: 1e9,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

/** Parses a size: `50MB`, `1GB`, `512KiB`, or a number of bytes. Returns bytes. */
export function byteSize(text: string): number {
  const [, amount = "", unit = ""] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim()) ?? [];
  const bytes = amount === "" ? NaN : Math.round(Number(amount) * UNITS[unit.toLowerCase()]);
  if (Number.isSafeInteger(bytes)) return bytes;
  throw new InvalidArgumentError("Expected a size such as 50MB or 1GB; without a unit, bytes.");
}

function option<Flags extends string>(flags: Flags, description: string) {
  return new Option(flags, description).helpGroup(HELP_GROUPS.log);
}

/** The flags. */
export const logFlags = {
  level: option(
    "--log-level <level>",
    "log calls as JSON lines: error: failed ones; warn: also aborted and retried ones; info: all; debug: also " +
      "every attempt (default: info)",
  ).choices(LOG_LEVELS),
  file: option("--log-file <file>", "append the log to this file (default: standard error)"),
  maxSize: option(
    "--log-max-size <size>",
    "rename the log file to FILE.1 at this size (default: 100MB)",
  ).argParser(byteSize),
  content: option("--log-content", "also log prompts and answers, up to 4,000 characters each"),
} as const;
