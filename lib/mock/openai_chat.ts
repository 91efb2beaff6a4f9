/**
 * The mock's side of OpenAI Chat Completions.
 *
 * Source: OpenAI API reference, "Chat Completions", and the types of the `openai` package 7.57.
 *
 * @module
 */
import type { TokenLogprob } from "../chat/result.ts";
import { asObject, asObjects, asText, type Json } from "../json/json.ts";
import type { CannedCitation } from "./canned.ts";
import { textPieces } from "./logprobs.ts";
import type { MockAnswer, MockChoice } from "./mock_answer.ts";
import {
  choicesOf,
  contentKey,
  limitOf,
  type MockRequest,
  type MockTool,
  stopsOf,
  textOf,
} from "./mock_request.ts";
import { openaiError } from "./openai_error.ts";
import { openaiHeaders, openaiModel, openaiModels } from "./openai_models.ts";
import { type MockEvent, type MockProtocol, timestamp } from "./protocol.ts";
import { reader } from "./read_body.ts";
import { tokenize } from "./text.ts";
import { checkChat } from "./validate_openai_chat.ts";

function toolsOf(body: Json): MockTool[] {
  return asObjects(body.tools).flatMap(({ type, function: fn, custom }): MockTool[] => {
    if (type === "custom") return [{ name: String(asObject(custom)?.name), schema: undefined }];
    if (type !== "function") return [];
    const { name, parameters } = asObject(fn) ?? {};
    return [{ name: String(name), schema: asObject(parameters) ?? { type: "object" } }];
  });
}

function requiredTool(choice: unknown): boolean | string {
  if (typeof choice === "string") return choice === "required" || choice === "any";
  const { type, allowed_tools, ...named } = asObject(choice) ?? {};
  const allowed = asObject(allowed_tools);
  const chosen = type === "allowed_tools"
    ? allowed?.mode === "required" ? asObjects(allowed.tools)[0] : undefined
    : named;
  return asText(asObject(chosen?.function ?? chosen?.custom)?.name) ?? false;
}

function formatOf(format: Json | undefined): MockRequest["format"] {
  if (format?.type === "json_object") return "json";
  if (format?.type !== "json_schema") return "text";
  return asObject(asObject(format.json_schema)?.schema) ?? "json";
}

const read = reader(checkChat, (body) => {
  const messages = asObjects(body.messages);
  const template = asObject(body.chat_template_kwargs);
  const asked = messages.findLast(({ role }) => role === "user");
  return {
    model: asText(body.model) ?? "mock",
    conversation: messages.map(({ content }) => contentKey(content)).join("\n"),
    question: textOf(asked?.content),
    tools: toolsOf(body),
    required: requiredTool(body.tool_choice),
    format: formatOf(asObject(body.response_format)),
    // OpenAI's field, and those of Qwen, DeepSeek, OpenRouter and self-hosted servers.
    thinking: (body.reasoning_effort ?? "none") !== "none" || body.enable_thinking === true ||
      template?.enable_thinking === true || asObject(body.thinking)?.type === "enabled" ||
      asObject(body.reasoning) !== undefined && asObject(body.reasoning)?.enabled !== false,
    maxTokens: limitOf(body.max_completion_tokens, body.max_tokens),
    stop: stopsOf(body.stop),
    choices: choicesOf(body.n),
    topLogprobs: body.logprobs === true ? Number(body.top_logprobs ?? 0) : undefined,
    stream: body.stream === true,
  };
});

function usageOf({ promptTokens, completionTokens, thinkingTokens }: MockAnswer) {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: 0, cache_write_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: thinkingTokens,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

function callsOf({ calls }: MockChoice) {
  return calls.map(({ id, name, arguments: input, custom }) =>
    custom
      ? { id: `call_${id}`, type: "custom", custom: { name, input } }
      : { id: `call_${id}`, type: "function", function: { name, arguments: input } }
  );
}

function annotationsOf(citations: readonly CannedCitation[], text: string) {
  return citations.map(({ url = "", title = "", start = 0, end = text.length }) => ({
    type: "url_citation",
    url_citation: { url, title, start_index: start, end_index: end },
  }));
}

function logprobsOf(logprobs: readonly TokenLogprob[] | undefined) {
  if (logprobs === undefined) return null;
  return {
    content: logprobs.map(({ topLogprobs, ...token }) => ({ ...token, top_logprobs: topLogprobs })),
    refusal: null,
  };
}

/** A refusal is a normal answer here, but in a separate field. */
function finishOf({ finish }: MockChoice): string {
  return finish === "refusal" ? "stop" : finish;
}

/** Missing text is `null` if there is something else. */
function contentOf({ text, calls, refusal }: MockChoice): string | null {
  return text === "" && (calls.length > 0 || refusal !== undefined) ? null : text;
}

function messageOf(choice: MockChoice) {
  const calls = callsOf(choice);
  return {
    role: "assistant",
    content: contentOf(choice),
    refusal: choice.refusal ?? null,
    annotations: annotationsOf(choice.citations, choice.text),
    // Not OpenAI's, which shows no thinking here, but its compatible services'.
    ...(choice.thinking === "" ? {} : { reasoning_content: choice.thinking }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
}

/** The service decides what `auto` means. */
function tierOf({ service_tier: tier }: Json): unknown {
  return tier === undefined || tier === null || tier === "auto" ? "default" : tier;
}

function body(answer: MockAnswer, request: Json) {
  return {
    id: `chatcmpl-${answer.id}`,
    object: "chat.completion",
    created: timestamp(),
    model: answer.model,
    choices: answer.choices.map((choice, index) => ({
      index,
      message: messageOf(choice),
      logprobs: logprobsOf(choice.logprobs),
      finish_reason: finishOf(choice),
    })),
    usage: usageOf(answer),
    service_tier: tierOf(request),
  };
}

/** What a stream adds to a message, piece by piece, with the log probabilities of the piece. */
function* deltas(choice: MockChoice): Generator<[delta: object, logprobs?: object | null]> {
  const content = contentOf(choice) === null ? null : "";
  yield [{ role: "assistant", content, refusal: null }];
  for (const piece of tokenize(choice.thinking)) yield [{ reasoning_content: piece }];
  for (const { text, logprobs } of textPieces(choice.text, choice.logprobs)) {
    yield [{ content: text }, choice.logprobs && logprobsOf(logprobs)];
  }
  for (const refusal of tokenize(choice.refusal ?? "")) yield [{ refusal }];
  for (const [index, call] of callsOf(choice).entries()) {
    const { name, arguments: input } = choice.calls[index];
    const [kind, field] = call.type === "custom" ? ["custom", "input"] : ["function", "arguments"];
    const { id, type } = call;
    yield [{ tool_calls: [{ index, id, type, [kind]: { name, [field]: "" } }] }];
    for (const piece of tokenize(input)) {
      yield [{ tool_calls: [{ index, [kind]: { [field]: piece } }] }];
    }
  }
  if (choice.citations.length > 0) {
    yield [{ annotations: annotationsOf(choice.citations, choice.text) }];
  }
}

function* chunks(answer: MockAnswer, request: Json, includeUsage: boolean) {
  const head = {
    id: `chatcmpl-${answer.id}`,
    object: "chat.completion.chunk",
    created: timestamp(),
    model: answer.model,
    service_tier: tierOf(request),
  };
  const usage = includeUsage ? { usage: null } : {};
  for (const [index, choice] of answer.choices.entries()) {
    for (const [delta, logprobs = null] of deltas(choice)) {
      yield { ...head, choices: [{ index, delta, logprobs, finish_reason: null }], ...usage };
    }
    const finish_reason = finishOf(choice);
    yield { ...head, choices: [{ index, delta: {}, logprobs: null, finish_reason }], ...usage };
  }
  if (includeUsage) yield { ...head, choices: [], usage: usageOf(answer) };
}

function* events(answer: MockAnswer, request: Json): Generator<MockEvent> {
  const options = asObject(request.stream_options);
  for (const chunk of chunks(answer, request, options?.include_usage === true)) {
    yield { data: JSON.stringify(chunk), token: true };
  }
  yield { data: "[DONE]" };
}

/** Chat Completions. */
export const openaiChat: MockProtocol = {
  read,
  body,
  events,
  error: openaiError,
  overloaded: 503,
  models: openaiModels,
  model: openaiModel,
  headers: openaiHeaders,
};
