/**
 * Converts request bodies of OpenAI's Responses API to Chat Completions.
 *
 * Source: OpenAI API reference, "Create a model response", and the guide "Migrate to the Responses
 * API".
 *
 * @module
 */
import { asObject, type Json } from "../json/json.ts";
import { shown } from "./option_fields.ts";

type Translated<T> = T | { problem: string };

/** Fields with the same name and meaning in both. */
const SAME = new Set([
  ...["model", "temperature", "top_p", "parallel_tool_calls", "stream", "service_tier"],
  ...["prompt_cache_key", "safety_identifier", "user"],
]);
/** Fields about storing the response at OpenAI, which have no effect in a batch. */
const IGNORED = new Set(["store", "metadata", "include", "background"]);

function isProblem(value: unknown): value is { problem: string } {
  return typeof value === "object" && value !== null && "problem" in value;
}

function filePart({ file_data, file_url, file_id, filename }: Json): Json {
  const given = Object.entries({ file_data: file_data ?? file_url, file_id, filename })
    .filter(([, field]) => field !== undefined && field !== null);
  return { type: "file", file: Object.fromEntries(given) };
}

function part(value: unknown, path: string): Translated<Json> {
  const { type, text, image_url, detail } = asObject(value) ?? {};
  if (type === "input_text" || type === "output_text") return { type: "text", text };
  if (type === "input_image" && typeof image_url === "string") {
    return {
      type: "image_url",
      image_url: detail === undefined ? { url: image_url } : { url: image_url, detail },
    };
  }
  if (type === "input_file") return filePart(asObject(value)!);
  if (type === "input_audio") return asObject(value)!;
  return {
    problem:
      `${path}: expected input_text, input_file, input_audio or input_image with a URL, got ${
        shown(value)
      }`,
  };
}

function message(value: unknown, path: string): Translated<Json> {
  const { type = "message", role, content } = asObject(value) ?? {};
  if (type !== "message" || role === undefined) {
    return { problem: `${path}: expected a message with a role, got ${shown(value)}` };
  }
  if (!Array.isArray(content)) return { role, content };
  const parts = content.map((each, i) => part(each, `${path}.content[${i}]`));
  return parts.find(isProblem) ?? { role, content: parts };
}

function conversation({ input, instructions }: Json): Translated<Json[]> {
  const system = typeof instructions === "string"
    ? [{ role: "developer", content: instructions }]
    : [];
  if (typeof input === "string") return [...system, { role: "user", content: input }];
  if (!Array.isArray(input)) {
    return {
      problem: `body.input: expected a string or an array of messages, got ${shown(input)}`,
    };
  }
  const messages = input.map((each, i) => message(each, `body.input[${i}]`));
  return messages.find(isProblem) ?? [...system, ...messages];
}

function tool(value: unknown): unknown {
  const { type, ...details } = asObject(value) ?? {};
  // Other types are the provider's own tools, which are sent unchanged.
  return type === "function" ? { type, function: details } : value;
}

function toolChoice(value: unknown): unknown {
  const choice = asObject(value);
  return choice?.type === "function" ? tool(choice) : value;
}

/** Converts `text: {format}` to `response_format`. */
function responseFormat(value: unknown): Translated<{ format: unknown }> {
  const { format, verbosity, ...others } = asObject(value) ?? {};
  if (verbosity !== undefined || Object.keys(others).length > 0) {
    return { problem: `body.text: expected only a "format", got ${shown(value)}` };
  }
  const { type, ...schema } = asObject(format) ?? {};
  return { format: type === "json_schema" ? { type, json_schema: schema } : format };
}

/** Converts `reasoning: {effort}` to `reasoning_effort`. */
function effort(value: unknown): Translated<{ effort: unknown }> {
  const { effort, ...others } = asObject(value) ?? {};
  const unsupported = Object.keys(others).filter((name) => name !== "summary");
  if (typeof effort === "string" && unsupported.length === 0) return { effort };
  return { problem: `body.reasoning: expected only an "effort", got ${shown(value)}` };
}

/** Converts a body, or reports the field that has no equivalent in Chat Completions. */
export function chatBodyOfResponses(body: Json): { body: Json } | { problem: string } {
  const messages = conversation(body);
  if (isProblem(messages)) return messages;
  const chat: Json = { messages };
  for (const [name, value] of Object.entries(body)) {
    if (value === null || name === "input" || IGNORED.has(name)) continue;
    if (SAME.has(name)) chat[name] = value;
    else if (name === "instructions" && typeof value === "string") continue;
    else if (name === "max_output_tokens") chat.max_tokens = value;
    else if (name === "tools" && Array.isArray(value)) chat.tools = value.map(tool);
    else if (name === "tool_choice") chat.tool_choice = toolChoice(value);
    else if (name === "text") {
      const read = responseFormat(value);
      if ("problem" in read) return read;
      if (read.format !== undefined) chat.response_format = read.format;
    } else if (name === "reasoning") {
      const read = effort(value);
      if ("problem" in read) return read;
      chat.reasoning_effort = read.effort;
    } else {
      return {
        problem: `body.${name}: not supported, since the request is sent as a chat completion`,
      };
    }
  }
  return { body: chat };
}
