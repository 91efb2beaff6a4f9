/**
 * A request to the mock, independent of the protocol.
 *
 * @module
 */
import { asObjects, type Json } from "../json/json.ts";

/** A tool that may be called. */
export interface MockTool {
  name: string;
  /** The schema of its arguments; without it, its input is free text (OpenAI's custom tools). */
  schema: Json | undefined;
}

/** A request, the same for every protocol. */
export interface MockRequest {
  model: string;
  /** The whole conversation, for counting tokens and for the seed of the answer. */
  conversation: string;
  /** The last user message. */
  question: string;
  /** The tools that the client runs itself. */
  tools: MockTool[];
  /** Whether a tool must be called: any, or the one with this name. */
  required: boolean | string;
  /** The form of the answer: text, any JSON, or JSON that fits a schema. */
  format: "text" | "json" | Json;
  /** Whether the answer shows thinking. */
  thinking: boolean;
  /** Maximum tokens of the answer. */
  maxTokens: number;
  /** Texts that end the answer. */
  stop: readonly string[];
  /** The number of answers. */
  choices: number;
  /** How many alternatives to list per token, when log probabilities are wanted. */
  topLogprobs: number | undefined;
  stream: boolean;
}

/** A message's whole content as text, to distinguish conversations. */
export function contentKey(content: unknown): string {
  return typeof content === "string" ? content : JSON.stringify(content ?? "");
}

/** The text of a message's content: a string, or parts of which some have text. */
export function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  return asObjects(content).map(({ text }) => typeof text === "string" ? text : "").join("");
}

/** The stop sequences of a request: one, several or none; empty ones stop nothing. */
export function stopsOf(stop: unknown): string[] {
  const all = Array.isArray(stop) ? stop : [stop];
  return all.filter((text): text is string => typeof text === "string" && text !== "");
}

/** A token limit; anything but a number means no limit. */
export function limitOf(...limits: unknown[]): number {
  const limit = limits.find((value) => typeof value === "number");
  return limit === undefined ? Infinity : limit as number;
}

/** The number of answers; anything but a number means one. */
export function choicesOf(count: unknown): number {
  return typeof count === "number" ? Math.min(Math.max(1, Math.floor(count)), 128) : 1;
}
