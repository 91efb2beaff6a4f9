/**
 * The mock's side of Anthropic's Messages API.
 *
 * Source: Anthropic API reference, "Messages", "Streaming messages", "Errors", and the types of
 * `@anthropic-ai/sdk` 1.12.
 *
 * @module
 */
import { asObject, asObjects, asText, type Json } from "../json/json.ts";
import { anthropicModel, anthropicModels } from "./anthropic_models.ts";
import type { CannedCitation } from "./canned.ts";
import type { MockAnswer, MockChoice } from "./mock_answer.ts";
import { contentKey, limitOf, type MockTool, stopsOf, textOf } from "./mock_request.ts";
import type { MockError, MockEvent, MockProtocol, RequestLimit } from "./protocol.ts";
import { reader } from "./read_body.ts";
import { tokenize } from "./text.ts";
import { checkAnthropic } from "./validate_anthropic.ts";

/** The tools that the client runs; those with a dated type have schemas that only Anthropic knows. */
function toolsOf(body: Json): MockTool[] {
  return asObjects(body.tools).flatMap(({ type, name, input_schema }) => {
    const isCustom = type === undefined || type === null || type === "custom";
    return isCustom && typeof name === "string"
      ? [{ name, schema: asObject(input_schema) ?? { type: "object" } }]
      : [];
  });
}

const read = reader(checkAnthropic, (body) => {
  const messages = asObjects(body.messages);
  const asked = messages.findLast(({ role }) => role === "user");
  const choice = asObject(body.tool_choice);
  const thinking = asObject(body.thinking)?.type;
  return {
    model: asText(body.model) ?? "mock",
    conversation: [body.system, ...messages.map(({ content }) => content)].map(contentKey).join(
      "\n",
    ),
    question: textOf(asked?.content),
    tools: toolsOf(body),
    required: choice?.type === "tool" ? asText(choice.name) ?? false : choice?.type === "any",
    format: asObject(asObject(asObject(body.output_config)?.format)?.schema) ?? "text",
    thinking: thinking === "enabled" || thinking === "adaptive",
    maxTokens: limitOf(body.max_tokens),
    stop: stopsOf(body.stop_sequences),
    choices: 1,
    topLogprobs: undefined,
    stream: body.stream === true,
  };
});

function citationsOf(citations: readonly CannedCitation[]): Json[] | null {
  if (citations.length === 0) return null;
  return citations.map(({ url = "", title = null, text = "" }) => ({
    type: "web_search_result_location",
    cited_text: text,
    encrypted_index: btoa("mock"),
    title,
    url,
  }));
}

/** Blocks are never empty, but an empty answer has one empty block. */
function hasText({ text, calls, refusal, finish }: MockChoice): boolean {
  return text !== "" || calls.length === 0 && refusal === undefined && finish !== "length";
}

function blocksOf({ id, choices: [choice] }: MockAnswer, request: Json): Json[] {
  const blocks: Json[] = [];
  if (choice.thinking !== "") {
    const isOmitted = asObject(request.thinking)?.display === "omitted";
    const thinking = isOmitted ? "" : choice.thinking;
    blocks.push({ type: "thinking", thinking, signature: btoa(`signature ${id}`) });
  }
  if (hasText(choice)) {
    blocks.push({ type: "text", text: choice.text, citations: citationsOf(choice.citations) });
  }
  for (const call of choice.calls) {
    blocks.push({
      type: "tool_use",
      id: `toolu_${call.id}`,
      name: call.name,
      input: call.custom ? { input: call.arguments } : JSON.parse(call.arguments),
      caller: { type: "direct" },
    });
  }
  return blocks;
}

const STOP_REASONS = {
  stop: "end_turn",
  length: "max_tokens",
  tool_calls: "tool_use",
  refusal: "refusal",
} as const;

/** How a message ended; streams have a separate event for it. */
function endOf({ finish, stopSequence, refusal }: MockChoice) {
  return {
    stop_reason: stopSequence === null ? STOP_REASONS[finish] : "stop_sequence",
    stop_sequence: stopSequence,
    stop_details: finish === "refusal"
      ? { type: "refusal", category: null, explanation: refusal }
      : null,
    container: null,
  };
}

function usageOf(answer: MockAnswer) {
  return {
    input_tokens: answer.promptTokens,
    output_tokens: answer.completionTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens_details: { thinking_tokens: answer.thinkingTokens },
    server_tool_use: null,
  };
}

function messageOf(answer: MockAnswer, request: Json, content: Json[]) {
  return {
    id: `msg_${answer.id}`,
    type: "message",
    role: "assistant",
    model: answer.model,
    content,
    diagnostics: request.diagnostics ? { cache_miss_reason: null } : null,
    ...endOf(answer.choices[0]),
    usage: {
      ...usageOf(answer),
      cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
      inference_geo: request.inference_geo ?? null,
      service_tier: "standard",
      speed: request.speed ?? "standard",
    },
  };
}

/** A block as it begins, and what is then added to it. */
function streamed(block: Json): { start: Json; deltas: Json[] } {
  switch (block.type) {
    case "thinking":
      return {
        start: { type: "thinking", thinking: "", signature: "" },
        deltas: [
          ...tokenize(String(block.thinking)).map((thinking) => ({
            type: "thinking_delta",
            thinking,
          })),
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
        start: { ...block, text: "", citations: block.citations === null ? null : [] },
        deltas: [
          ...tokenize(String(block.text)).map((text) => ({ type: "text_delta", text })),
          ...asObjects(block.citations).map((citation) => ({ type: "citations_delta", citation })),
        ],
      };
  }
}

function* typedEvents(answer: MockAnswer, request: Json): Generator<Json> {
  const whole = messageOf(answer, request, []);
  const message = {
    ...whole,
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    usage: { ...whole.usage, output_tokens: 1, output_tokens_details: { thinking_tokens: 0 } },
  };
  yield { type: "message_start", message };
  yield { type: "ping" };
  for (const [index, block] of blocksOf(answer, request).entries()) {
    const { start, deltas } = streamed(block);
    yield { type: "content_block_start", index, content_block: start };
    for (const delta of deltas) yield { type: "content_block_delta", index, delta };
    yield { type: "content_block_stop", index };
  }
  yield { type: "message_delta", delta: endOf(answer.choices[0]), usage: usageOf(answer) };
  yield { type: "message_stop" };
}

function* events(answer: MockAnswer, request: Json): Generator<MockEvent> {
  for (const event of typedEvents(answer, request)) {
    yield { event: String(event.type), data: JSON.stringify(event), token: true };
  }
}

const ERRORS: Record<number, string> = {
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  409: "conflict_error",
  413: "request_too_large",
  429: "rate_limit_error",
  503: "overloaded_error",
  504: "timeout_error",
  529: "overloaded_error",
};

function requestId(requests: number): string {
  return `req_mock_${requests}`;
}

function error({ status, message }: MockError, requests: number) {
  const type = ERRORS[status] ?? (status < 500 ? "invalid_request_error" : "api_error");
  return { type: "error", error: { type, message }, request_id: requestId(requests) };
}

function headers(requests: number, limit: RequestLimit | undefined): Record<string, string> {
  const all: Record<string, string> = { "request-id": requestId(requests) };
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
  body: (answer, request) => messageOf(answer, request, blocksOf(answer, request)),
  events,
  error,
  overloaded: 529,
  models: anthropicModels,
  model: anthropicModel,
  count: (input_tokens) => ({ input_tokens }),
  headers,
};
