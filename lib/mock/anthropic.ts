/**
 * The mock's side of Anthropic's Messages API.
 *
 * Source: Anthropic API reference, "Messages", "Streaming messages", "Errors".
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
} from "./protocol.ts";
import { contentKey, type MockAnswer, type MockQuestion, textOf } from "./question.ts";
import { tokenize } from "./text.ts";

const messagesRequest = v.looseObject({
  model: v.pipe(v.string(), v.nonEmpty()),
  max_tokens: v.number(),
  messages: v.pipe(
    v.array(v.looseObject({
      role: v.picklist(["user", "assistant", "system"]),
      content: v.union([v.string(), v.array(v.looseObject({ type: v.string() }))]),
    })),
    v.minLength(1),
  ),
  system: v.nullish(v.unknown()),
  stream: v.nullish(v.boolean()),
  tools: v.nullish(v.array(v.looseObject({
    name: v.string(),
    input_schema: v.optional(v.record(v.string(), v.unknown())),
  }))),
  tool_choice: v.nullish(v.looseObject({ type: v.string(), name: v.optional(v.string()) })),
  thinking: v.nullish(v.looseObject({ type: v.string() })),
  output_config: v.nullish(v.looseObject({
    format: v.nullish(v.looseObject({ schema: v.record(v.string(), v.unknown()) })),
  })),
});

function read(body: unknown): MockQuestion | MockTrouble {
  const result = readBody(messagesRequest, body);
  if ("trouble" in result) return result.trouble;
  const { messages, system, tool_choice: choice, ...request } = result.value;
  const asked = messages.findLast(({ role }) => role === "user");
  return {
    model: request.model,
    conversation: [system, ...messages.map(({ content }) => content)].map(contentKey).join("\n"),
    question: textOf(asked?.content),
    tools: (request.tools ?? []).map(({ name, input_schema }) => ({
      name,
      schema: input_schema ?? { type: "object" },
    })),
    required: choice?.type === "tool" ? choice.name ?? false : choice?.type === "any",
    format: request.output_config?.format?.schema ?? "text",
    thinking: request.thinking?.type === "enabled" || request.thinking?.type === "adaptive",
    maxTokens: request.max_tokens,
    stream: request.stream ?? false,
  };
}

type Block = Record<string, unknown>;

function blocksOf(answer: MockAnswer): Block[] {
  const { id, thinking, calls, text } = answer;
  const blocks: Block[] = [];
  if (thinking !== "") {
    blocks.push({ type: "thinking", thinking, signature: btoa(`signature ${id}`) });
  }
  if (text !== "" || calls.length === 0) blocks.push({ type: "text", text, citations: null });
  for (const call of calls) {
    const input = JSON.parse(call.arguments);
    blocks.push({ type: "tool_use", id: `toolu_${call.id}`, name: call.name, input });
  }
  return blocks;
}

const STOP_REASONS = { stop: "end_turn", length: "max_tokens", tool_calls: "tool_use" } as const;

function messageOf(answer: MockAnswer, content: Block[]) {
  return {
    id: `msg_${answer.id}`,
    type: "message",
    role: "assistant",
    model: answer.model,
    content,
    stop_reason: STOP_REASONS[answer.finish] as string | null,
    stop_sequence: null,
    usage: {
      input_tokens: answer.promptTokens,
      output_tokens: answer.completionTokens,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      output_tokens_details: { thinking_tokens: answer.thinkingTokens },
      service_tier: "standard",
    },
  };
}

/** A block as it begins, and what is then added to it. */
function streamed(block: Block, answer: MockAnswer): { start: Block; deltas: Block[] } {
  switch (block.type) {
    case "thinking":
      return {
        start: { type: "thinking", thinking: "", signature: "" },
        deltas: [
          ...tokenize(answer.thinking).map((thinking) => ({ type: "thinking_delta", thinking })),
          { type: "signature_delta", signature: block.signature },
        ],
      };
    case "tool_use":
      return {
        start: { ...block, input: {} },
        deltas: tokenize(JSON.stringify(block.input)).map((partial_json) => ({
          type: "input_json_delta",
          partial_json,
        })),
      };
    default:
      return {
        start: { ...block, text: "" },
        deltas: tokenize(answer.text).map((text) => ({ type: "text_delta", text })),
      };
  }
}

function* typedEvents(answer: MockAnswer): Generator<Block> {
  const whole = messageOf(answer, []);
  const message = { ...whole, stop_reason: null, usage: { ...whole.usage, output_tokens: 1 } };
  yield { type: "message_start", message };
  yield { type: "ping" };
  for (const [index, block] of blocksOf(answer).entries()) {
    const { start, deltas } = streamed(block, answer);
    yield { type: "content_block_start", index, content_block: start };
    for (const delta of deltas) yield { type: "content_block_delta", index, delta };
    yield { type: "content_block_stop", index };
  }
  const { stop_reason, stop_sequence, usage } = whole;
  yield { type: "message_delta", delta: { stop_reason, stop_sequence }, usage };
  yield { type: "message_stop" };
}

function* events(answer: MockAnswer): Generator<MockEvent> {
  for (const event of typedEvents(answer)) {
    yield { event: String(event.type), data: JSON.stringify(event), token: true };
  }
}

const ERRORS = {
  invalid: [400, "invalid_request_error"],
  rate_limit: [429, "rate_limit_error"],
  server_error: [500, "api_error"],
  overloaded: [529, "overloaded_error"],
  not_found: [404, "not_found_error"],
} as const;

function error(trouble: MockTrouble) {
  const [status, type] = ERRORS[trouble.kind];
  const body = { type: "error", error: { type, message: trouble.message }, request_id: "req_mock" };
  return { status, body };
}

function models(ids: readonly string[]) {
  return {
    data: ids.map((id) => ({
      type: "model",
      id,
      display_name: id,
      created_at: "2026-01-01T00:00:00Z",
    })),
    has_more: false,
    first_id: ids[0] ?? null,
    last_id: ids.at(-1) ?? null,
  };
}

function headers(requests: number, limit: RequestLimit | undefined): Record<string, string> {
  const all: Record<string, string> = { "request-id": `req_mock_${requests}` };
  if (limit === undefined) return all;
  all["anthropic-ratelimit-requests-limit"] = String(limit.limit);
  all["anthropic-ratelimit-requests-remaining"] = String(limit.remaining);
  const reset = new Date(Date.now() + limit.reset * 1000);
  all["anthropic-ratelimit-requests-reset"] = reset.toISOString();
  return all;
}

/** The Messages API. */
export const anthropic: MockProtocol = {
  read,
  body: (answer) => messageOf(answer, blocksOf(answer)),
  events,
  error,
  models,
  headers,
};
