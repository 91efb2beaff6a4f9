/**
 * Lines of OpenAI Batch files: one HTTP request each, for Chat Completions or Responses.
 *
 * Source: OpenAI API reference, "The request input object" of the Batch API: `custom_id`, `method`
 * (`POST`), `url` and `body`. Other services leave out `method` and `url`.
 *
 * @module
 */
import { type Message, messagesProblem } from "../chat/messages.ts";
import type { RecordOptions } from "../chat/record_options.ts";
import { asNumber, asObject, type Json } from "../json/json.ts";
import { OPTION_FIELDS, type OptionFields, readOption, shown } from "./option_fields.ts";
import { chatBodyOfResponses } from "./responses_body.ts";

/** What a line asks for, or what is wrong with it. */
export type BatchLine =
  | { messages: Message[]; options?: RecordOptions; metadata?: Json }
  | { problem: string };

/** Fields of the line that say where its body goes. */
const ADDRESS = new Set(["method", "url", "body"]);

/** Whether `fields` are a line of an OpenAI Batch file. */
export function isBatchLine(fields: Json): boolean {
  const body = asObject(fields.body);
  return body !== undefined && ("custom_id" in fields || "url" in fields || "messages" in body);
}

/** What cannot be asked one answer at a time. */
function bodyProblem({ stream, n }: Json): string | undefined {
  if (stream) return "body.stream: expected false, a batch is not streamed";
  if (n !== undefined && n !== null && asNumber(n) !== 1) {
    return `body.n: expected 1, the one answer of a record, got ${shown(n)}`;
  }
  return undefined;
}

/** The body as one of Chat Completions. */
function chatBody({ method, url, body }: Json): { body: Json } | { problem: string } {
  if (method !== undefined && method !== "POST") {
    return { problem: `method: expected "POST", got ${shown(method)}` };
  }
  if (url === undefined || /\/chat\/completions\/?$/.test(String(url))) {
    return { body: asObject(body)! };
  }
  if (/\/responses\/?$/.test(String(url))) return chatBodyOfResponses(asObject(body)!);
  return {
    problem: `url: expected "/v1/chat/completions" or "/v1/responses", got ${shown(url)}, ` +
      "which gives no chat completion",
  };
}

/** Reads a line whose options are those in `optionFields`; all others go with the answer. */
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
    Object.entries(fields).filter(([name]) => !ADDRESS.has(name)),
  );
  for (const [name, value] of Object.entries(body)) {
    if (["messages", "stream", "stream_options", "n"].includes(name) || value === null) continue;
    const field = optionFields.get(name);
    // DeepSeek's own form of it is an object, and goes as it is.
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
