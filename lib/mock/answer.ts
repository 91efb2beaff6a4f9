/**
 * Makes the mock's answers: canned ones, or text generated from the seed.
 *
 * @module
 */
import type { SamplingOptions } from "../chat/options.ts";
import type { ToolCall } from "../chat/tool_call.ts";
import { asObject } from "../json/json.ts";
import type { ServerChoice, ServerRequest, ServerResponse } from "../protocols/serve.ts";
import { between, seededRandom, seedOf } from "../runtime/random.ts";
import type { CannedResponse } from "./canned.ts";
import { logprobsOf } from "./logprobs.ts";
import type { MockSettings } from "./options.ts";
import { conversationText, lastUserText } from "./prompt.ts";
import { sampleOf } from "./schema_sample.ts";
import { answerText, countTokens, tokenize } from "./text.ts";
import { offeredTools, requiredTool } from "./tools.ts";

/** The thinking that the mock shows on request. */
const THINKING = "The user asks something. The mock answers with text.";

function generateText({ chat }: ServerRequest, length: number, random: () => number): string {
  const format = asObject(chat.options.responseFormat);
  const isJson = format?.type === "json_object" || format?.type === "json_schema";
  const schema = asObject(asObject(format?.json_schema)?.schema);
  if (isJson && schema !== undefined) return JSON.stringify(sampleOf(schema));
  const text = answerText(lastUserText(chat.messages), length, random);
  return isJson ? JSON.stringify({ answer: text }) : text;
}

function generate(request: ServerRequest, settings: MockSettings, seed: number): CannedResponse {
  const { options } = request.chat;
  const random = seededRandom(seed);
  const length = Math.round(between(random, settings.length));
  const tool = requiredTool(options, offeredTools(options));
  if (tool === undefined) return { text: generateText(request, length, random) };
  const args = tool.schema === undefined ? "text" : sampleOf(tool.schema);
  return { toolCalls: [{ name: tool.name, arguments: args as string | Record<string, unknown> }] };
}

function toolCallsOf(given: CannedResponse, options: SamplingOptions, id: string): ToolCall[] {
  const tools = offeredTools(options);
  return (given.toolCalls ?? []).map(({ name, arguments: args = {} }, i) => {
    const isCustom = typeof args === "string" ||
      tools.some((tool) => tool.name === name && tool.schema === undefined);
    return {
      id: i === 0 ? id : `${id}${i}`,
      type: isCustom ? "custom" : "function",
      function: { name, arguments: typeof args === "string" ? args : JSON.stringify(args) },
    };
  });
}

/** Ends `text` before the first of the stop sequences. */
function applyStop(text: string, stop: SamplingOptions["stop"]): [text: string, stop?: string] {
  let end = text.length;
  let found: string | undefined;
  for (const sequence of Array.isArray(stop) ? stop : [stop]) {
    if (typeof sequence !== "string" || sequence === "") continue;
    const at = text.indexOf(sequence);
    if (at !== -1 && at < end) [end, found] = [at, sequence];
  }
  return [text.slice(0, end), found];
}

function truncate(text: string, tokens: number): string {
  return countTokens(text) > tokens ? tokenize(text).slice(0, tokens).join("") : text;
}

/** An answer, and how many tokens it has. */
interface CountedChoice {
  choice: ServerChoice;
  /** Tokens of the whole answer. */
  tokens: number;
  /** Tokens of its thinking. */
  thinkingTokens: number;
}

/** Thinking, text and tool calls share the token limit, in the order in which a model writes them. */
function makeChoice(given: CannedResponse, request: ServerRequest, id: string): CountedChoice {
  const { chat: { options }, includeThinking, topLogprobs } = request;
  const maxTokens = typeof options.maxTokens === "number" ? options.maxTokens : Infinity;
  const thinks = includeThinking && options.thinking !== undefined && options.thinking !== false;
  const allThinking = given.thinking ?? (thinks ? THINKING : "");
  const thinking = truncate(allThinking, maxTokens);
  const thinkingTokens = countTokens(thinking);
  const [allText, stopSequence] = applyStop(given.text ?? "", options.stop);
  const text = truncate(allText, maxTokens - thinkingTokens);
  const { refusal = null, citations = [] } = given;
  let tokens = thinkingTokens + countTokens(text) + countTokens(refusal ?? "");
  let isTruncated = thinking !== allThinking || text !== allText || maxTokens === 0;
  const toolCalls: ToolCall[] = [];
  if (!isTruncated && stopSequence === undefined) {
    for (const call of toolCallsOf(given, options, id)) {
      const size = countTokens(call.function.arguments);
      isTruncated = tokens + size > maxTokens;
      if (isTruncated) break;
      tokens += size;
      toolCalls.push(call);
    }
  }
  const choice: ServerChoice = {
    content: text,
    thinking: thinking || null,
    toolCalls,
    refusal,
    citations: citations.map((citation) => ({ ...citation, raw: citation })),
    logprobs: topLogprobs === undefined ? undefined : logprobsOf(text, given.logprobs, topLogprobs),
    finishReason: isTruncated
      ? "length"
      : refusal !== null
      ? "content_filter"
      : toolCalls.length > 0
      ? "tool_calls"
      : "stop",
    stopSequence: isTruncated ? undefined : stopSequence,
  };
  return { choice, tokens, thinkingTokens };
}

/** Tokens in the prompt of a request: all messages, their tool calls, the tools and the answer's schema. */
export function promptTokensOf({ chat: { messages, options } }: ServerRequest): number {
  const calls = messages.flatMap((message) =>
    message.role === "assistant" ? message.tool_calls ?? [] : []
  );
  const { tools, responseFormat } = options;
  const others = [calls.length > 0 ? calls : undefined, tools, responseFormat];
  return others.reduce<number>(
    (sum, value) => sum + (value === undefined ? 0 : countTokens(JSON.stringify(value))),
    countTokens(conversationText(messages)),
  );
}

/**
 * Answers a request with `canned`, or with text generated from the seed and the conversation.
 *
 * @param toolCallPrefix see `ProtocolServer.toolCallPrefix`
 */
export function makeAnswer(
  request: ServerRequest,
  settings: MockSettings,
  canned: CannedResponse | undefined,
  toolCallPrefix: string,
): ServerResponse {
  const conversation = conversationText(request.chat.messages);
  const seed = seedOf(conversation, settings.seed);
  const id = (seed >>> 0).toString(36);
  const choices = Array.from({ length: request.choices }, (_, i) =>
    makeChoice(
      canned ?? generate(request, settings, i === 0 ? seed : seedOf(String(i), seed)),
      request,
      `${toolCallPrefix}${id}${i === 0 ? "" : `c${i}`}`,
    ));
  const promptTokens = promptTokensOf(request);
  const completionTokens = choices.reduce((sum, { tokens }) => sum + tokens, 0);
  const [first, ...others] = choices.map(({ choice }) => choice);
  return {
    id,
    model: request.chat.model || "mock",
    created: Math.floor(Date.now() / 1000),
    isSimulated: true,
    choices: [first, ...others],
    usage: {
      promptTokens,
      completionTokens,
      totalTokens: promptTokens + completionTokens,
      cachedTokens: 0,
      reasoningTokens: choices.reduce((sum, { thinkingTokens }) => sum + thinkingTokens, 0),
    },
  };
}
