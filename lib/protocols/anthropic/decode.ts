/**
 * Decodes answers of Anthropic's Messages API and of compatible servers.
 *
 * Source: Anthropic API reference, "Messages", "Stop reasons" and "Errors", and the types of
 * `@anthropic-ai/sdk` 1.12.
 *
 * @module
 */
import type { Citation, FinishReason } from "../../chat/result.ts";
import type { ToolCall } from "../../chat/tool_call.ts";
import { MalformedResponseError } from "../../errors.ts";
import { asObject, asObjects, asText, type Json } from "../../json/json.ts";
import { decodeError as decodeOtherError } from "../openai_error.ts";
import { citationsOf } from "./citations.ts";
import { decodeUsage } from "./usage.ts";
import { finishReason, isFailure } from "../finish_reason.ts";
import type { Completion, ProviderError } from "../protocol.ts";
import { embeddedError } from "../response_error.ts";

/** Maps a stop reason to ours; a complete message without one ended normally. */
export function stopReason(reason: unknown, hasToolCalls: boolean): FinishReason {
  return asText(reason) === undefined && !hasToolCalls
    ? "stop"
    : finishReason(reason, hasToolCalls);
}

/** The error for a stop reason that means that the server failed during the answer. */
export function failureOf(reason: unknown): ProviderError | undefined {
  if (!isFailure(reason)) return undefined;
  const code = String(reason);
  return { message: `the answer ended with the stop reason "${code}"`, code, status: 502 };
}

/** The model's explanation of a refusal; `null` if it did not refuse, or gave none. */
export function refusalOf({ stop_reason, stop_details }: Json): string | null {
  return stop_reason === "refusal" ? asText(asObject(stop_details)?.explanation) ?? null : null;
}

/** The arguments of a call whose input arrived whole; some servers send it as text. */
export function argumentsOf(input: unknown): string {
  return typeof input === "string" ? input.trim() || "{}" : JSON.stringify(input ?? {});
}

function textOf(blocks: readonly Json[], type: string, field: string): string {
  let text = "";
  for (const block of blocks) {
    if (block.type === type) text += asText(block[field]) ?? "";
  }
  return text;
}

function toolCallsOf(blocks: readonly Json[]): ToolCall[] {
  return blocks.filter(({ type }) => type === "tool_use").map(({ id, name, input }) => ({
    id: asText(id) ?? "",
    type: "function",
    function: { name: asText(name) ?? "", arguments: argumentsOf(input) },
  }));
}

function allCitations(blocks: readonly Json[]): Citation[] {
  let start = 0;
  return blocks.filter(({ type }) => type === "text").flatMap((block) => {
    const citations = citationsOf(block, start);
    start += asText(block.text)?.length ?? 0;
    return citations;
  });
}

function contentOf(message: Json | undefined): unknown[] | undefined {
  const content = message?.content;
  if (Array.isArray(content)) return content;
  if (message?.type !== "message") return undefined;
  return typeof content === "string" ? [{ type: "text", text: content }] : [];
}

/**
 * Decodes a plain answer.
 *
 * @throws {MalformedResponseError} when it is not a message
 * @throws {HttpError} when its stop reason means that the server failed
 */
export function decode(body: unknown): Completion {
  const message = asObject(body);
  const content = contentOf(message);
  if (message === undefined || content === undefined) {
    throw new MalformedResponseError("the server's answer is not a message of the Messages API", {
      hint: "Check that the base URL is that of an Anthropic API.",
    });
  }
  const blocks = asObjects(content);
  const text = textOf(blocks, "text", "text");
  const thinking = textOf(blocks, "thinking", "thinking") || null;
  const toolCalls = toolCallsOf(blocks);
  const refusal = refusalOf(message);
  const usage = decodeUsage(message.usage);
  const citations = allCitations(blocks);
  const partial = { content: text || (refusal ?? ""), thinking, usage: usage.usage };
  const failure = failureOf(message.stop_reason);
  if (failure !== undefined) throw embeddedError(failure, undefined, partial);
  const completion: Completion = {
    ...partial,
    ...usage,
    refusal,
    toolCalls,
    finishReason: stopReason(message.stop_reason, toolCalls.length > 0),
    model: asText(message.model) ?? "",
    providerMessage: { format: "claude", content },
  };
  if (citations.length > 0) completion.citations = citations;
  return completion;
}

/** Codes of spend limits, which have the status 429 although waiting does not help. */
const SPEND_LIMITS = ["enforced_spend_limit_reached", "contract_spend_limit_reached"];

/**
 * Matches messages about an empty account and a monthly limit, both of type `invalid_request_error`: "Your
 * credit balance is too low to access the Anthropic API.", "You have reached your specified API usage
 * limits."
 */
const SPENT = /credit balance is too low|reached your (specified )?(workspace )?API usage limits/i;

/** Decodes `{"type":"error","error":{…}}`, in an answer or a stream, and the errors of other servers. */
export function decodeError(body: unknown): ProviderError | undefined {
  const answer = asObject(body);
  if (answer?.type !== "error") return decodeOtherError(body);
  const error = asObject(answer.error) ?? { message: answer.error ?? answer.message };
  const code = asText(asObject(error.details)?.error_code);
  const message = asText(error.message);
  return {
    message,
    code: code ?? asText(error.code) ?? asText(error.type),
    quota: error.type === "billing_error" || SPENT.test(message ?? "") ||
      (code !== undefined && SPEND_LIMITS.includes(code)),
  };
}
