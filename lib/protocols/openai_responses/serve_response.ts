/**
 * Encodes the response object of the Responses API, which repeats most fields of its request.
 *
 * Source: the type `Response` of the `openai` package 7.57.
 *
 * @module
 */
import type { FinishReason } from "../../chat/result.ts";
import { asObject, type Json } from "../../json/json.ts";
import type { Usage } from "../../usage.ts";
import type { ResponseHead, ServerRequest, ServerResponse } from "../serve.ts";
import { encodeOutput } from "./serve_output.ts";
import { clientTools } from "./serve_tools.ts";

/** Repeated fields with their defaults. */
const REPEATED: readonly [name: string, fallback: unknown][] = [
  ["background", false],
  ["instructions", null],
  ["max_output_tokens", null],
  ["max_tool_calls", null],
  ["metadata", {}],
  ["parallel_tool_calls", true],
  ["previous_response_id", null],
  ["prompt", null],
  ["prompt_cache_key", null],
  ["prompt_cache_retention", null],
  ["safety_identifier", null],
  ["store", true],
  ["temperature", 1],
  ["tool_choice", "auto"],
  ["tools", []],
  ["top_logprobs", 0],
  ["top_p", 1],
  ["truncation", "disabled"],
];

/** Defaults of OpenAI that do not hold for other providers' answers. */
const UNKNOWN_ELSEWHERE: Json = { store: false, temperature: null, top_p: null };

/** Fields that are only echoed if they were sent. */
const REPEATED_IF_GIVEN = ["access_programs", "image", "moderation", "user"];

function repeatedFields(request: Json, isSimulated: boolean | undefined): Json {
  const { reasoning, text, conversation, service_tier: tier, prompt_cache_options } = request;
  const fields: Json = { access_programs: null };
  for (const [name, fallback] of REPEATED) fields[name] = request[name] ?? fallback;
  if (!isSimulated) {
    for (const name in UNKNOWN_ELSEWHERE) fields[name] = request[name] ?? UNKNOWN_ELSEWHERE[name];
  }
  for (const name of REPEATED_IF_GIVEN) {
    if (request[name] !== undefined) fields[name] = request[name];
  }
  fields.reasoning = { effort: null, summary: null, ...asObject(reasoning) };
  fields.text = {
    format: { type: "text" },
    verbosity: isSimulated ? "medium" : undefined,
    ...asObject(text),
  };
  fields.conversation = typeof conversation === "string"
    ? { id: conversation }
    : conversation ?? null;
  if (isSimulated) {
    fields.service_tier = tier === undefined || tier === null || tier === "auto" ? "default" : tier;
  }
  if (prompt_cache_options !== undefined) {
    fields.prompt_cache_options = {
      mode: "implicit",
      ttl: "30m",
      ...asObject(prompt_cache_options),
    };
  }
  return fields;
}

/** How a response ended, or that it has not. */
export type ResponseStatus = "in_progress" | "completed" | "incomplete" | "failed";

/** The status for a finish reason. A refusal is a complete answer. */
export function statusOf(
  finishReason: FinishReason,
  isRefusal: boolean,
): "completed" | "incomplete" {
  const isComplete = finishReason === "stop" || finishReason === "tool_calls" ||
    finishReason === "content_filter" && isRefusal;
  return isComplete ? "completed" : "incomplete";
}

/** Encodes the response object in one state of a response. */
export function encodeResponseObject(
  { id, model, created, isSimulated }: ResponseHead,
  request: Json,
  output: readonly Json[],
  status: ResponseStatus,
  finishReason: FinishReason,
  usage: Usage | null,
): Json {
  return {
    id: `resp_${id}`,
    object: "response",
    created_at: created,
    completed_at: status === "completed" ? created : null,
    status,
    error: null,
    incomplete_details: status === "incomplete"
      ? { reason: finishReason === "length" ? "max_output_tokens" : finishReason }
      : null,
    model,
    output,
    ...repeatedFields(request, isSimulated),
    usage: status === "in_progress" || usage === null ? null : {
      input_tokens: usage.promptTokens,
      input_tokens_details: {
        cached_tokens: usage.cachedTokens ?? 0,
        cache_write_tokens: usage.cacheWriteTokens ?? 0,
      },
      output_tokens: usage.completionTokens,
      output_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0 },
      total_tokens: usage.totalTokens,
    },
  };
}

/** Encodes a whole answer. */
export function encodeResponse(response: ServerResponse, { body }: ServerRequest): unknown {
  const { usage, choices: [choice] } = response;
  const { finishReason, refusal } = choice;
  const output = encodeOutput(response, choice, clientTools(body));
  const status = statusOf(finishReason, refusal !== null);
  return encodeResponseObject(response, body, output, status, finishReason, usage);
}
