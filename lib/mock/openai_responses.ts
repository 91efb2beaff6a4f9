/**
 * The mock's side of OpenAI's Responses API.
 *
 * Source: OpenAI API reference, "Responses", and the types of the `openai` package 7.57.
 *
 * @module
 */
import { asObject, asObjects, asText, type Json } from "../json/json.ts";
import type { MockAnswer } from "./mock_answer.ts";
import { limitOf, type MockRequest, type MockTool, textOf } from "./mock_request.ts";
import { openaiError } from "./openai_error.ts";
import { openaiHeaders, openaiModel, openaiModels } from "./openai_models.ts";
import { responseOf, statusOf } from "./openai_response.ts";
import { itemEvents, outputOf, started } from "./openai_output.ts";
import type { MockEvent, MockProtocol } from "./protocol.ts";
import { reader } from "./read_body.ts";
import { checkResponse } from "./validate_openai_responses.ts";

function toolsOf(body: Json): MockTool[] {
  return asObjects(body.tools).flatMap(({ type, name, parameters }): MockTool[] => {
    if (type === "custom") return [{ name: String(name), schema: undefined }];
    if (type !== "function") return [];
    return [{ name: String(name), schema: asObject(parameters) ?? { type: "object" } }];
  });
}

function requiredTool(choice: unknown): boolean | string {
  if (typeof choice === "string") return choice === "required";
  const { type, name, mode, tools } = asObject(choice) ?? {};
  if (type !== "allowed_tools") return asText(name) ?? false;
  return mode === "required" && (asText(asObjects(tools)[0]?.name) ?? false);
}

function formatOf(format: Json | undefined): MockRequest["format"] {
  if (format?.type === "json_object") return "json";
  return format?.type === "json_schema" ? asObject(format.schema) ?? "json" : "text";
}

const read = reader(checkResponse, (body) => {
  const { input } = body;
  const items = typeof input === "string" ? [{ role: "user", content: input }] : asObjects(input);
  const asked = items.findLast((item) => item.role === "user");
  const effort = asObject(body.reasoning)?.effort;
  const included = Array.isArray(body.include) ? body.include : [];
  const top = body.top_logprobs;
  return {
    model: asText(body.model) ?? "mock",
    conversation: `${asText(body.instructions) ?? ""}${JSON.stringify(items)}`,
    question: textOf(asked?.content ?? ""),
    tools: toolsOf(body),
    required: requiredTool(body.tool_choice),
    format: formatOf(asObject(asObject(body.text)?.format)),
    thinking: effort !== undefined && effort !== null && effort !== "none",
    maxTokens: limitOf(body.max_output_tokens),
    stop: [],
    choices: 1,
    topLogprobs: typeof top === "number"
      ? top
      : included.includes("message.output_text.logprobs")
      ? 0
      : undefined,
    stream: body.stream === true,
  };
});

function body(answer: MockAnswer, request: Json) {
  return responseOf(answer, request, outputOf(answer), statusOf(answer));
}

function* typedEvents(answer: MockAnswer, request: Json): Generator<Json> {
  const response = responseOf(answer, request, [], "in_progress");
  yield { type: "response.created", response };
  yield { type: "response.in_progress", response };
  for (const [output_index, item] of outputOf(answer).entries()) {
    yield { type: "response.output_item.added", output_index, item: started(item) };
    yield* itemEvents(item, output_index, answer.choices[0]);
    yield { type: "response.output_item.done", output_index, item };
  }
  yield { type: `response.${statusOf(answer)}`, response: body(answer, request) };
}

function* events(answer: MockAnswer, request: Json): Generator<MockEvent> {
  let sequence_number = 0;
  for (const event of typedEvents(answer, request)) {
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
  overloaded: 503,
  models: openaiModels,
  model: openaiModel,
  count: (input_tokens) => ({ object: "response.input_tokens", input_tokens }),
  headers: openaiHeaders,
};
