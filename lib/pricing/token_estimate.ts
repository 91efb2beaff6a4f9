/**
 * About how many tokens a request has, fast: a tokenizer would take longer than all else that is done
 * for a request. Meant to be too high rather than too low.
 *
 * @module
 */
import type { Message } from "../chat/messages.ts";
import type { SamplingOptions } from "../chat/options.ts";
import type { Usage } from "../chat/result.ts";

/** ASCII characters of a token: four in English prose, three in code and JSON. */
const CHARACTERS = 3;
/** What a message has beside its text. */
const MESSAGE = 6;
/** A large image at full detail. Source: OpenAI's and Anthropic's vision guides. */
const IMAGE = 1600;
/** What an answer is taken to have when nothing is known of it. */
const LEAST_COMPLETION = 1024;

/** About how many tokens `text` has; a character of most other scripts is a token of its own. */
export function textTokens(text: string): number {
  let others = 0;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) others++;
  return (text.length - others) / CHARACTERS + others;
}

function messageTokens(message: Message): number {
  let tokens = MESSAGE;
  const { content } = message;
  if (typeof content === "string") tokens += textTokens(content);
  else {
    for (const part of content ?? []) {
      tokens += part.type === "text" ? textTokens(part.text) : IMAGE;
    }
  }
  if (message.role === "assistant" && message.tool_calls !== undefined) {
    tokens += textTokens(JSON.stringify(message.tool_calls));
  }
  return tokens;
}

/** Estimates the tokens of requests, and learns from the answers how far that was off. */
export class TokenEstimate {
  /** The largest share of its estimate that a request has turned out to have. */
  #ratio = 1;
  #largestCompletion = LEAST_COMPLETION;

  /** About how many tokens the prompt has. */
  prompt(messages: readonly Message[], options: SamplingOptions): number {
    let tokens = 0;
    for (const message of messages) tokens += messageTokens(message);
    if (options.tools !== undefined) tokens += textTokens(JSON.stringify(options.tools));
    if (options.responseFormat !== undefined) {
      tokens += textTokens(JSON.stringify(options.responseFormat));
    }
    return Math.ceil(tokens * this.#ratio);
  }

  /**
   * How many tokens the answer can have: `maxTokens`, or else as many as the longest one so far, at
   * least 1,024: without `maxTokens` nobody knows.
   */
  completion({ maxTokens }: SamplingOptions): number {
    return maxTokens ?? this.#largestCompletion;
  }

  /** Learns from an answer to a request whose prompt was estimated at `prompt` tokens. */
  learn(prompt: number, usage: Usage): void {
    if (usage.promptTokens > prompt) this.#ratio *= usage.promptTokens / prompt;
    if (usage.completionTokens > this.#largestCompletion) {
      this.#largestCompletion = usage.completionTokens;
    }
  }
}
