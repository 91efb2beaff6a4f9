/**
 * OpenAI's Responses API.
 *
 * @module
 */
import { openaiModelList } from "../model_list.ts";
import type { ChatRequest, Protocol } from "../protocol.ts";
import { asObject } from "../../json/json.ts";
import { decodeError } from "../openai_error.ts";
import { decode, failureOf } from "./decode.ts";
import { encoder } from "./encode.ts";
import { ResponsesStreamDecoder } from "./stream.ts";

/** The Responses format. */
export const responses: Protocol = {
  name: "responses",
  encoder,
  decode,
  streamDecoder: () => new ResponsesStreamDecoder(),
  modelList: openaiModelList,
  decodeError: (body) => {
    const response = asObject(body);
    return Array.isArray(response?.output) ? failureOf(response) : decodeError(body);
  },
  // Source: OpenAI API documentation, "File inputs": `file_url`.
  fetchedUrls: { image: true, file: true, audio: false },
};

/** Models whose Chat Completions refuse tools together with reasoning. */
const REASONING_WITH_TOOLS = /^gpt-(5\.[4-9]|[6-9])/;
/** Of these, the ones that reason unless they are told not to. */
const REASONS_BY_DEFAULT = /^gpt-[6-9]/;

/**
 * Whether only the Responses API accepts `request`: tools that OpenAI runs itself, tools with reasoning
 * on its newest models, or a conversation that was begun there.
 *
 * Sources: OpenAI API reference, `tools` (Chat Completions has functions and custom tools only); reports
 * of the errors of Chat Completions with GPT-5.4 and later (2026).
 */
export function needsResponses({ model, messages, options }: ChatRequest): boolean {
  const begun = messages.some((message) =>
    message.role === "assistant" && message.providerMessage?.format === "responses"
  );
  const isHosted = options.tools?.some(({ type }) => type !== "function" && type !== "custom");
  if (begun || isHosted) return true;
  if (!options.tools?.length || !REASONING_WITH_TOOLS.test(model)) return false;
  return options.thinking === undefined
    ? REASONS_BY_DEFAULT.test(model)
    : options.thinking !== false;
}
