/**
 * Formats the steps of a model test, and suggests what to do about a failed one.
 *
 * @module
 */
import process from "node:process";
import type { ModelInfo } from "../../lib/protocols/protocol.ts";
import {
  ConnectionError,
  type FlexLLMError,
  HttpError,
  RateLimitError,
  TimeoutError,
} from "../../lib/errors.ts";
import type { ChatResult } from "../../lib/chat/result.ts";
import type { Step } from "../../lib/probe/probe_model.ts";
import { oneLineMessage } from "../errors/groups.ts";
import { type Cell, truncate } from "../terminal/table.ts";
import { widthOfStream } from "../terminal/wrap.ts";
import { tokenCounts } from "../terminal/format.ts";
import { colored } from "../terminal/output.ts";

const STYLES = { ok: "green", failed: "red", skipped: "dim" } as const;

/** Formats seconds with two decimals. */
export function seconds(value: number | undefined): string {
  return value === undefined ? "" : `${value.toFixed(2)} s`;
}

/** Formats an amount in USD that may be tiny. */
export function usd(amount: number): string {
  return `$${amount >= 0.01 || amount === 0 ? amount.toFixed(2) : amount.toPrecision(2)}`;
}

/** Limits of the shown excerpt of an answer, in columns. */
const MAX_EXCERPT = 30;
const MIN_EXCERPT = 8;

function describeAnswer(
  { content, usage, cost, finishReason }: ChatResult,
  maxWidth: number,
): string {
  const facts = [
    ...finishReason === "length" ? ["truncated"] : [],
    ...usage ? [tokenCounts(usage.promptTokens, usage.completionTokens)] : [],
    ...typeof cost === "number" ? [usd(cost)] : [],
  ].map((fact) => `, ${fact}`).join("");
  const text = oneLineMessage(content);
  if (text === "") return `no text${facts}`;
  const width = Math.max(MIN_EXCERPT, Math.min(MAX_EXCERPT, maxWidth - facts.length - 2));
  return `"${truncate(text, width)}"${facts}`;
}

/**
 * The result of a step, or its error.
 *
 * @param maxWidth columns that an answer should fit in
 */
export function stepDetail(step: Step, maxWidth = Infinity): string {
  if (step.error !== undefined) return oneLineMessage(step.error);
  if (step.result !== undefined) return describeAnswer(step.result, maxWidth);
  if (step.firstToken !== undefined) return `first token after ${seconds(step.firstToken)}`;
  return "";
}

/** The width of the columns before the detail. */
const DETAIL_COLUMN = 37;

/** Formats a step as a line. */
export function stepLine(step: Step): string {
  const state = colored(STYLES[step.state], step.state.padEnd(7), process.stdout);
  const time = seconds(step.seconds).padStart(8);
  const name = step.name.padEnd(14);
  const maxWidth = (widthOfStream(process.stdout) ?? Infinity) - DETAIL_COLUMN;
  return `  ${name}  ${state}  ${time}  ${stepDetail(step, maxWidth)}`.trimEnd();
}

/** Formats a step as a cell of a table of models. */
export function stepCell(step: Step | undefined): Cell {
  if (step === undefined || step.state === "skipped") return { text: "-", style: "dim" };
  if (step.state === "failed") return { text: "failed", style: "red" };
  return { text: seconds(step.firstToken ?? step.seconds) || "ok", style: "green" };
}

const LOCAL = /\/\/(localhost|127\.|\[::1\]|0\.0\.0\.0)/;

function connectionHint(error: ConnectionError, baseUrl: string): string {
  if (/resolved/.test(error.message)) {
    return "Check the host in the base URL, and your network.";
  }
  if (/refused/.test(error.message) && LOCAL.test(baseUrl)) {
    return "Start the server, or fix the port in the base URL.";
  }
  return "Check the base URL, your network and your proxy, if any (HTTPS_PROXY).";
}

/** Suggests what to do about a failed step. */
export function nextStep(
  error: FlexLLMError,
  baseUrl: string,
  offered: readonly ModelInfo[],
): string | undefined {
  if (error instanceof ConnectionError) return connectionHint(error, baseUrl);
  if (error instanceof TimeoutError) return "The server may be busy; try --timeout 120.";
  if (error instanceof RateLimitError) return "Wait a while, then test again.";
  if (error instanceof HttpError && [400, 404].includes(error.status) && offered.length > 0) {
    const names = offered.slice(0, 5).map(({ id }) => id).join(", ");
    const more = offered.length > 5 ? `, … (${offered.length}; see \`flexllm models\`)` : "";
    return `The server offers ${names}${more}. ${error.hint ?? ""}`.trim();
  }
  return error.hint;
}
