/**
 * Writes the facts of calls as JSON lines: the failed ones, all of them, or every attempt.
 *
 * @module
 */
import type { AttemptFacts, CallContent, CallFacts } from "../chat/call_facts.ts";
import { ConfigurationError } from "../errors.ts";
import { attemptLine, callLine, contentOf, levelOfCall } from "./log_lines.ts";
import { LogFile } from "./log_file.ts";
import { isLogged, LOG_LEVELS, type LogLevel } from "./log_level.ts";

/** The options of a {@link CallLog}. */
export interface CallLogOptions {
  /**
   * What is logged: `error` failed calls, `warn` also calls that were retried or aborted, `info` all calls, `debug`
   * also every attempt.
   *
   * @default "info"
   */
  level?: LogLevel;
  /** The file to append to; created if necessary, readable by its owner only. */
  file?: string;
  /**
   * Maximum size of the file in bytes, at least 64 kB. When it is reached, the file is renamed to `FILE.1`, so that
   * there are never more than two.
   *
   * @default 100_000_000
   */
  maxSize?: number;
  /**
   * Whether to log prompts and answers, each truncated to 4,000 characters.
   *
   * @default false
   */
  content?: boolean;
  /** Receives the lines instead of a file. */
  write?: (line: string) => void;
  /** Called if lines cannot be written. */
  onWarning?: (message: string) => void;
}

/** The default of {@link CallLogOptions.maxSize}, in bytes. */
const DEFAULT_LOG_SIZE = 100_000_000;

/** The smallest {@link CallLogOptions.maxSize}, in bytes. */
export const MIN_LOG_SIZE = 64_000;

function expectLevel(level: LogLevel): void {
  if (LOG_LEVELS.includes(level)) return;
  throw new ConfigurationError(`level: expected one of ${LOG_LEVELS.join(", ")}, got ${level}`);
}

/**
 * A log of calls. Its {@link CallLog.onCall} and {@link CallLog.onAttempt} are options of clients.
 *
 * @example
 * ```ts
 * import { CallLog, LLMClient } from "@flexllm/flexllm";
 *
 * using log = new CallLog({ file: "calls.jsonl", level: "debug" });
 * const { onCall, onAttempt } = log;
 * await using client = new LLMClient({ provider: "mock", model: "mock", onCall, onAttempt });
 * await client.chatCompletions([{ role: "user", content: "Hello!" }]);
 * ```
 */
export class CallLog implements Disposable {
  /** What is logged. */
  readonly level: LogLevel;
  /** Logs a call. */
  readonly onCall: (facts: CallFacts, content: CallContent) => void;
  /** Logs an attempt; `undefined` unless the level is `debug`. */
  readonly onAttempt: ((facts: AttemptFacts) => void) | undefined;
  readonly #file: LogFile | undefined;
  readonly #write: (line: string) => void;

  /**
   * Opens the log.
   *
   * @throws {ConfigurationError} if an option is invalid, or the file cannot be opened
   */
  constructor(options: CallLogOptions) {
    const { level = "info", file, maxSize = DEFAULT_LOG_SIZE, content = false } = options;
    expectLevel(level);
    if (!(maxSize >= MIN_LOG_SIZE)) {
      throw new ConfigurationError(`maxSize: expected bytes ≥ ${MIN_LOG_SIZE}, got ${maxSize}`);
    }
    if ((file === undefined) === (options.write === undefined)) {
      throw new ConfigurationError("a log of calls needs either file or write");
    }
    this.level = level;
    const log = file === undefined
      ? undefined
      : new LogFile(file, { maxSize, onWarning: options.onWarning });
    this.#file = log;
    this.#write = log === undefined ? options.write! : (line) => log.add(line);
    this.onCall = (facts, received) => {
      const severity = levelOfCall(facts);
      if (!isLogged(severity, level)) return;
      this.write({
        ...callLine(facts, severity),
        ...content ? contentOf(received) : undefined,
      });
    };
    this.onAttempt = level === "debug" ? (facts) => this.write(attemptLine(facts)) : undefined;
  }

  /** Adds a record of another kind. */
  write(record: object): void {
    this.#write(JSON.stringify(record));
  }

  /** Writes pending lines to the file. */
  flush(): void {
    this.#file?.flush();
  }

  /** Writes pending lines and closes the file. */
  close(): void {
    this.#file?.close();
  }

  /** Closes the log, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}
