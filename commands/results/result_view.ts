/**
 * Formats one result to be read in a terminal.
 *
 * @module
 */
import process from "node:process";
import type { ResultRecord } from "../../lib/batch/journal/result_line.ts";
import { cellText } from "../../lib/results/cell_text.ts";
import { messageTexts, outputText } from "../../lib/results/message_text.ts";
import { counted, dollars, duration, tokenCounts } from "../terminal/format.ts";
import { colored, type Style } from "../terminal/output.ts";
import { printable, printableLine } from "../terminal/sanitize.ts";
import { widthOf } from "../terminal/width.ts";
import { widthOfStream, wrapped } from "../terminal/wrap.ts";
import { latencyText } from "./count_lines.ts";

/** How to show a result. */
export interface ViewOptions {
  /** The name of its file, if there are several. */
  file?: string;
  /** Maximum characters of each text. @default no maximum */
  maxText?: number;
}

const INDENT = "  ";
/** Longer words are broken: a line must not run into the indent. */
const BREAK = /./gsu;

/** Breaks words that are wider than a line. */
function brokenWords(line: string, columns: number): string {
  return line.split(" ").map((word) => {
    if (widthOf(word) <= columns) return word;
    let text = "";
    let width = 0;
    for (const [character] of word.matchAll(BREAK)) {
      const more = widthOf(character);
      if (width + more > columns) {
        text += " ";
        width = 0;
      }
      text += character;
      width += more;
    }
    return text;
  }).join(" ");
}

/** The lines of a text, indented, and wrapped on a terminal. */
function textLines(text: string, columns: number | undefined): string[] {
  const lines = printable(text).replaceAll("\t", "    ").split("\n");
  const fitted = columns === undefined ? lines : lines.flatMap((line) => {
    const width = Math.max(20, columns - INDENT.length);
    return wrapped(brokenWords(line, width), width);
  });
  return fitted.map((line) => line === "" ? "" : `${INDENT}${line}`);
}

function isNumber(value: unknown): value is number {
  return typeof value === "number";
}

/** The facts about a call: model, finish reason, time, tokens and cost. */
function facts(record: ResultRecord): string[] {
  const { usage, cost, latency, queued, first_token: first, attempts, cached } = record;
  const found: string[] = [];
  const name = (value: unknown) => {
    if (typeof value === "string" && value !== "") found.push(printableLine(value));
  };
  name(record.requested_model);
  if (record.model !== record.requested_model) name(record.model);
  name(record.finish_reason);
  if (isNumber(latency)) found.push(latencyText(latency));
  if (isNumber(first)) found.push(`first token after ${latencyText(first)}`);
  if (isNumber(queued) && queued >= 1) found.push(`queued ${duration(queued)}`);
  if (isNumber(attempts) && attempts > 1) found.push(counted(attempts, "attempt"));
  if (isNumber(usage?.prompt_tokens) && isNumber(usage.completion_tokens)) {
    found.push(tokenCounts(usage.prompt_tokens, usage.completion_tokens));
  }
  if (isNumber(cost)) found.push(dollars(cost));
  if (cached === true) found.push("from the cache");
  name(record.endpoint);
  name(record.at);
  return found;
}

/** Tool calls as text: one name with its arguments per line. */
function toolCallText(calls: unknown): string {
  if (!Array.isArray(calls)) return cellText(calls);
  return calls.map((call) => {
    const { name, arguments: values } = (call?.function ?? {}) as Record<string, unknown>;
    return typeof name === "string" ? `${name}(${cellText(values)})` : cellText(call);
  }).join("\n");
}

function heading({ index, status }: ResultRecord, file: string | undefined): string {
  const style: Style = status === "success" ? "green" : "red";
  const state = status === "success" ? "succeeded" : "failed";
  const where = file === undefined ? "" : ` (${printableLine(file)})`;
  const stream = process.stdout;
  return `${colored("bold", `Record ${index}${where}`, stream)}: ${colored(style, state, stream)}`;
}

/** The lines that show a result. */
export function resultView(
  record: ResultRecord,
  { file, maxText = Infinity }: ViewOptions = {},
): string[] {
  const columns = widthOfStream(process.stdout);
  const lines = [heading(record, file)];
  const line = facts(record).join(" · ");
  if (line !== "") lines.push(...columns === undefined ? [line] : wrapped(line, columns));
  const add = (title: string, text: string) => {
    if (text === "") return;
    lines.push(colored("dim", printableLine(title), process.stdout));
    const rest = text.length - maxText;
    lines.push(...textLines(rest > 0 ? text.slice(0, maxText) : text, columns));
    if (rest > 0) {
      const more = `… ${counted(rest, "more character")}: --show ${record.index}`;
      lines.push(INDENT + colored("dim", more, process.stdout));
    }
  };
  for (const { role, text } of messageTexts(record)) add(role, text);
  if (typeof record.thinking === "string") add("thinking", record.thinking);
  add(record.status === "error" ? "rejected output" : "output", outputText(record));
  if (record.tool_calls !== undefined) add("tool calls", toolCallText(record.tool_calls));
  if (record.error !== undefined || record.error_code !== undefined) {
    add("error", [record.error_code, record.error].filter(Boolean).map(cellText).join(": "));
  }
  if (record.citations !== undefined) add("citations", cellText(record.citations));
  if (record.options !== undefined) add("options", cellText(record.options));
  if (record.metadata !== undefined) add("metadata", cellText(record.metadata));
  return lines;
}
