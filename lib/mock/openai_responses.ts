/**
 * The mock's side of OpenAI's Responses API.
 *
 * Source: OpenAI API reference, "Responses", and the types of the `openai` package 7.57.
 *
 * @module
 */
import * as v from "valibot";
import { openaiError, openaiHeaders, openaiModels } from "./openai_chat.ts";
import {
  type MockEvent,
  type MockProtocol,
  type MockTrouble,
  readBody,
  timestamp,
} from "./protocol.ts";
import { type MockAnswer, type MockQuestion, textOf } from "./question.ts";
import { tokenize } from "./text.ts";

const responsesRequest = v.looseObject({
  model: v.pipe(v.string(), v.nonEmpty()),
  input: v.union([v.string(), v.array(v.looseObject({ type: v.optional(v.string()) }))]),
  instructions: v.nullish(v.string()),
  stream: v.nullish(v.boolean()),
  tools: v.nullish(v.array(v.looseObject({
    type: v.string(),
    name: v.optional(v.string()),
    parameters: v.nullish(v.record(v.string(), v.unknown())),
  }))),
  tool_choice: v.nullish(v.union([v.string(), v.looseObject({ name: v.optional(v.string()) })])),
  max_output_tokens: v.nullish(v.number()),
  reasoning: v.nullish(v.looseObject({ effort: v.nullish(v.string()) })),
  text: v.nullish(v.looseObject({
    format: v.nullish(v.looseObject({
      type: v.string(),
      schema: v.optional(v.record(v.string(), v.unknown())),
    })),
  })),
});

function read(body: unknown): MockQuestion | MockTrouble {
  const result = readBody(responsesRequest, body);
  if ("trouble" in result) return result.trouble;
  const { input, tool_choice: choice, text, ...request } = result.value;
  const items = typeof input === "string" ? [{ role: "user", content: input }] : input;
  const asked = items.findLast((item) => "role" in item && item.role === "user");
  const format = text?.format;
  return {
    model: request.model,
    conversation: `${request.instructions ?? ""}${JSON.stringify(items)}`,
    question: textOf(asked && "content" in asked ? asked.content : ""),
    tools: (request.tools ?? []).map(({ name = "", parameters }) => ({
      name,
      schema: parameters ?? { type: "object" },
    })),
    required: typeof choice === "object" && choice !== null
      ? choice.name ?? false
      : choice === "required",
    format: format?.schema ?? (format?.type === "json_object" ? "json" : "text"),
    thinking: request.reasoning?.effort !== undefined && request.reasoning?.effort !== "none",
    maxTokens: request.max_output_tokens ?? Infinity,
    stream: request.stream ?? false,
  };
}

function outputOf(answer: MockAnswer) {
  const { id, calls } = answer;
  const output: Record<string, unknown>[] = [];
  if (answer.thinking !== "") {
    output.push({
      type: "reasoning",
      id: `rs_${id}`,
      summary: [{ type: "summary_text", text: answer.thinking }],
      encrypted_content: btoa(`reasoning ${id}`),
    });
  }
  if (answer.text !== "" || calls.length === 0) {
    output.push({
      type: "message",
      id: `msg_${id}`,
      role: "assistant",
      status: answer.finish === "length" ? "incomplete" : "completed",
      content: [{ type: "output_text", text: answer.text, annotations: [], logprobs: [] }],
    });
  }
  for (const call of calls) {
    output.push({
      type: "function_call",
      id: `fc_${call.id}`,
      call_id: `call_${call.id}`,
      name: call.name,
      arguments: call.arguments,
      status: "completed",
    });
  }
  return output;
}

function responseOf(answer: MockAnswer, output: unknown[], status: string) {
  const { promptTokens, completionTokens } = answer;
  const ended = status !== "in_progress";
  return {
    id: `resp_${answer.id}`,
    object: "response",
    created_at: timestamp(),
    status,
    error: null,
    incomplete_details: status === "incomplete" ? { reason: "max_output_tokens" } : null,
    instructions: null,
    metadata: {},
    model: answer.model,
    output,
    parallel_tool_calls: true,
    temperature: 1,
    tool_choice: "auto",
    tools: [],
    top_p: 1,
    usage: ended
      ? {
        input_tokens: promptTokens,
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: completionTokens,
        output_tokens_details: { reasoning_tokens: answer.thinkingTokens },
        total_tokens: promptTokens + completionTokens,
      }
      : null,
  };
}

function body(answer: MockAnswer) {
  const status = answer.finish === "length" ? "incomplete" : "completed";
  return responseOf(answer, outputOf(answer), status);
}

type Item = Record<string, unknown>;

/** The events of one item between its beginning and its end. */
function* itemEvents(item: Item, output_index: number, answer: MockAnswer) {
  const at = { item_id: item.id, output_index };
  if (item.type === "reasoning") {
    const part = { type: "summary_text", text: "" };
    yield { type: "response.reasoning_summary_part.added", ...at, summary_index: 0, part };
    for (const delta of tokenize(answer.thinking)) {
      yield { type: "response.reasoning_summary_text.delta", ...at, summary_index: 0, delta };
    }
    const text = answer.thinking;
    yield { type: "response.reasoning_summary_text.done", ...at, summary_index: 0, text };
  } else if (item.type === "function_call") {
    const json = String(item.arguments);
    for (const delta of tokenize(json)) {
      yield { type: "response.function_call_arguments.delta", ...at, delta };
    }
    const { name } = item;
    yield { type: "response.function_call_arguments.done", ...at, name, arguments: json };
  } else {
    const part = { type: "output_text", text: "", annotations: [], logprobs: [] };
    yield { type: "response.content_part.added", ...at, content_index: 0, part };
    for (const delta of tokenize(answer.text)) {
      yield { type: "response.output_text.delta", ...at, content_index: 0, delta, logprobs: [] };
    }
    const text = answer.text;
    yield { type: "response.output_text.done", ...at, content_index: 0, text, logprobs: [] };
    yield { type: "response.content_part.done", ...at, content_index: 0, part: { ...part, text } };
  }
}

/** An item as it is before anything of it was written. */
function begun(item: Item): Item {
  const empty = { ...item, status: "in_progress" };
  if (item.type === "reasoning") return { ...empty, summary: [] };
  return item.type === "function_call" ? { ...empty, arguments: "" } : { ...empty, content: [] };
}

function* typedEvents(answer: MockAnswer): Generator<Item> {
  const output = outputOf(answer);
  const response = responseOf(answer, [], "in_progress");
  yield { type: "response.created", response };
  yield { type: "response.in_progress", response };
  for (const [output_index, item] of output.entries()) {
    yield { type: "response.output_item.added", output_index, item: begun(item) };
    yield* itemEvents(item, output_index, answer);
    yield { type: "response.output_item.done", output_index, item };
  }
  const end = body(answer);
  yield { type: `response.${end.status}`, response: end };
}

function* events(answer: MockAnswer): Generator<MockEvent> {
  let sequence_number = 0;
  for (const event of typedEvents(answer)) {
    const data = JSON.stringify({ ...event, sequence_number: sequence_number++ });
    yield { event: String(event.type), data, token: true };
  }
}

/** The Responses API. */
export const openaiResponses: MockProtocol = {
  read,
  body,
  events,
  error: openaiError,
  models: openaiModels,
  headers: openaiHeaders,
};
