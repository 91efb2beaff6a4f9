/**
 * The mock's side of OpenAI Chat Completions: what is in a request, and the bodies of the answers.
 *
 * Source: OpenAI API reference, "Chat Completions".
 *
 * @module
 */
import * as v from "valibot";
import type { ToolCall } from "../chat/result.ts";
import { between, seededRandom, seedOf } from "./random.ts";
import type { MockSettings } from "./options.ts";
import { sampleOf } from "./schema_sample.ts";
import { answerText, countTokens, tokenize } from "./text.ts";

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
  response_format: v.nullish(v.looseObject({
    type: v.string(),
    json_schema: v.optional(v.looseObject({ schema: v.record(v.string(), v.unknown()) })),
  })),
});

/** A request that is of the format. */
export type MockChatRequest = v.InferOutput<typeof chatRequest>;

/** The body of an OpenAI error. */
export function errorBody(message: string, type: string, code: string | null, param?: string) {
  return { error: { message, type, param: param ?? null, code } };
}

/** Reads a request's body; `problem` is the error body to answer with. */
export function readChatRequest(
  body: unknown,
): { request: MockChatRequest } | { problem: ReturnType<typeof errorBody> } {
  const result = v.safeParse(chatRequest, body);
  if (result.success) return { request: result.output };
  const [issue] = result.issues;
  const param = v.getDotPath(issue) ?? undefined;
  const message = `Invalid request body${param ? `, '${param}'` : ""}: ${issue.message}`;
  return { problem: errorBody(message, "invalid_request_error", null, param) };
}

/** What the mock has to say to a request. */
export interface MockAnswer {
  id: string;
  model: string;
  text: string;
  toolCall: ToolCall | undefined;
  finishReason: "stop" | "length" | "tool_calls";
  promptTokens: number;
  completionTokens: number;
}

function textOf(content: unknown): string {
  return typeof content === "string" ? content : JSON.stringify(content ?? "");
}

function requiredTool(request: MockChatRequest) {
  const { tools, tool_choice: choice } = request;
  if (!tools?.length || !choice || choice === "none" || choice === "auto") return undefined;
  if (choice === "required") return tools[0].function;
  return tools.find((tool) => tool.function.name === choice.function.name)?.function;
}

function answerOf(request: MockChatRequest, length: number, random: () => number): string {
  const format = request.response_format;
  if (format?.json_schema !== undefined) return JSON.stringify(sampleOf(format.json_schema.schema));
  const question = textOf(request.messages.findLast(({ role }) => role === "user")?.content);
  const text = answerText(question, length, random);
  return format?.type === "json_object" ? JSON.stringify({ answer: text }) : text;
}

/** Answers a request: the same request, with the same seed, has the same answer. */
export function answerChat(request: MockChatRequest, settings: MockSettings): MockAnswer {
  const conversation = request.messages.map(({ content }) => textOf(content)).join("\n");
  const seed = seedOf(conversation, settings.seed);
  const random = seededRandom(seed);
  const length = Math.round(between(random, settings.length));
  const called = requiredTool(request);
  let text = called === undefined ? answerOf(request, length, random) : "";
  const toolCall: ToolCall | undefined = called && {
    id: `call_${(seed >>> 0).toString(36)}`,
    type: "function",
    function: {
      name: called.name,
      arguments: JSON.stringify(sampleOf(called.parameters ?? { type: "object" })),
    },
  };
  let finishReason: MockAnswer["finishReason"] = toolCall === undefined ? "stop" : "tool_calls";
  const limit = request.max_completion_tokens ?? request.max_tokens ?? Infinity;
  if (countTokens(text) > limit) {
    text = tokenize(text).slice(0, limit).join("");
    finishReason = "length";
  }
  return {
    id: `chatcmpl-${(seed >>> 0).toString(36)}`,
    model: request.model,
    text,
    toolCall,
    finishReason,
    promptTokens: countTokens(conversation),
    completionTokens: countTokens(text + (toolCall?.function.arguments ?? "")),
  };
}

function usageOf({ promptTokens, completionTokens }: MockAnswer) {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0 },
  };
}

/** The body of a plain answer. */
export function completionBody(answer: MockAnswer, created: number) {
  const { toolCall } = answer;
  return {
    id: answer.id,
    object: "chat.completion",
    created,
    model: answer.model,
    choices: [{
      index: 0,
      message: {
        role: "assistant",
        content: toolCall === undefined ? answer.text : null,
        refusal: null,
        ...(toolCall === undefined ? {} : { tool_calls: [toolCall] }),
      },
      logprobs: null,
      finish_reason: answer.finishReason,
    }],
    usage: usageOf(answer),
  };
}

/** The chunks of a streamed answer, one for each token, in order. */
export function* completionChunks(answer: MockAnswer, created: number, includeUsage: boolean) {
  const head = { id: answer.id, object: "chat.completion.chunk", created, model: answer.model };
  const usage = includeUsage ? { usage: null } : {};
  const chunk = (delta: object, finish_reason: string | null = null) => ({
    ...head,
    choices: [{ index: 0, delta, logprobs: null, finish_reason }],
    ...usage,
  });
  const { toolCall } = answer;
  yield chunk({ role: "assistant", content: toolCall === undefined ? "" : null, refusal: null });
  if (toolCall !== undefined) {
    const { name, arguments: json } = toolCall.function;
    const call = { index: 0, id: toolCall.id, type: "function" };
    yield chunk({ tool_calls: [{ ...call, function: { name, arguments: "" } }] });
    for (const piece of tokenize(json)) {
      yield chunk({ tool_calls: [{ index: 0, function: { arguments: piece } }] });
    }
  }
  for (const piece of tokenize(answer.text)) yield chunk({ content: piece });
  yield chunk({}, answer.finishReason);
  if (includeUsage) yield { ...head, choices: [], usage: usageOf(answer) };
}

/** The body of the list of models. */
export function modelsBody(models: readonly string[]) {
  return {
    object: "list",
    data: models.map((id) => ({ id, object: "model", created: 1700000000, owned_by: "flexllm" })),
  };
}
