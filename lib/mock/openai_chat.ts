/**
 * The mock's side of OpenAI Chat Completions.
 *
 * Source: OpenAI API reference, "Chat Completions" and "Error codes".
 *
 * @module
 */
import * as v from "valibot";
import {
  type MockEvent,
  type MockProtocol,
  type MockTrouble,
  readBody,
  type RequestLimit,
  timestamp,
} from "./protocol.ts";
import { contentKey, type MockAnswer, type MockQuestion, textOf } from "./question.ts";
import { tokenize } from "./text.ts";

const tool = v.looseObject({
  type: v.literal("function"),
  function: v.looseObject({
    name: v.string(),
    parameters: v.optional(v.record(v.string(), v.unknown())),
  }),
});

const chatRequest = v.looseObject({
  model: v.pipe(v.string(), v.nonEmpty()),
  messages: v.pipe(
    v.array(v.looseObject({ role: v.string(), content: v.optional(v.unknown()) })),
    v.minLength(1),
  ),
  stream: v.nullish(v.boolean()),
  stream_options: v.nullish(v.looseObject({ include_usage: v.nullish(v.boolean()) })),
  tools: v.nullish(v.array(tool)),
  tool_choice: v.nullish(v.union([
    v.picklist(["none", "auto", "required"]),
    v.looseObject({ function: v.looseObject({ name: v.string() }) }),
  ])),
  max_tokens: v.nullish(v.number()),
  max_completion_tokens: v.nullish(v.number()),
  reasoning_effort: v.nullish(v.string()),
  enable_thinking: v.nullish(v.boolean()),
  chat_template_kwargs: v.nullish(v.looseObject({ enable_thinking: v.nullish(v.boolean()) })),
  response_format: v.nullish(v.looseObject({
    type: v.string(),
    json_schema: v.optional(v.looseObject({ schema: v.record(v.string(), v.unknown()) })),
  })),
});

function read(body: unknown): MockQuestion | MockTrouble {
  const result = readBody(chatRequest, body);
  if ("trouble" in result) return result.trouble;
  const { messages, tool_choice: choice, response_format: format, ...request } = result.value;
  const asked = messages.findLast(({ role }) => role === "user");
  return {
    model: request.model,
    conversation: messages.map(({ content }) => contentKey(content)).join("\n"),
    question: textOf(asked?.content),
    tools: (request.tools ?? []).map(({ function: { name, parameters } }) => ({
      name,
      schema: parameters ?? { type: "object" },
    })),
    required: typeof choice === "object" && choice !== null
      ? choice.function.name
      : choice === "required",
    format: format?.json_schema?.schema ?? (format?.type === "json_object" ? "json" : "text"),
    // OpenAI's word, and those of Qwen's and of self-hosted servers.
    thinking: (request.reasoning_effort ?? "none") !== "none" ||
      request.enable_thinking === true || request.chat_template_kwargs?.enable_thinking === true,
    maxTokens: request.max_completion_tokens ?? request.max_tokens ?? Infinity,
    stream: request.stream ?? false,
  };
}

function usageOf({ promptTokens, completionTokens, thinkingTokens }: MockAnswer) {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: thinkingTokens },
  };
}

function callsOf({ calls }: MockAnswer) {
  return calls.map(({ id, name, arguments: json }) => ({
    id: `call_${id}`,
    type: "function",
    function: { name, arguments: json },
  }));
}

function body(answer: MockAnswer) {
  const calls = callsOf(answer);
  return {
    id: `chatcmpl-${answer.id}`,
    object: "chat.completion",
    created: timestamp(),
    model: answer.model,
    choices: [{
      index: 0,
      message: {
        role: "assistant",
        content: answer.text === "" && calls.length > 0 ? null : answer.text,
        refusal: null,
        // Not OpenAI's, which shows no thinking here, but its compatible services'.
        ...(answer.thinking === "" ? {} : { reasoning_content: answer.thinking }),
        ...(calls.length === 0 ? {} : { tool_calls: calls }),
      },
      logprobs: null,
      finish_reason: answer.finish,
    }],
    usage: usageOf(answer),
  };
}

function* chunks(answer: MockAnswer, includeUsage: boolean) {
  const head = {
    id: `chatcmpl-${answer.id}`,
    object: "chat.completion.chunk",
    created: timestamp(),
    model: answer.model,
  };
  const usage = includeUsage ? { usage: null } : {};
  const chunk = (delta: object, finish_reason: string | null = null) => ({
    ...head,
    choices: [{ index: 0, delta, logprobs: null, finish_reason }],
    ...usage,
  });
  const calls = callsOf(answer);
  const content = answer.text === "" && calls.length > 0 ? null : "";
  yield chunk({ role: "assistant", content, refusal: null });
  for (const piece of tokenize(answer.thinking)) yield chunk({ reasoning_content: piece });
  for (const piece of tokenize(answer.text)) yield chunk({ content: piece });
  for (const [index, call] of calls.entries()) {
    const { name, arguments: json } = call.function;
    yield chunk({ tool_calls: [{ ...call, index, function: { name, arguments: "" } }] });
    for (const piece of tokenize(json)) {
      yield chunk({ tool_calls: [{ index, function: { arguments: piece } }] });
    }
  }
  yield chunk({}, answer.finish);
  if (includeUsage) yield { ...head, choices: [], usage: usageOf(answer) };
}

function* events(answer: MockAnswer, request: unknown): Generator<MockEvent> {
  const { stream_options: options } = request as v.InferOutput<typeof chatRequest>;
  for (const chunk of chunks(answer, options?.include_usage === true)) {
    yield { data: JSON.stringify(chunk), token: true };
  }
  yield { data: "[DONE]" };
}

/** The status and OpenAI's error body. */
export function openaiError(trouble: MockTrouble): { status: number; body: unknown } {
  const body = (type: string, code: string | null, param: string | null = null) => ({
    error: { message: trouble.message, type, param, code },
  });
  switch (trouble.kind) {
    case "invalid":
      return { status: 400, body: body("invalid_request_error", null, trouble.param) };
    case "rate_limit":
      return { status: 429, body: body("requests", "rate_limit_exceeded") };
    case "server_error":
      return { status: 500, body: body("server_error", null) };
    case "overloaded":
      return { status: 503, body: body("service_unavailable_error", "server_is_overloaded") };
    case "not_found":
      return { status: 404, body: body("invalid_request_error", "unknown_url") };
  }
}

/** OpenAI's list of models. */
export function openaiModels(models: readonly string[]) {
  return {
    object: "list",
    data: models.map((id) => ({ id, object: "model", created: 1700000000, owned_by: "flexllm" })),
  };
}

/** OpenAI's request id and rate-limit headers; `reset` is a duration in Go's form. */
export function openaiHeaders(
  requests: number,
  limit: RequestLimit | undefined,
): Record<string, string> {
  const headers: Record<string, string> = { "x-request-id": `req_mock_${requests}` };
  if (limit === undefined) return headers;
  headers["x-ratelimit-limit-requests"] = String(limit.limit);
  headers["x-ratelimit-remaining-requests"] = String(limit.remaining);
  headers["x-ratelimit-reset-requests"] = `${Math.ceil(limit.reset * 1000)}ms`;
  return headers;
}

/** Chat Completions. */
export const openaiChat: MockProtocol = {
  read,
  body,
  events,
  error: openaiError,
  models: openaiModels,
  headers: openaiHeaders,
};
