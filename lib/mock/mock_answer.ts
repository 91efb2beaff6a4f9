/**
 * The mock's answers, independent of the protocol.
 *
 * @module
 */
import type { TokenLogprob } from "../chat/result.ts";
import type { Json } from "../json/json.ts";
import type { CannedCitation, CannedResponse } from "./canned.ts";
import { logprobsOf } from "./logprobs.ts";
import type { MockRequest, MockTool } from "./mock_request.ts";
import type { MockSettings } from "./options.ts";
import { between, seededRandom, seedOf } from "../runtime/random.ts";
import { sampleOf } from "./schema_sample.ts";
import { answerText, countTokens, tokenize } from "./text.ts";

/** A call of a tool. */
export interface MockCall {
  /** Letters and digits. */
  id: string;
  name: string;
  /** JSON text; the input as it is when the tool takes free text. */
  arguments: string;
  /** Whether the tool takes free text. */
  custom: boolean;
}

/** One of the answers to a request. */
export interface MockChoice {
  thinking: string;
  text: string;
  calls: MockCall[];
  /** Why the model refuses, where it does. */
  refusal: string | undefined;
  citations: readonly CannedCitation[];
  /** Where they were asked for. */
  logprobs: TokenLogprob[] | undefined;
  finish: "stop" | "length" | "tool_calls" | "refusal";
  /** The stop sequence that ended the text. */
  stopSequence: string | null;
  /** Tokens, with those of the thinking. */
  tokens: number;
  thinkingTokens: number;
}

/** The answer to a request. */
export interface MockAnswer {
  /** Letters and digits to make ids of. */
  id: string;
  model: string;
  /** At least one. */
  choices: [MockChoice, ...MockChoice[]];
  promptTokens: number;
  /** Of all choices, with their thinking. */
  completionTokens: number;
  /** Of all choices. */
  thinkingTokens: number;
}

/** The tool that a request requires. */
function requiredTool({ tools, required }: MockRequest): MockTool | undefined {
  if (required === false) return undefined;
  return required === true ? tools[0] : tools.find(({ name }) => name === required);
}

function plainText(request: MockRequest, length: number, random: () => number): string {
  const { format } = request;
  if (typeof format === "object") return JSON.stringify(sampleOf(format));
  const text = answerText(request.question, length, random);
  return format === "json" ? JSON.stringify({ answer: text }) : text;
}

/** The thinking that the mock shows on request. */
const THINKING = "The user asks something. The mock answers with text.";

function madeUp(request: MockRequest, settings: MockSettings, seed: number): CannedResponse {
  const random = seededRandom(seed);
  const length = Math.round(between(random, settings.length));
  const tool = requiredTool(request);
  if (tool === undefined) return { text: plainText(request, length, random) };
  const args = tool.schema === undefined ? "text" : sampleOf(tool.schema) as Json;
  return { toolCalls: [{ name: tool.name, arguments: args }] };
}

function callsOf(given: CannedResponse, { tools }: MockRequest, id: string): MockCall[] {
  return (given.toolCalls ?? []).map(({ name, arguments: args = {} }, i) => ({
    id: i === 0 ? id : `${id}${i}`,
    name,
    arguments: typeof args === "string" ? args : JSON.stringify(args),
    custom: typeof args === "string" ||
      tools.some((tool) => tool.name === name && tool.schema === undefined),
  }));
}

/** Cuts `text` before the first of the stop sequences. */
function stopped(text: string, stops: readonly string[]): [text: string, stop: string | null] {
  let [end, found]: [number, string | null] = [text.length, null];
  for (const stop of stops) {
    const at = text.indexOf(stop);
    if (at !== -1 && at < end) [end, found] = [at, stop];
  }
  return [text.slice(0, end), found];
}

function cut(text: string, tokens: number): string {
  return countTokens(text) > tokens ? tokenize(text).slice(0, tokens).join("") : text;
}

/** Thinking, text and calls share the limit, in the order in which a model writes them. */
function choiceOf(given: CannedResponse, request: MockRequest, id: string): MockChoice {
  const { maxTokens } = request;
  const allThinking = given.thinking ?? (request.thinking ? THINKING : "");
  const thinking = cut(allThinking, maxTokens);
  const thinkingTokens = countTokens(thinking);
  const [stoppable, stopSequence] = stopped(given.text ?? "", request.stop);
  const text = cut(stoppable, maxTokens - thinkingTokens);
  const { refusal } = given;
  let tokens = thinkingTokens + countTokens(text) + countTokens(refusal ?? "");
  let isCut = thinking !== allThinking || text !== stoppable || maxTokens === 0;
  const calls = isCut || stopSequence !== null ? [] : callsOf(given, request, id).filter((call) => {
    const size = countTokens(call.arguments);
    isCut ||= tokens + size > maxTokens;
    if (!isCut) tokens += size;
    return !isCut;
  });
  return {
    thinking,
    text,
    calls,
    refusal,
    citations: given.citations ?? [],
    logprobs: request.topLogprobs === undefined
      ? undefined
      : logprobsOf(text, given.logprobs, request.topLogprobs),
    finish: isCut
      ? "length"
      : refusal !== undefined
      ? "refusal"
      : calls.length > 0
      ? "tool_calls"
      : "stop",
    stopSequence: isCut ? null : stopSequence,
    tokens,
    thinkingTokens,
  };
}

/** Answers a request as `given` says, or else with text generated from the seed. */
export function answerRequest(
  request: MockRequest,
  settings: MockSettings,
  given: CannedResponse | undefined,
): MockAnswer {
  const seed = seedOf(request.conversation, settings.seed);
  const id = (seed >>> 0).toString(36);
  const choice = (i: number) =>
    choiceOf(
      given ?? madeUp(request, settings, i === 0 ? seed : seedOf(String(i), seed)),
      request,
      i === 0 ? id : `${id}c${i}`,
    );
  const choices: MockAnswer["choices"] = [choice(0)];
  for (let i = 1; i < request.choices; i++) choices.push(choice(i));
  return {
    id,
    model: request.model,
    choices,
    promptTokens: countTokens(request.conversation),
    completionTokens: choices.reduce((sum, { tokens }) => sum + tokens, 0),
    thinkingTokens: choices.reduce((sum, { thinkingTokens }) => sum + thinkingTokens, 0),
  };
}
