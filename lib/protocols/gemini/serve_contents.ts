/**
 * Decodes Gemini's `contents` into messages.
 *
 * Source: Gemini API reference, "Content" and "Part".
 *
 * @module
 */
import type { AssistantMessage, ContentPart, Message, ToolMessage } from "../../chat/messages.ts";
import type { ToolCall } from "../../chat/tool_call.ts";
import { asObject, asObjects, asText, type Json } from "../../json/json.ts";
import { readEnvelopes } from "../envelope_parts.ts";
import { located, pathOf } from "../source_path.ts";
import { NO_SIGNATURE } from "./messages.ts";

function decodeInlineData({ mimeType, data }: Json): ContentPart {
  const type = asText(mimeType) ?? "application/octet-stream";
  const url = `data:${type};base64,${data}`;
  if (type.startsWith("image/")) return { type: "image_url", image_url: { url } };
  if (!type.startsWith("audio/")) return { type: "file", file: { file_data: url } };
  const format = type.slice("audio/".length);
  return { type: "input_audio", input_audio: { data: data as string, format } };
}

function decodeFileData({ mimeType, fileUri }: Json): ContentPart {
  const url = String(fileUri);
  return asText(mimeType)?.startsWith("image/")
    ? { type: "image_url", image_url: { url } }
    : { type: "file", file: { file_data: url } };
}

function decodePart(part: Json): ContentPart {
  const inline = asObject(part.inlineData);
  const path = pathOf(part);
  const at = (decoded: ContentPart) => path === undefined ? decoded : located(decoded, path);
  if (inline !== undefined) return at(decodeInlineData(inline));
  const file = asObject(part.fileData);
  if (file !== undefined) return at(decodeFileData(file));
  return { type: "text", text: typeof part.text === "string" ? part.text : "" };
}

/** The content of a message. A single text is written as a string. */
export function decodeParts(parts: readonly Json[]): string | ContentPart[] {
  const decoded = parts.map(decodePart);
  const [first] = decoded;
  return decoded.length === 1 && first.type === "text" ? first.text : decoded;
}

/** Whether fields of an assistant message can hold the part. */
function isPortable({ thought, thoughtSignature, ...part }: Json): boolean {
  if (thought === true || (thoughtSignature ?? NO_SIGNATURE) !== NO_SIGNATURE) return false;
  const names = Object.keys(part).filter((name) => part[name] !== undefined);
  return names.length === 1 && (names[0] === "text" || names[0] === "functionCall");
}

/** Decodes the turns, and gives ids to calls that have none. */
class ContentsDecoder {
  readonly messages: Message[] = [];
  /** The calls of the last turn whose results have not been seen. */
  #open: ToolCall[] = [];
  #calls = 0;

  add({ role, parts: given }: Json, path: string): void {
    const parts = asObjects(given);
    if (role === "model") {
      this.messages.push(located(this.#decodeModel(parts), path));
      return;
    }
    let others: Json[] = [];
    const flush = () => {
      if (others.length === 0) return;
      this.messages.push(located({ role: "user", content: decodeParts(others) }, path));
      others = [];
    };
    for (const [i, part] of parts.entries()) {
      const response = asObject(part.functionResponse);
      const at = `${path}.parts[${i}]`;
      if (response === undefined) others.push(located(part, at));
      else {
        flush();
        this.messages.push(located(this.#decodeResponse(response), at));
      }
    }
    flush();
  }

  #decodeModel(given: readonly Json[]): AssistantMessage {
    const { parts, providerMessage } = readEnvelopes(
      given,
      ({ thoughtSignature }) => thoughtSignature,
      // Clients may merge an empty part with the one before it.
      ({ thoughtSignature: _, ...part }) => part.text === "" ? undefined : part,
    );
    this.#open = parts.flatMap(({ functionCall }) => {
      const call = asObject(functionCall);
      return call === undefined ? [] : [this.#decodeCall(call)];
    });
    const texts = parts.filter(({ text, thought }) => typeof text === "string" && thought !== true);
    const message: AssistantMessage = { role: "assistant", content: null };
    if (texts.length > 0) message.content = decodeParts(texts) as AssistantMessage["content"];
    else if (this.#open.length === 0) message.content = "";
    if (this.#open.length > 0) message.tool_calls = [...this.#open];
    if (providerMessage !== undefined) message.providerMessage = providerMessage;
    else if (!parts.every(isPortable)) {
      message.providerMessage = { format: "gemini", content: parts };
    }
    return message;
  }

  #decodeCall({ id, name, args }: Json): ToolCall {
    const index = this.#calls++;
    return {
      id: asText(id) ?? `call_${index}`,
      type: "function",
      function: { name: String(name), arguments: JSON.stringify(args ?? {}) },
    };
  }

  /** Results without an id answer the calls of their name in order. */
  #decodeResponse({ id, name, response, parts: media }: Json): ToolMessage {
    const index = this.#open.findIndex((call) =>
      id === undefined || id === null ? call.function.name === name : call.id === id
    );
    const [call] = index < 0 ? [] : this.#open.splice(index, 1);
    const { output, error, ...others } = asObject(response) ?? {};
    const value = error ?? output;
    const isPlain = typeof value === "string" && Object.keys(others).length === 0;
    const text = isPlain ? value : JSON.stringify(response ?? {});
    const message: ToolMessage = {
      role: "tool",
      tool_call_id: call?.id ?? asText(id) ?? `call_${name}`,
      content: text,
    };
    const files = asObjects(media).map(decodePart);
    if (files.length > 0) message.content = [{ type: "text", text }, ...files];
    if (isPlain && error !== undefined) message.is_error = true;
    return message;
  }
}

/** Decodes `contents`. */
export function decodeContents(contents: readonly Json[]): Message[] {
  const decoder = new ContentsDecoder();
  for (const [i, content] of contents.entries()) decoder.add(content, `contents[${i}]`);
  return decoder.messages;
}
