/**
 * Encodes results as the output items of the Responses API.
 *
 * Source: OpenAI API reference, "Responses", and the types of the `openai` package 7.57.
 *
 * @module
 */
import type { Citation, TokenLogprob } from "../../chat/result.ts";
import type { ToolCall } from "../../chat/tool_call.ts";
import { asObjects, type Json } from "../../json/json.ts";
import { textOf } from "../openai_chat/serve_result.ts";
import { unsignedItemId } from "../unsigned_thinking.ts";
import type { ResponseHead, ServerChoice } from "../serve.ts";
import { type ClientTools, encodeCallItem } from "./serve_tools.ts";

/** Encodes the citation of a URL. One without a position covers the text up to `length`. */
export function encodeAnnotation(citation: Citation, length: number): Json {
  const { url = "", title = "", start = 0, end = length } = citation;
  return { type: "url_citation", url, title, start_index: start, end_index: end };
}

/** Encodes log probabilities. */
export function encodeLogprobs(logprobs: readonly TokenLogprob[]): Json[] {
  return logprobs.map(({ token, bytes, logprob, topLogprobs = [] }) => ({
    token,
    bytes,
    logprob,
    top_logprobs: topLogprobs,
  }));
}

/**
 * A reasoning item. The `encrypted_content` of a simulated answer is a placeholder, which OpenAI would reject.
 *
 * @param suffix distinguishes the reasoning items of one answer
 */
export function reasoningItem(
  { id, isSimulated }: ResponseHead,
  thinking: string,
  suffix = "",
): Json {
  return {
    type: "reasoning",
    id: isSimulated ? `rs_${id}${suffix}` : unsignedItemId(id + suffix),
    summary: [{ type: "summary_text", text: thinking }],
    encrypted_content: isSimulated ? btoa(`reasoning ${id}`) : null,
  };
}

/** A reasoning item without text that holds an envelope. */
export function envelopeItem({ id }: ResponseHead, envelope: string): Json {
  return { type: "reasoning", id: `rs_${id}_envelope`, summary: [], encrypted_content: envelope };
}

/** A message item. */
export function messageItem(id: string, content: readonly Json[], isTruncated: boolean): Json {
  return {
    type: "message",
    id: `msg_${id}`,
    role: "assistant",
    status: isTruncated ? "incomplete" : "completed",
    content,
  };
}

/** Prefixes of the ids of items by their type. */
const ID_PREFIXES: Readonly<Record<string, string>> = {
  function_call: "fc_",
  custom_tool_call: "ctc_",
  tool_search_call: "tsc_",
  local_shell_call: "lsh_",
};

/** A tool call item. */
export function callItem(call: ToolCall, tools: ClientTools): Json & { id: string } {
  const fields = encodeCallItem(call, tools);
  const { type } = fields;
  const id = `${ID_PREFIXES[String(type)] ?? ""}${call.id.replace(/^call_/, "")}`;
  const item = { id, ...fields };
  return type === "custom_tool_call" ? item : { ...item, status: "completed" };
}

function partsOf(choice: ServerChoice): Json[] {
  const { refusal, citations = [], logprobs = [] } = choice;
  const text = textOf(choice);
  const parts: Json[] = [];
  if (text !== "" || refusal === null) {
    parts.push({
      type: "output_text",
      text,
      annotations: citations.filter(({ url }) => url !== undefined)
        .map((citation) => encodeAnnotation(citation, text.length)),
      logprobs: encodeLogprobs(logprobs),
    });
  }
  if (refusal !== null) parts.push({ type: "refusal", refusal });
  return parts;
}

/** Encodes a whole answer: reasoning, a message, tool calls. */
export function encodeOutput(
  head: ResponseHead,
  choice: ServerChoice,
  tools: ClientTools,
): Json[] {
  const { providerMessage, thinking, toolCalls, refusal, finishReason, carried } = choice;
  if (providerMessage?.format === "responses") return asObjects(providerMessage.content);
  const output: Json[] = thinking ? [reasoningItem(head, thinking)] : [];
  if (textOf(choice) !== "" || refusal !== null || toolCalls.length === 0) {
    output.push(messageItem(head.id, partsOf(choice), finishReason === "length"));
  }
  output.push(...toolCalls.map((call) => callItem(call, tools)));
  if (carried !== undefined) output.push(envelopeItem(head, carried.envelope));
  return output;
}
