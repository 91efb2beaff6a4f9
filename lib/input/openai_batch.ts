/**
 * Reads lines of OpenAI Batch files: one HTTP request each, to Chat Completions or Responses.
 *
 * Source: OpenAI API reference, "The request input object" of the Batch API: `custom_id`, `method`
 * (`POST`), `url` and `body`. Other services omit `method` and `url`.
 *
 * @module
 */
import { type Message, messagesProblem } from "../chat/messages.ts";
import type { RecordOptions } from "../chat/record_options.ts";
import { asNumber, asObject, type Json } from "../json/json.ts";
import { OPTION_FIELDS, type OptionFields, readOption, shown } from "./option_fields.ts";
import { chatBodyOfResponses } from "./responses_body.ts";

/** The request in a line, or what is wrong with it. */
export type BatchLine =
  | { messages: Message[]; options?: RecordOptions; metadata?: Json }
  | { problem: string };

/** Fields of the line that describe the HTTP request; they are not metadata. */
const REQUEST_FIELDS = new Set(["method", "url", "body"]);

/** Whether `fields` are a line of an OpenAI Batch file. */
export function isBatchLine(fields: Json): boolean {
  const body = asObject(fields.body);
  return body !== undefined && ("custom_id" in fields || "url" in fields || "messages" in body);
}

/** What is wrong with a body that requests a stream or several answers. */
function bodyProblem({ stream, n }: Json): string | undefined {
  if (stream) return "body.stream: expected false, batches are not streamed";
  if (n !== undefined && n !== null && asNumber(n) !== 1) {
    return `body.n: expected 1, since a record has one answer, got ${shown(n)}`;
  }
  return undefined;
}

/** The body, converted to Chat Completions if needed. */
function chatBody({ method, url, body }: Json): { body: Json } | { problem: string } {
  if (method !== undefined && method !== "POST") {
    return { problem: `method: expected "POST", got ${shown(method)}` };
  }
  if (url === undefined || /\/chat\/completions\/?$/.test(String(url))) {
    return { body: asObject(body)! };
  }
  if (/\/responses\/?$/.test(String(url))) return chatBodyOfResponses(asObject(body)!);
  return {
    problem: `url: expected "/v1/chat/completions" or "/v1/responses", got ${shown(url)}`,
  };
}

/**
 * Reads a line.
 *
 * @param optionFields the fields of its body that are options
 */
export function fromBatchLine(fields: Json, optionFields: OptionFields): BatchLine {
  const chat = chatBody(fields);
  if ("problem" in chat) return chat;
  const { body } = chat;
  const messages = messagesProblem(body.messages);
  const problem = messages === undefined ? bodyProblem(body) : `body.${messages}`;
  if (problem !== undefined) return { problem };
  const options: RecordOptions = {};
  const extra: Json = {};
  const metadata = Object.fromEntries(
    Object.entries(fields).filter(([name]) => !REQUEST_FIELDS.has(name)),
  );
  for (const [name, value] of Object.entries(body)) {
    if (["messages", "stream", "stream_options", "n"].includes(name) || value === null) continue;
    const field = optionFields.get(name);
    // DeepSeek's `thinking` is an object, which is sent unchanged.
    const isForeign = name === "thinking" && asObject(value) !== undefined;
    if (field === undefined || isForeign) {
      (OPTION_FIELDS.has(name) && !isForeign ? metadata : extra)[name] = value;
      continue;
    }
    const wrong = readOption(options, `body.${name}`, field, value, false);
    if (wrong !== undefined) return { problem: wrong };
  }
  if (Object.keys(extra).length > 0) options.extraBody = extra;
  return {
    messages: body.messages as Message[],
    options: Object.keys(options).length === 0 ? undefined : options,
    metadata: Object.keys(metadata).length === 0 ? undefined : metadata,
  };
}
