/**
 * Prints the answers of `flexllm ask` as JSON, and notes about each answer.
 *
 * @module
 */
import type { ChatResult } from "../../lib/chat/result.ts";
import { tokenCounts } from "../terminal/format.ts";
import { printable } from "../terminal/sanitize.ts";
import { colored, writeJson, writeNote } from "../terminal/output.ts";
import type { AskFlags } from "./flags.ts";

function toJson(result: ChatResult) {
  return {
    content: result.content,
    refusal: result.refusal ?? undefined,
    citations: result.citations,
    logprobs: result.logprobs,
    parsed: result.parsed,
    thinking: result.thinking,
    tool_calls: result.toolCalls,
    model: result.model,
    finish_reason: result.finishReason,
    usage: result.usage && {
      prompt_tokens: result.usage.promptTokens,
      completion_tokens: result.usage.completionTokens,
      total_tokens: result.usage.totalTokens,
    },
    cost: result.cost,
    cached: result.cached,
    latency: Math.round(result.latency * 1000) / 1000,
  };
}

/** Prints one answer as a value, or several as an array; without `--json`, only their parsed values. */
export function printAnswers(
  results: readonly ChatResult[],
  { json, count = 1 }: Pick<AskFlags, "json" | "count">,
): void {
  if (results.length === 0) return;
  const values = results.map((result) => json ? toJson(result) : result.parsed);
  writeJson(count === 1 ? values[0] : values);
}

function describe(result: ChatResult): string {
  const { usage } = result;
  const tokens = usage ? tokenCounts(usage.promptTokens, usage.completionTokens) : "no usage";
  const time = result.cached ? "from the cache" : `${result.latency.toFixed(2)} s`;
  return `${result.model}: ${tokens}, ${time}, ${result.finishReason}`;
}

/** Notes on stderr what an answer's text does not show: tool calls, an empty or truncated answer. */
export function noteAnswer(result: ChatResult, verbose: boolean): void {
  for (const { function: { name, arguments: json } } of result.toolCalls) {
    writeNote(colored("yellow", printable(`The model calls ${name}(${json}).`)));
  }
  if (result.content === "" && result.refusal === null && result.toolCalls.length === 0) {
    writeNote(colored("yellow", "The answer is empty."));
  }
  if (result.finishReason === "length") {
    writeNote(colored("yellow", "The answer was truncated at the token limit."));
  }
  if (verbose) writeNote(colored("dim", describe(result)));
}
