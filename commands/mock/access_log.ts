/**
 * Writes the mock's access log to stdout: one line per request, or one JSON object.
 *
 * @module
 */
import process from "node:process";
import { microseconds } from "../../lib/log/microseconds.ts";
import type { MockAccess } from "../../lib/mock/access_log.ts";
import { colored } from "../terminal/output.ts";
import {
  type AccessLogFormat,
  LineLog,
  type Paint,
  requestLine,
  shortLine,
} from "../terminal/request_log.ts";

/** Longest error message, in characters. */
const MAX_ERROR = 400;

/** What was special about a request: at most one fault, one end and one error. */
function remarks({ outcome, fault, error, note }: MockAccess, paint: Paint): string[] {
  const remarks: string[] = [];
  if (note !== undefined) remarks.push(paint("dim", shortLine(note, MAX_ERROR)));
  if (fault !== undefined) remarks.push(paint("yellow", `injected ${fault}`));
  else if (error !== undefined) remarks.push(paint("yellow", shortLine(error, MAX_ERROR)));
  if (outcome === "aborted") remarks.push(paint("yellow", "client left"));
  // An injected fault already says it.
  if (outcome === "broken" && fault === undefined) remarks.push(paint("red", "connection broken"));
  return remarks;
}

/** One line of text. */
export function accessLine(access: MockAccess, paint: Paint): string {
  return requestLine(access, remarks(access, paint), paint);
}

/** One JSON object, with the names of the library. */
function accessJson({ time, duration, ...rest }: MockAccess): string {
  return JSON.stringify({ time: time.toISOString(), ...rest, duration: microseconds(duration) });
}

/** Makes a function that adds a request to `log`. */
export function accessLogger(
  format: AccessLogFormat,
  log: LineLog = new LineLog(),
): (access: MockAccess) => void {
  const paint: Paint = (style, text) => colored(style, text, process.stdout);
  return (access) => log.add(format === "json" ? accessJson(access) : accessLine(access, paint));
}
