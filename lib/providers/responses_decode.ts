/**
 * Answers of OpenAI's Responses API.
 *
 * Source: OpenAI API reference, "Responses", and the types of the `openai` package 7.57.
 *
 * @module
 */
import type { FinishReason, Usage } from "../chat/result.ts";
import { MalformedResponseError } from "../errors.ts";
import { asNumber, asObject, asObjects, asText, type Json } from "../json.ts";
import type { Completion } from "./provider.ts";
import { embeddedError } from "./response_error.ts";

/** Decodes a usage object; `null` when there is none. */
export function decodeUsage(value: unknown): Usage | null {
  const usage = asObject(value);
  if (usage === undefined) return null;
  const promptTokens = asNumber(usage.input_tokens) ?? 0;
  const completionTokens = asNumber(usage.output_tokens) ?? 0;
  return {
    promptTokens,
    completionTokens,
    totalTokens: asNumber(usage.total_tokens) ?? promptTokens + completionTokens,
    cachedTokens: asNumber(asObject(usage.input_tokens_details)?.cached_tokens) ?? 0,
    reasoningTokens: asNumber(asObject(usage.output_tokens_details)?.reasoning_tokens) ?? 0,
  };
}

/** Why a response ended. */
export function finishReason(response: Json, output: readonly Json[]): FinishReason {
  if (response.status === "incomplete") {
    const reason = asObject(response.incomplete_details)?.reason;
    if (reason === "max_output_tokens") return "length";
    return reason === "content_filter" ? "content_filter" : "other";
  }
  if (output.some(({ type }) => type === "function_call")) return "tool_calls";
  const refused = parts(output, "message", "content").some(({ type }) => type === "refusal");
  return refused ? "content_filter" : "stop";
}

/** The parts in the field `field` of the items of one type. */
function parts(output: readonly Json[], type: string, field: string): Json[] {
  return output.filter((item) => item.type === type).flatMap((item) => asObjects(item[field]));
}

/** Throws when the response failed. */
export function checkFailed(response: Json): void {
  const error = asObject(response.error);
  if (response.status === "failed" || error !== undefined) {
    throw embeddedError({ message: asText(error?.message), code: asText(error?.code) });
  }
}

/** Decodes a whole response. */
export function decode(body: unknown): Completion {
  const response = asObject(body);
  if (response === undefined || !Array.isArray(response.output)) {
    throw new MalformedResponseError("the server's answer is not a response: it has no output", {
      hint: 'Check that the server speaks the Responses API, or set api to "chat".',
    });
  }
  checkFailed(response);
  const output = asObjects(response.output);
  const summary = parts(output, "reasoning", "summary").map(({ text }) => text ?? "");
  return {
    content: parts(output, "message", "content").map(({ text, refusal }) => text ?? refusal ?? "")
      .join(""),
    thinking: summary.join("\n\n") || null,
    refusal: asText(
      parts(output, "message", "content").map(({ refusal }) => refusal ?? "").join(""),
    ) ?? null,
    toolCalls: output.filter(({ type }) => type === "function_call").map((item) => ({
      id: asText(item.call_id) ?? "",
      type: "function",
      function: { name: asText(item.name) ?? "", arguments: asText(item.arguments) ?? "" },
    })),
    usage: decodeUsage(response.usage),
    finishReason: finishReason(response, output),
    model: asText(response.model) ?? "",
    native: { format: "responses", content: output },
  };
}
