/**
 * What a mock is asked and what it answers, whatever the protocol.
 *
 * @module
 */
import { asObjects } from "../json.ts";
import type { CannedResponse } from "./canned.ts";
import { between, seededRandom, seedOf } from "./random.ts";
import type { MockSettings } from "./options.ts";
import { sampleOf } from "./schema_sample.ts";
import { answerText, countTokens, tokenize } from "./text.ts";

type Schema = Record<string, unknown>;

/** A tool that may be called. */
export interface MockTool {
  name: string;
  schema: Schema;
}

/** A request, in no protocol's words. */
export interface MockQuestion {
  model: string;
  /** All that was said, for counting tokens and for the answer's seed. */
  conversation: string;
  /** What the user said last. */
  question: string;
  tools: MockTool[];
  /** Whether a tool must be called: any, or the one of this name. */
  required: boolean | string;
  /** The form of the answer: text, any JSON, or JSON that fits a schema. */
  format: "text" | "json" | Schema;
  /** Whether the answer shows thinking. */
  thinking: boolean;
  /** The most tokens of the answer. */
  maxTokens: number;
  stream: boolean;
}

/** An answer, in no protocol's words. */
export interface MockAnswer {
  /** Letters and digits to make ids of. */
  id: string;
  model: string;
  thinking: string;
  text: string;
  /** The tools called; their ids are of letters and digits, their arguments JSON text. */
  calls: { id: string; name: string; arguments: string }[];
  finish: "stop" | "length" | "tool_calls";
  promptTokens: number;
  /** With those of the thinking. */
  completionTokens: number;
  thinkingTokens: number;
}

/** The whole of a message's content as text, for telling conversations apart. */
export function contentKey(content: unknown): string {
  return typeof content === "string" ? content : JSON.stringify(content ?? "");
}

/** The text in a message's content: a string, or parts of which some have a text. */
export function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  return asObjects(content).map(({ text }) => text ?? "").join("");
}

function requiredTool({ tools, required }: MockQuestion): MockTool | undefined {
  if (required === false) return undefined;
  return required === true ? tools[0] : tools.find(({ name }) => name === required);
}

function plainAnswer(question: MockQuestion, length: number, random: () => number): string {
  const { format } = question;
  if (typeof format === "object") return JSON.stringify(sampleOf(format));
  const text = answerText(question.question, length, random);
  return format === "json" ? JSON.stringify({ answer: text }) : text;
}

/** The thinking that the mock shows when it is asked for. */
const THINKING = "The user asks something. The mock answers with text.";

function madeUp(question: MockQuestion, settings: MockSettings, seed: number): CannedResponse {
  const random = seededRandom(seed);
  const length = Math.round(between(random, settings.length));
  const tool = requiredTool(question);
  if (tool === undefined) return { text: plainAnswer(question, length, random) };
  return { toolCalls: [{ name: tool.name, arguments: sampleOf(tool.schema) as Schema }] };
}

/** Answers a question, as `given` says or, the same for the same seed, made up. */
export function answerQuestion(
  question: MockQuestion,
  settings: MockSettings,
  given: CannedResponse | undefined,
): MockAnswer {
  const seed = seedOf(question.conversation, settings.seed);
  const id = (seed >>> 0).toString(36);
  const { text: whole = "", toolCalls = [], ...rest } = given ?? madeUp(question, settings, seed);
  const calls = toolCalls.map(({ name, arguments: args = {} }, i) => ({
    id: i === 0 ? id : `${id}${i}`,
    name,
    arguments: JSON.stringify(args),
  }));
  const isCut = countTokens(whole) > question.maxTokens;
  const text = isCut ? tokenize(whole).slice(0, question.maxTokens).join("") : whole;
  const thinking = rest.thinking ?? (question.thinking ? THINKING : "");
  const written = text + calls.map((call) => call.arguments).join("");
  const thinkingTokens = countTokens(thinking);
  return {
    id,
    model: question.model,
    thinking,
    text,
    calls,
    finish: isCut ? "length" : calls.length > 0 ? "tool_calls" : "stop",
    promptTokens: countTokens(question.conversation),
    completionTokens: countTokens(written) + thinkingTokens,
    thinkingTokens,
  };
}
