/**
 * What a person reads of the steps that a model was tried in.
 *
 * @module
 */
import process from "node:process";
import type { ModelInfo } from "../../lib/protocols/protocol.ts";
import { ConnectionError, type FlexLLMError, HttpError, TimeoutError } from "../../lib/errors.ts";
import { RateLimitError } from "../../lib/errors.ts";
import type { ChatResult } from "../../lib/chat/result.ts";
import type { Step } from "../../lib/probe/probe_model.ts";
import { oneLineMessage } from "../errors/groups.ts";
import { type Cell, cut, widthOfStream } from "../terminal/table.ts";
import { colored } from "../terminal/output.ts";

const STYLES = { ok: "green", failed: "red", skipped: "dim" } as const;

/** Seconds for a person. */
export function seconds(value: number | undefined): string {
  return value === undefined ? "" : `${value.toFixed(2)} s`;
}

/** An amount of USD that may be tiny. */
export function usd(amount: number): string {
  return `$${amount >= 0.01 || amount === 0 ? amount.toFixed(2) : amount.toPrecision(2)}`;
}

/** How much of an answer is shown, in columns. */
const MOST_SHOWN = 30;
const LEAST_SHOWN = 8;

function describeAnswer(
  { content, usage, cost, finishReason }: ChatResult,
  room: number,
): string {
  const facts = [
    ...finishReason === "length" ? ["cut"] : [],
    ...usage ? [`${usage.promptTokens} tokens in, ${usage.completionTokens} out`] : [],
    ...typeof cost === "number" ? [usd(cost)] : [],
  ].map((fact) => `, ${fact}`).join("");
  const text = oneLineMessage(content);
  if (text === "") return `no text${facts}`;
  const width = Math.max(LEAST_SHOWN, Math.min(MOST_SHOWN, room - facts.length - 2));
  return `"${cut(text, width)}"${facts}`;
}

/** What a step says beside its state and its time; in `room` columns, as far as that is possible. */
export function detail(step: Step, room = Infinity): string {
  if (step.error !== undefined) return oneLineMessage(step.error);
  if (step.result !== undefined) return describeAnswer(step.result, room);
  if (step.firstToken !== undefined) return `first token after ${seconds(step.firstToken)}`;
  return "";
}

/** The columns that name, state and time of a step take. */
const BEFORE_DETAIL = 37;

/** The line of a step. */
export function stepLine(step: Step): string {
  const state = colored(STYLES[step.state], step.state.padEnd(7), process.stdout);
  const time = seconds(step.seconds).padStart(8);
  const name = step.name.padEnd(14);
  const room = (widthOfStream(process.stdout) ?? Infinity) - BEFORE_DETAIL;
  return `  ${name}  ${state}  ${time}  ${detail(step, room)}`.trimEnd();
}

/** The cell of a step in a table of many models. */
export function stepCell(step: Step | undefined): Cell {
  if (step === undefined || step.state === "skipped") return { text: "-", style: "dim" };
  if (step.state === "failed") return { text: "failed", style: "red" };
  return { text: seconds(step.firstToken ?? step.seconds) || "ok", style: "green" };
}

const LOCAL = /\/\/(localhost|127\.|\[::1\]|0\.0\.0\.0)/;

function connectionHint(error: ConnectionError, baseUrl: string): string {
  if (/resolved/.test(error.message)) {
    return "Check the host in the base URL, and the network.";
  }
  if (/refused/.test(error.message) && LOCAL.test(baseUrl)) {
    return "Start the server, or correct the port in the base URL.";
  }
  return "Check the base URL, the network and, if there is one, the proxy (HTTPS_PROXY).";
}

/** What to do about a failed step. */
export function nextStep(
  error: FlexLLMError,
  baseUrl: string,
  offered: readonly ModelInfo[],
): string | undefined {
  if (error instanceof ConnectionError) return connectionHint(error, baseUrl);
  if (error instanceof TimeoutError) return "The server may be busy: try --timeout 120.";
  if (error instanceof RateLimitError) return "Wait a while, and test again.";
  if (error instanceof HttpError && [400, 404].includes(error.status) && offered.length > 0) {
    const names = offered.slice(0, 5).map(({ id }) => id).join(", ");
    const more = offered.length > 5 ? `, … (${offered.length}; see \`flexllm models\`)` : "";
    return `The server offers ${names}${more}. ${error.hint ?? ""}`.trim();
  }
  return error.hint;
}
