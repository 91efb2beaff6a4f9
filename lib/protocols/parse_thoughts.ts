/**
 * Separates thinking and text in a provider's raw answer.
 *
 * @module
 */
import { MalformedResponseError } from "../errors.ts";
import { asObject } from "../json/json.ts";
import { PROTOCOLS } from "./registry.ts";

/** The two parts of an answer. */
export interface Thoughts {
  /** The model's thinking; `null` when there is none. */
  thought: string | null;
  /** The text of the answer. */
  answer: string;
}

/**
 * Separates thinking and text in `raw`, the body of a plain answer from any provider, such as
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
  const body = asObject(raw) ?? {};
  const protocol = PROTOCOLS.find((protocol) => protocol.isAnswer(body));
  if (protocol === undefined) {
    throw new MalformedResponseError("this is not an answer in a format that flexllm knows");
  }
  const { thinking, content } = protocol.decode(raw);
  return { thought: thinking, answer: content };
}
