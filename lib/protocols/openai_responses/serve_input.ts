/**
 * Decodes the input items of the Responses API into messages.
 *
 * Source: the types of the `openai` package 7.57 (`ResponseInputItem`).
 *
 * @module
 */
import type { AssistantMessage, ContentPart, Message } from "../../chat/messages.ts";
import type { ToolCall } from "../../chat/tool_call.ts";
import { asObject, asObjects, asText, type Json } from "../../json/json.ts";
import { readEnvelopes } from "../envelope_parts.ts";
import { isUnsignedItem } from "../unsigned_thinking.ts";
import { remaining } from "../serve_request.ts";
import { located } from "../source_path.ts";
import {
  decodeCallItem,
  foundTools,
  isCallItem,
  isCallOutput,
  isPlainCall,
} from "./serve_tools.ts";

function decodePart(part: Json): ContentPart {
  switch (part.type) {
    case "input_text":
    case "output_text":
      return { type: "text", text: part.text as string };
    case "input_image": {
      const { image_url: url, detail } = part;
      // An image by its id has no other form.
      if (typeof url !== "string") break;
      // "auto" is the default, which the encoder always writes.
      const image_url = detail === "auto" || detail === undefined ? { url } : { url, detail };
      return { type: "image_url", image_url } as ContentPart;
    }
    case "input_file": {
      const { file_data, file_url, file_id, filename } = part;
      const file = remaining({ file_data: file_data ?? file_url, file_id, filename }) ?? {};
      return { type: "file", file };
    }
  }
  return part as unknown as ContentPart;
}

function decodeContent(content: unknown): string | ContentPart[] {
  return Array.isArray(content) ? asObjects(content).map(decodePart) : content as string;
}

function isMessage({ type, role }: Json): boolean {
  return type === "message" || type === undefined && role !== undefined;
}

/** Whether fields of an assistant message can hold the item. */
function isPortable(item: Json): boolean {
  return isMessage(item) ? item.phase === undefined : isPlainCall(item);
}

function isPlainMessage(item: Json): boolean {
  return isMessage(item) && isPortable(item);
}

/** One turn of the model: its reasoning, text and calls. */
function decodeAssistant(given: readonly Json[]): AssistantMessage {
  const { parts: items, providerMessage } = readEnvelopes(
    given.filter((item) => !isUnsignedItem(item)),
    ({ type, encrypted_content }) => type === "reasoning" ? encrypted_content : undefined,
  );
  let content = "";
  let refusal = "";
  const calls: ToolCall[] = [];
  for (const [i, item] of items.entries()) {
    if (isCallItem(item)) calls.push(decodeCallItem(item, i));
    if (!isMessage(item) || item.phase === "commentary") continue;
    if (typeof item.content === "string") content += item.content;
    for (const part of asObjects(item.content)) {
      content += asText(part.text) ?? "";
      refusal += asText(part.refusal) ?? "";
    }
  }
  const message: AssistantMessage = {
    role: "assistant",
    content: content === "" && (calls.length > 0 || refusal !== "") ? null : content,
  };
  if (refusal !== "") message.refusal = refusal;
  if (calls.length > 0) message.tool_calls = calls;
  if (providerMessage !== undefined) message.providerMessage = providerMessage;
  else if (!items.every(isPortable)) {
    message.providerMessage = { format: "responses", content: items };
  }
  return message;
}

function decodeOther(item: Json): Message {
  if (isCallOutput(item)) {
    const content = item.type === "tool_search_output"
      ? foundTools(item)
      : decodeContent(item.output);
    return { role: "tool", tool_call_id: (item.call_id ?? item.id) as string, content };
  }
  return { role: item.role, content: decodeContent(item.content) } as Message;
}

/** Decodes `input` and `instructions`. */
export function decodeInput(input: unknown, instructions: unknown): Message[] {
  const messages: Message[] = [];
  if (asText(instructions)) {
    messages.push(located({ role: "developer", content: instructions as string }, "instructions"));
  }
  if (typeof input === "string") messages.push(located({ role: "user", content: input }, "input"));
  let turn: Json[] = [];
  let start = 0;
  const endTurn = () => {
    if (turn.length > 0) messages.push(located(decodeAssistant(turn), `input[${start}]`));
    turn = [];
  };
  const items = Array.isArray(input) ? input.map((item) => asObject(item) ?? {}) : [];
  for (const [i, item] of items.entries()) {
    // Its tools are among those of the request.
    if (item.type === "additional_tools") continue;
    const isInput = isCallOutput(item) ||
      isMessage(item) && item.role !== "assistant";
    // A second message is another turn, unless the turn has to stay whole.
    if (isInput || isMessage(item) && turn.length > 0 && turn.every(isPlainMessage)) endTurn();
    if (isInput) {
      messages.push(located(decodeOther(item), `input[${i}]`));
      continue;
    }
    if (turn.length === 0) start = i;
    turn.push(item);
  }
  endTurn();
  return messages;
}
