/**
 * Formats the lines of a server's access log, and writes them without blocking or breaking the server.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { write } from "node:fs";
import process from "node:process";
import { setTimeout } from "node:timers";
import type { Style } from "./output.ts";
import { printableLine, printableStyled } from "./sanitize.ts";

/** The formats of an access log. */
export const ACCESS_LOG_FORMATS = ["text", "json"] as const;

/** A format of an access log. */
export type AccessLogFormat = (typeof ACCESS_LOG_FORMATS)[number];

/** Styles a part of a line. */
export type Paint = (style: Style, text: string) => string;

/** Longest path and model, in characters. */
const MAX_NAME = 100;
/** Maximum bytes that wait for a slow reader of the log; further lines are dropped. */
const MAX_PENDING = 4 * 2 ** 20;
/** Milliseconds until a full pipe is tried again. */
const RETRY = 20;

/** Shortens text of clients and servers, without control characters. */
export function shortLine(text: string, limit: number): string {
  const line = printableLine(text);
  return line.length <= limit ? line : `${line.slice(0, limit - 1)}…`;
}

/** The local time of day. */
function clockTime(time: Date): string {
  const parts = [time.getHours(), time.getMinutes(), time.getSeconds()];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

function shownDuration(seconds: number): string {
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  return `${seconds < 99.95 ? seconds.toFixed(2) : Math.round(seconds)} s`;
}

function statusStyle(status: number | undefined): Style {
  if (status === undefined) return "yellow";
  if (status >= 500) return "red";
  return status >= 400 ? "yellow" : "green";
}

/** A request, as a line of text shows it. */
export interface LoggedRequest {
  time: Date;
  method: string;
  path: string;
  model?: string;
  /** `undefined` if the client left before there was one. */
  status?: number;
  streamed: boolean;
  /** Seconds. */
  duration: number;
  promptTokens?: number;
  completionTokens?: number;
}

/**
 * One line: time, status, duration, tokens of the prompt and of the answer, method, path, model, and what was
 * special. The columns of fixed width come first, so that all lines are aligned.
 */
export function requestLine(
  request: LoggedRequest,
  remarks: readonly string[],
  paint: Paint,
): string {
  const { time, method, path, model, status, streamed, duration } = request;
  const { promptTokens, completionTokens } = request;
  const count = (tokens: number | undefined) => tokens === undefined ? "-" : String(tokens);
  const hasTokens = promptTokens !== undefined || completionTokens !== undefined;
  const tokens = `${count(promptTokens).padStart(5)} → ${count(completionTokens).padEnd(5)}`;
  const start = [
    paint("dim", clockTime(time)),
    paint(statusStyle(status), status === undefined ? "---" : String(status)),
    shownDuration(duration).padStart(7),
    hasTokens ? tokens : " ".repeat(tokens.length),
    `${method.padEnd(4)} ${shortLine(path, MAX_NAME)}`,
  ].join(" ");
  const columns = [start];
  if (model !== undefined) columns.push(paint("bold", shortLine(model, MAX_NAME)));
  if (streamed) columns.push("stream");
  return [...columns, ...remarks].join("  ");
}

/**
 * Writes lines to stdout in the background. The server keeps answering when the reader of the log is slow or
 * gone, or the disk is full: a log must not break what it watches.
 */
export class LineLog {
  #isOpen = true;
  #pending: string[] = [];
  #pendingBytes = 0;
  #dropped = 0;
  #writing: Promise<void> | undefined;

  /** Adds a line. */
  add(line: string): void {
    if (!this.#isOpen) return;
    if (this.#pendingBytes > MAX_PENDING) {
      this.#dropped++;
      return;
    }
    const shown = process.stdout.isTTY ? printableStyled(line) : line;
    this.#pending.push(shown);
    this.#pendingBytes += shown.length + 1;
    this.#writing ??= this.#writeAll();
  }

  /** Lines that were dropped because the reader was too slow. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Resolves when all lines so far are written, or cannot be. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    // Lines of the same turn are written together.
    await Promise.resolve();
    while (this.#isOpen && this.#pending.length > 0) {
      const bytes = Buffer.from(`${this.#pending.join("\n")}\n`);
      this.#pending = [];
      await this.#write(bytes);
      this.#pendingBytes = this.#pending.reduce((sum, line) => sum + line.length + 1, 0);
    }
    this.#writing = undefined;
  }

  async #write(bytes: Buffer): Promise<void> {
    for (let offset = 0; offset < bytes.length;) {
      try {
        offset += await new Promise<number>((resolve, reject) =>
          write(
            1,
            bytes,
            offset,
            bytes.length - offset,
            null,
            (error, written) => error ? reject(error) : resolve(written),
          )
        );
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN") {
          this.#isOpen = false;
          return;
        }
        await new Promise<void>((resolve) => void setTimeout(resolve, RETRY));
      }
    }
  }
}
