/**
 * Opens the log of calls that flags or the environment ask for.
 *
 * @module
 */
import process from "node:process";
import { ConfigurationError } from "../lib/errors.ts";
import { isSameFile } from "../lib/files/same_file.ts";
import { CallLog, MIN_LOG_SIZE } from "../lib/log/call_log.ts";
import { LOG_LEVELS, type LogLevel } from "../lib/log/log_level.ts";
import type { CallListener } from "../lib/chat/call_facts.ts";
import { writeNote } from "./terminal/output.ts";
import { writeWarning } from "./terminal/sentences.ts";

/** The parsed flags. */
export interface LogFlags {
  logLevel?: LogLevel;
  logFile?: string;
  /** Bytes. */
  logMaxSize?: number;
  logContent?: true;
}

/** Lines for stderr that wait for the end of an answer; `undefined` if none is being shown. */
let held: string[] | undefined;

/** Holds lines for stderr until {@link releaseLog}: they must not be in the middle of an answer. */
export function holdLog(): void {
  held ??= [];
}

/** Writes the lines that were held. */
export function releaseLog(): void {
  const lines = held ?? [];
  held = undefined;
  for (const line of lines) writeNote(line);
}

function writeLine(line: string): void {
  if (held === undefined) writeNote(line);
  else held.push(line);
}

function environmentLevel(): LogLevel | undefined {
  const value = process.env.FLEXLLM_LOG_LEVEL?.trim().toLowerCase();
  if (value === undefined || value === "") return undefined;
  const level = LOG_LEVELS.find((level) => level === value);
  if (level !== undefined) return level;
  throw new ConfigurationError(
    `FLEXLLM_LOG_LEVEL: expected one of ${LOG_LEVELS.join(", ")}, got ${JSON.stringify(value)}`,
  );
}

/** What to log, and where; `undefined` for nothing. */
function settingsOf(flags: LogFlags): { level: LogLevel; file: string | undefined } | undefined {
  const file = flags.logFile ?? (process.env.FLEXLLM_LOG_FILE || undefined);
  const level = flags.logLevel ?? environmentLevel();
  if (level !== undefined || file !== undefined) return { level: level ?? "info", file };
  const orphan = flags.logContent ? "--log-content" : flags.logMaxSize && "--log-max-size";
  if (orphan) {
    throw new ConfigurationError(`${orphan} requires --log-file or --log-level`);
  }
  return undefined;
}

/**
 * Checks that the log does not go to one of the files that a command reads or writes.
 *
 * @throws {ConfigurationError} if it does
 */
export function checkLogFile(flags: LogFlags, files: readonly string[]): void {
  const log = settingsOf(flags)?.file;
  if (log === undefined) return;
  const same = files.find((file) => isSameFile(file, log));
  if (same === undefined) return;
  throw new ConfigurationError(`the log file is also the input or output: ${same}`, {
    hint: "Choose another file with --log-file.",
  });
}

/** The log of this process: all clients write to the same one. */
let opened: CallLog | undefined;

/**
 * The log of calls, opened at the first call of this function; `undefined` if none is asked for.
 *
 * @throws {ConfigurationError} if a setting is invalid, or the file cannot be opened
 */
export function callLog(flags: LogFlags): CallLog | undefined {
  if (opened !== undefined) return opened;
  const settings = settingsOf(flags);
  if (settings === undefined) return undefined;
  const { level, file } = settings;
  const { logMaxSize: maxSize, logContent: content } = flags;
  if (maxSize !== undefined && file === undefined) {
    throw new ConfigurationError("--log-max-size requires --log-file");
  }
  if (maxSize !== undefined && maxSize < MIN_LOG_SIZE) {
    throw new ConfigurationError(`--log-max-size: expected at least ${MIN_LOG_SIZE / 1000}kB`);
  }
  const target = file === undefined ? { write: writeLine } : { file };
  const log = new CallLog({ ...target, level, maxSize, content, onWarning: writeWarning });
  // However the process ends, apart from SIGKILL.
  process.once("exit", () => {
    releaseLog();
    log.close();
  });
  return opened = log;
}

/**
 * The options of a client that log its calls; none if no log is asked for.
 *
 * @throws {ConfigurationError} like {@link callLog}
 */
export function callListeners(flags: LogFlags): CallListener {
  const log = callLog(flags);
  return log === undefined ? {} : { onCall: log.onCall, onAttempt: log.onAttempt };
}
