/**
 * The object of a response, which repeats most fields of its request.
 *
 * Source: the type `Response` of the `openai` package 7.57.
 *
 * @module
 */
import { asObject, type Json } from "../json/json.ts";
import type { MockAnswer } from "./mock_answer.ts";
import { timestamp } from "./protocol.ts";

/** Fields that are echoed, with their defaults. */
const ECHOED: readonly [name: string, otherwise: unknown][] = [
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
/** Fields that are only echoed if they were sent. */
const OPTIONAL = ["access_programs", "image", "moderation", "user"];

function echoed(request: Json): Json {
  const { reasoning, text, conversation, service_tier: tier, prompt_cache_options } = request;
  const fields: Json = { access_programs: null };
  for (const [name, otherwise] of ECHOED) fields[name] = request[name] ?? otherwise;
  for (const name of OPTIONAL) if (request[name] !== undefined) fields[name] = request[name];
  fields.reasoning = { effort: null, summary: null, ...asObject(reasoning) };
  fields.text = { format: { type: "text" }, verbosity: "medium", ...asObject(text) };
  fields.conversation = typeof conversation === "string"
    ? { id: conversation }
    : conversation ?? null;
  fields.service_tier = tier === undefined || tier === null || tier === "auto" ? "default" : tier;
  if (prompt_cache_options !== undefined) {
    fields.prompt_cache_options = {
      mode: "implicit",
      ttl: "30m",
      ...asObject(prompt_cache_options),
    };
  }
  return fields;
}

/** How an answer ended. */
export function statusOf({ choices: [{ finish }] }: MockAnswer): "completed" | "incomplete" {
  return finish === "length" ? "incomplete" : "completed";
}

/** The response at one moment: in progress, or finished. */
export function responseOf(
  answer: MockAnswer,
  request: Json,
  output: readonly Json[],
  status: "in_progress" | "completed" | "incomplete",
): Json {
  const { promptTokens, completionTokens, thinkingTokens } = answer;
  const created_at = timestamp();
  return {
    id: `resp_${answer.id}`,
    object: "response",
    created_at,
    completed_at: status === "completed" ? created_at : null,
    status,
    error: null,
    incomplete_details: status === "incomplete" ? { reason: "max_output_tokens" } : null,
    model: answer.model,
    output,
    ...echoed(request),
    usage: status === "in_progress" ? null : {
      input_tokens: promptTokens,
      input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
      output_tokens: completionTokens,
      output_tokens_details: { reasoning_tokens: thinkingTokens },
      total_tokens: promptTokens + completionTokens,
    },
  };
}
