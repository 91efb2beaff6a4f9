/**
 * What a mock is asked and what it answers, whatever the protocol.
 *
 * @module
 */
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
  /** The tool called; its arguments are JSON text. */
  call: { name: string; arguments: string } | undefined;
  finish: "stop" | "length" | "tool_calls";
  promptTokens: number;
  /** With those of the thinking. */
  completionTokens: number;
  thinkingTokens: number;
}

/** The text of a message's content: a string, or anything else as JSON. */
export function textOf(content: unknown): string {
  return typeof content === "string" ? content : JSON.stringify(content ?? "");
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

/** Answers a question: the same one, with the same seed, has the same answer. */
export function answerQuestion(question: MockQuestion, settings: MockSettings): MockAnswer {
  const seed = seedOf(question.conversation, settings.seed);
  const random = seededRandom(seed);
  const length = Math.round(between(random, settings.length));
  const tool = requiredTool(question);
  const call = tool && { name: tool.name, arguments: JSON.stringify(sampleOf(tool.schema)) };
  let text = call === undefined ? plainAnswer(question, length, random) : "";
  let finish: MockAnswer["finish"] = call === undefined ? "stop" : "tool_calls";
  if (countTokens(text) > question.maxTokens) {
    text = tokenize(text).slice(0, question.maxTokens).join("");
    finish = "length";
  }
  const thinking = question.thinking ? "The user asks something. The mock answers with text." : "";
  const thinkingTokens = countTokens(thinking);
  return {
    id: (seed >>> 0).toString(36),
    model: question.model,
    thinking,
    text,
    call,
    finish,
    promptTokens: countTokens(question.conversation),
    completionTokens: countTokens(text + (call?.arguments ?? "")) + thinkingTokens,
    thinkingTokens,
  };
}
