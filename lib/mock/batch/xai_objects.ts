/**
 * Encodes batches and results as xAI does: counters instead of a status, and answers in the format of Chat
 * Completions whatever the request was.
 *
 * Source: xAI documentation, "Batch API", and recorded answers of the API.
 *
 * @module
 */
import { asNumber, asObject, asObjects, asText, type Json } from "../../json/json.ts";
import type { JobRecord, JobState } from "./job.ts";
import type { RowTotals } from "./row_answers.ts";

/** Parts of a USD in which costs are reported. */
const TICKS = 1e10;
/** Batch prices in USD per token; the mock has the same ones for all models. */
const [INPUT_PRICE, OUTPUT_PRICE] = [0.1e-6, 0.25e-6];

/** A batch. */
export function encodeXaiBatch(job: JobRecord, state: JobState, totals: RowTotals): Json {
  const { phase } = state;
  const done = totals.succeeded + totals.failed;
  const isFailed = phase === "failed";
  const isCancelled = isFailed || phase === "cancelling" || phase === "cancelled";
  const cancelTime = asNumber(job.details.cancelTime) ?? job.cancelledAt;
  return {
    batch_id: job.id,
    name: job.details.name,
    create_time: new Date(asNumber(job.details.createTime) ?? job.createdAt).toISOString(),
    expire_time: new Date(job.expiresAt).toISOString(),
    cancel_time: cancelTime === undefined ? null : new Date(cancelTime).toISOString(),
    cancel_by_xai_message: isFailed ? job.problem?.message ?? null : null,
    state: {
      num_requests: job.rows,
      num_pending: isCancelled ? 0 : job.rows - done,
      num_success: totals.succeeded,
      num_error: totals.failed,
      num_cancelled: isCancelled ? job.rows - done : 0,
    },
  };
}

function chatMessage(output: Json[]): Json {
  const parts = output.filter(({ type }) => type === "message")
    .flatMap(({ content }) => asObjects(content));
  const calls = output.filter(({ type }) => type === "function_call");
  const message: Json = {
    role: "assistant",
    content: parts.map(({ text }) => asText(text) ?? "").join(""),
    refusal: null,
  };
  if (calls.length > 0) {
    message.tool_calls = calls.map(({ call_id, name, arguments: args }) => ({
      id: call_id,
      type: "function",
      function: { name, arguments: args },
    }));
  }
  return message;
}

/** An answer of the Responses API in the format of Chat Completions. */
function asChat(body: Json): Json {
  const usage = asObject(body.usage) ?? {};
  const message = chatMessage(asObjects(body.output));
  const isCut = body.status === "incomplete";
  return {
    id: body.id,
    object: "chat.completion",
    created: body.created_at,
    model: body.model,
    choices: [{
      index: 0,
      message,
      finish_reason: isCut ? "length" : message.tool_calls === undefined ? "stop" : "tool_calls",
    }],
    usage: {
      prompt_tokens: usage.input_tokens,
      completion_tokens: usage.output_tokens,
      total_tokens: usage.total_tokens,
      prompt_tokens_details: usage.input_tokens_details,
      completion_tokens_details: usage.output_tokens_details,
    },
  };
}

/** Reasoning tokens are not part of the completion tokens, and the cost is reported. */
function withXaiUsage(body: Json): Json {
  const usage = asObject(body.usage) ?? {};
  const [prompt, completion] = [
    asNumber(usage.prompt_tokens) ?? 0,
    asNumber(usage.completion_tokens) ?? 0,
  ];
  const reasoning = asNumber(asObject(usage.completion_tokens_details)?.reasoning_tokens) ?? 0;
  const cost = prompt * INPUT_PRICE + completion * OUTPUT_PRICE;
  return {
    ...body,
    usage: {
      ...usage,
      completion_tokens: completion - reasoning,
      cost_in_usd_ticks: Math.round(cost * TICKS),
    },
  };
}

/** The result of a row. */
export function encodeXaiResult(id: string, status: number, body: unknown): Json {
  const answer = asObject(body) ?? {};
  if (status >= 400) {
    const error = asText(asObject(answer.error)?.message) ?? asText(answer.error);
    return { batch_request_id: id, batch_result: { error: error ?? `status ${status}` } };
  }
  const chat = withXaiUsage(answer.object === "response" ? asChat(answer) : answer);
  return { batch_request_id: id, batch_result: { response: { chat_get_completion: chat } } };
}
