/**
 * Writes the mock's access log to stdout: one line per request, or one JSON object.
 *
 * @module
 */
import process from "node:process";
import type { MockAccess } from "../../lib/mock/access_log.ts";
import { colored, type Style } from "../terminal/output.ts";
import { printableLine, printableStyled } from "../terminal/sanitize.ts";

/** The formats of the access log. */
export const ACCESS_LOG_FORMATS = ["text", "json"] as const;

/** A format of the access log. */
export type AccessLogFormat = (typeof ACCESS_LOG_FORMATS)[number];

/** Longest path and error message, in characters. */
const MAX_PATH = 100;
const MAX_ERROR = 400;

type Paint = (style: Style, text: string) => string;

function short(text: string, limit: number): string {
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

/** What was special about a request: at most one fault, one end and one error. */
function remarks({ outcome, fault, error, note }: MockAccess, paint: Paint): string[] {
  const remarks: string[] = [];
  if (note !== undefined) remarks.push(paint("dim", short(note, MAX_ERROR)));
  if (fault !== undefined) remarks.push(paint("yellow", `injected ${fault}`));
  else if (error !== undefined) remarks.push(paint("yellow", short(error, MAX_ERROR)));
  if (outcome === "aborted") remarks.push(paint("yellow", "client left"));
  // An injected fault already says it.
  if (outcome === "broken" && fault === undefined) remarks.push(paint("red", "connection broken"));
  return remarks;
}

/**
 * One line: time, status, duration, tokens of the prompt and of the answer, method, path, model, and what was
 * special. The columns of fixed width come first, so that all lines are aligned.
 */
export function accessLine(access: MockAccess, paint: Paint): string {
  const { time, method, path, model, status, streamed, duration } = access;
  const { promptTokens, completionTokens } = access;
  const count = (tokens: number | undefined) => tokens === undefined ? "-" : String(tokens);
  const hasTokens = promptTokens !== undefined || completionTokens !== undefined;
  const tokens = `${count(promptTokens).padStart(5)} → ${count(completionTokens).padEnd(5)}`;
  const start = [
    paint("dim", clockTime(time)),
    paint(statusStyle(status), status === undefined ? "---" : String(status)),
    shownDuration(duration).padStart(7),
    hasTokens ? tokens : " ".repeat(tokens.length),
    `${method.padEnd(4)} ${short(path, MAX_PATH)}`,
  ].join(" ");
  const columns = [start];
  if (model !== undefined) columns.push(paint("bold", short(model, MAX_PATH)));
  if (streamed) columns.push("stream");
  return [...columns, ...remarks(access, paint)].join("  ");
}

/** One JSON object, with the names of the library. */
function accessJson({ time, duration, ...rest }: MockAccess): string {
  const seconds = Math.round(duration * 1e6) / 1e6;
  return JSON.stringify({ time: time.toISOString(), ...rest, duration: seconds });
}

/**
 * Makes a function that logs requests. The server keeps answering when the reader of the log is gone or the
 * disk is full: a log must not break what it watches.
 */
export function accessLogger(format: AccessLogFormat): (access: MockAccess) => void {
  const { stdout } = process;
  let isOpen = true;
  stdout.on("error", () => isOpen = false);
  const paint: Paint = (style, text) => colored(style, text, stdout);
  return (access) => {
    if (!isOpen) return;
    const line = format === "json" ? accessJson(access) : accessLine(access, paint);
    stdout.write(`${stdout.isTTY ? printableStyled(line) : line}\n`);
  };
}
