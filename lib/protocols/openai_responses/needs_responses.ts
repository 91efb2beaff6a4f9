/**
 * Decides which requests to OpenAI only the Responses API accepts.
 *
 * Sources: OpenAI API reference, `tools` (Chat Completions has functions and custom tools only); reports
 * of the errors of Chat Completions with GPT-5.4 and later (2026).
 *
 * @module
 */
import type { ChatRequest } from "../protocol.ts";

/** Models whose Chat Completions reject tools together with reasoning. */
const REASONING_WITH_TOOLS = /^gpt-(5\.[4-9]|[6-9])/;
/** Those of them that reason unless the request turns it off. */
const REASONS_BY_DEFAULT = /^gpt-[6-9]/;

/**
 * Whether only the Responses API accepts `request`: it has tools that OpenAI runs itself, tools with
 * reasoning on one of the newest models, or a conversation that was started there.
 */
export function needsResponses({ model, messages, options }: ChatRequest): boolean {
  const isContinued = messages.some((message) =>
    message.role === "assistant" && message.providerMessage?.format === "responses"
  );
  const isHosted = options.tools?.some(({ type }) => type !== "function" && type !== "custom");
  if (isContinued || isHosted) return true;
  if (!options.tools?.length || !REASONING_WITH_TOOLS.test(model)) return false;
  return options.thinking === undefined
    ? REASONS_BY_DEFAULT.test(model)
    : options.thinking !== false;
}
