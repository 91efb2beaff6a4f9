/**
 * Decodes requests of the Chat Completions API.
 *
 * Source: OpenAI API reference, "Create chat completion".
 *
 * @module
 */
import type { AssistantMessage, Message, ProviderMessage } from "../../chat/messages.ts";
import type { SamplingOptions, Tool } from "../../chat/options.ts";
import { asObject, asObjects, asText, type Json } from "../../json/json.ts";
import { choicesOf, type OptionNames, remaining, splitOptions } from "../serve_request.ts";
import type { ServerRequest } from "../serve.ts";
import { decodeContent, decodeToolCalls, messageExtras, nativeMessage } from "./answer_message.ts";
import { ENVELOPE_FORMAT, isEnvelope } from "../envelope.ts";
import { readEnvelopes } from "../envelope_parts.ts";
import { takeThinking } from "./serve_thinking.ts";

const OPTIONS: OptionNames = {
  temperature: "temperature",
  top_p: "topP",
  top_k: "topK",
  max_tokens: "maxTokens",
  max_completion_tokens: "maxTokens",
  stop: "stop",
  seed: "seed",
  // Mistral.
  random_seed: "seed",
  presence_penalty: "presencePenalty",
  frequency_penalty: "frequencyPenalty",
  tools: "tools",
  tool_choice: "toolChoice",
  parallel_tool_calls: "parallelToolCalls",
  response_format: "responseFormat",
};

const KNOWN: ReadonlySet<string> = new Set(["role", "content", "name", "refusal"]);

/** Takes the envelopes out of the reasoning details. Returns the other fields. */
function openEnvelopes(message: Json): { fields: Json; providerMessage?: ProviderMessage } {
  if (!Array.isArray(message.reasoning_details)) return { fields: message };
  const { parts, providerMessage } = readEnvelopes(
    asObjects(message.reasoning_details),
    ({ format, data }) => format === ENVELOPE_FORMAT || isEnvelope(data) ? data : undefined,
  );
  const { reasoning_details: _, ...fields } = message;
  if (parts.length > 0) fields.reasoning_details = parts;
  return { fields, providerMessage };
}

function decodeAssistant(given: Json): AssistantMessage {
  const { fields: message, providerMessage: wrapped } = openEnvelopes(given);
  let isPlain = true;
  for (const name in message) isPlain &&= KNOWN.has(name);
  const hasOwnParts = asObjects(message.content).some(({ type }) => type !== "text");
  if (isPlain && !hasOwnParts && wrapped === undefined) {
    return message as unknown as AssistantMessage;
  }
  const { name, ...unnamed } = message;
  const calls = decodeToolCalls(message);
  const providerMessage = wrapped ?? nativeMessage(message.content, messageExtras(unnamed), calls);
  const decoded: Json = { role: "assistant" };
  if (message.content !== undefined) {
    decoded.content = hasOwnParts ? decodeContent(message.content) : message.content;
  }
  const refusal = message.refusal ??
    asText(asObjects(message.content).map((part) => part.refusal ?? "").join(""));
  if (refusal !== undefined) decoded.refusal = refusal;
  if (name !== undefined) decoded.name = name;
  if (calls.length > 0) decoded.tool_calls = calls.map(({ call }) => call);
  if (providerMessage !== undefined) decoded.providerMessage = providerMessage;
  return decoded as unknown as AssistantMessage;
}

function decodeMessage(message: Json): Message {
  if (message.role === "assistant") return decodeAssistant(message);
  // Its call, from before calls had ids, is decoded with this one.
  if (message.role === "function") {
    return { role: "tool", tool_call_id: "call_0", content: message.content as string };
  }
  return message as unknown as Message;
}

/** Reads the fields from before there were tools. */
function takeFunctions(options: SamplingOptions, extra: Json): void {
  if (options.tools !== undefined || !Array.isArray(extra.functions)) return;
  options.tools = asObjects(extra.functions).map((fn) =>
    ({ type: "function", function: fn }) as unknown as Tool
  );
  const { function_call: choice } = extra;
  const name = asText(asObject(choice)?.name);
  if (choice === "auto" || choice === "none") options.toolChoice = choice;
  else if (name !== undefined) options.toolChoice = { type: "function", function: { name } };
  delete extra.functions;
  delete extra.function_call;
}

/** Decodes a request body. */
export function decodeRequest(body: Json): ServerRequest {
  const { options, rest } = splitOptions(body, OPTIONS);
  const { messages, model, stream, stream_options, ...extra } = rest;
  takeFunctions(options, extra);
  // Mistral's word.
  if (options.toolChoice as unknown === "any") options.toolChoice = "required";
  const thinking = takeThinking(extra);
  if (thinking !== undefined) options.thinking = thinking;
  // Clients of this library always get usage, so the flag is not part of the request.
  extra.stream_options = remaining(asObject(stream_options) ?? {}, "include_usage");
  const extraBody: SamplingOptions["extraBody"] = remaining(extra);
  if (extraBody !== undefined) options.extraBody = extraBody;
  return {
    chat: {
      model: asText(model) ?? "",
      messages: asObjects(messages).map(decodeMessage),
      options,
      stream: stream === true,
    },
    body,
    choices: choicesOf(body.n),
    topLogprobs: body.logprobs === true ? Number(body.top_logprobs ?? 0) : undefined,
    includeThinking: true,
  };
}
