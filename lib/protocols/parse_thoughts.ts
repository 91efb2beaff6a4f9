/**
 * Thinking and answer from a provider's raw answer, whichever provider it was.
 *
 * @module
 */
import { MalformedResponseError } from "../errors.ts";
import { asObject } from "../json/json.ts";
import { chatCompletions } from "./openai_chat/openai_chat.ts";
import { claude } from "./anthropic/anthropic.ts";
import { gemini } from "./gemini/gemini.ts";
import type { Protocol } from "./protocol.ts";
import { responses } from "./openai_responses/openai_responses.ts";

/** The two parts of an answer. */
export interface Thoughts {
  /** The model's thinking; `null` when there is none. */
  thought: string | null;
  /** The text of the answer. */
  answer: string;
}

function protocolOf(raw: unknown): Protocol | undefined {
  const body = asObject(raw) ?? {};
  if (Array.isArray(body.choices)) return chatCompletions;
  if (Array.isArray(body.output)) return responses;
  if (body.type === "message") return claude;
  return Array.isArray(body.candidates) ? gemini : undefined;
}

/**
 * Tells thinking and answer apart in `raw`, the body of a plain answer of any provider, e.g.
 * {@link ChatResult.raw}.
 *
 * @throws {MalformedResponseError} when it is not an answer in a known format
 *
 * @example
 * ```ts
 * import { parseThoughts } from "@flexllm/flexllm";
 *
 * const message = { role: "assistant", content: "<think>Easy.</think>4" };
 * const { thought, answer } = parseThoughts({ choices: [{ message }] });
 * ```
 */
export function parseThoughts(raw: unknown): Thoughts {
  const provider = protocolOf(raw);
  if (provider === undefined) {
    throw new MalformedResponseError("this is not the answer of a known provider");
  }
  const { thinking, content } = provider.decode(raw);
  return { thought: thinking, answer: content };
}
