/**
 * Decodes answers of OpenAI's Responses API.
 *
 * Source: OpenAI API reference, "Responses", and the types of the `openai` package 7.57; answers of gpt-oss,
 * LM Studio, llama.cpp and DeepSeek (reasoning text in `content`).
 *
 * @module
 */
import { canonicalJson } from "../../json/canonical.ts";
import type { Citation, FinishReason, TokenLogprob } from "../../chat/result.ts";
import type { Usage } from "../../usage.ts";
import type { ToolCall } from "../../chat/tool_call.ts";
import { MalformedResponseError } from "../../errors.ts";
import { asObject, asObjects, asText, type Json } from "../../json/json.ts";
import { decodeError } from "../openai_error.ts";
import { decodeArguments } from "../openai_chat/answer_message.ts";
import { decodeCost } from "../openai_chat/usage.ts";
import { decodeCitations } from "../citations.ts";
import { finishReason as reasonOf } from "../finish_reason.ts";
import type { Completion, ProviderError } from "../protocol.ts";
import { embeddedError } from "../response_error.ts";
import { decodeTokens } from "../token_logprobs.ts";
import { usageOf } from "../token_usage.ts";

/** Decodes a usage object; `null` if the server counted nothing. */
export function decodeUsage(value: unknown): Usage | null {
  const usage = asObject(value);
  if (usage === undefined) return null;
  const input = asObject(usage.input_tokens_details);
  const output = asObject(usage.output_tokens_details);
  return usageOf({
    prompt: usage.input_tokens,
    completion: usage.output_tokens,
    total: usage.total_tokens,
    cached: input?.cached_tokens ?? 0,
    cacheWrite: input?.cache_write_tokens,
    reasoning: output?.reasoning_tokens ?? 0,
  });
}

/**
 * Whether an item calls one of the caller's own tools. xAI's searches, which it runs itself, are also custom
 * calls; only their ids differ (recorded streams of `x_search`).
 */
export function isToolCall({ type, call_id: id }: Json): boolean {
  if (type === "custom_tool_call") return !String(id).startsWith("xs_");
  return type === "function_call";
}

/** Decodes the tool call in an item. */
export function decodeToolCall(item: Json, index: number): ToolCall {
  const id = asText(item.call_id) ?? asText(item.id) ?? `call_${index}`;
  const name = asText(item.name) ?? "";
  return item.type === "custom_tool_call"
    ? { id, type: "custom", function: { name, arguments: asText(item.input) ?? "" } }
    : {
      id,
      type: "function",
      function: { name, arguments: decodeArguments(item.arguments) || "{}" },
    };
}

/** Whether an item is a message that precedes the answer (commentary). */
export function isCommentary(item: Json): boolean {
  return item.type === "message" && item.phase === "commentary";
}

/** Maps the reason for which a response ended. */
export function finishReason(response: Json, output: readonly Json[]): FinishReason {
  if (response.status === "incomplete") {
    const { reason } = asObject(response.incomplete_details) ?? {};
    return reasonOf(reason, false);
  }
  if (output.some(isToolCall)) return "tool_calls";
  const refused = output.some(({ content }) =>
    asObjects(content).some(({ type }) => type === "refusal")
  );
  return refused ? "content_filter" : "stop";
}

/** The error that a response ended with. */
export function failureOf(response: Json): ProviderError | undefined {
  const { status } = response;
  const error = asObject(response.error) && decodeError({ error: response.error });
  if (error !== undefined) return withStatus(error);
  if (status !== "failed" && status !== "cancelled") return undefined;
  return { message: `the response has the status "${status}"`, code: status, status: 502 };
}

/** `error` with the HTTP status that its code implies. */
export function withStatus(error: ProviderError): ProviderError {
  const { code } = error;
  const status = code === "server_error" ? 500 : code === "rate_limit_exceeded" ? 429 : undefined;
  return { ...error, status: error.status ?? status };
}

/** The texts of thinking in an item. */
export function thoughtsOf(item: Json): string[] {
  if (isCommentary(item)) return texts(item.content);
  if (item.type !== "reasoning") return [];
  const summary = texts(item.summary);
  return summary.length > 0 ? summary : texts(item.content);
}

function texts(parts: unknown): string[] {
  return asObjects(parts).map(({ text }) => asText(text)).filter((text) => text !== undefined);
}

/** The canonical form of a text that is a JSON object or list; else `undefined`. */
export function jsonValue(text: string): string | undefined {
  if (!/^\s*[{[]/.test(text)) return undefined;
  try {
    return canonicalJson(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/**
 * The messages that make up the answer. Some models answer twice in one response when JSON is requested;
 * then only the last one counts.
 */
function answers(output: readonly Json[]): Json[] {
  const messages = output.filter((item) => item.type === "message" && !isCommentary(item));
  if (messages.length < 2) return messages;
  const areJson = messages.every(({ content }) => jsonValue(texts(content).join("")) !== undefined);
  return areJson ? messages.slice(-1) : messages;
}

/** Decodes a whole response. */
export function decode(body: unknown): Completion {
  const response = asObject(body);
  if (response === undefined || !Array.isArray(response.output)) {
    throw new MalformedResponseError("the server's answer is not a response: it has no output", {
      hint: 'Check that the server speaks the Responses API, or set api to "chat".',
    });
  }
  const output = asObjects(response.output);
  const citations: Citation[] = [];
  const logprobs: TokenLogprob[] = [];
  let content = "";
  for (const part of answers(output).flatMap((item) => asObjects(item.content))) {
    citations.push(...decodeCitations(part.annotations, content.length));
    logprobs.push(...decodeTokens(part.logprobs));
    content += asText(part.text) ?? "";
  }
  const refusal = output.flatMap((item) => asObjects(item.content))
    .map((part) => asText(part.refusal) ?? "").join("");
  const thinking = output.flatMap(thoughtsOf).join("\n\n") || null;
  const usage = decodeUsage(response.usage);
  const failure = failureOf(response);
  if (failure !== undefined) throw embeddedError(failure, undefined, { content, thinking, usage });
  const completion: Completion = {
    content: content || refusal,
    thinking,
    refusal: refusal || null,
    toolCalls: output.filter(isToolCall).map(decodeToolCall),
    usage,
    finishReason: finishReason(response, output),
    model: asText(response.model) ?? "",
    providerMessage: { format: "responses", content: output },
  };
  const cost = decodeCost(asObject(response.usage));
  if (cost !== undefined) completion.cost = cost;
  if (citations.length > 0) completion.citations = citations;
  if (logprobs.length > 0) completion.logprobs = logprobs;
  const serviceTier = asText(response.service_tier);
  if (serviceTier !== undefined) completion.serviceTier = serviceTier;
  return completion;
}
