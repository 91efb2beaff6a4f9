/**
 * Validates chat completion messages as OpenAI does.
 *
 * Source: OpenAI API reference, "Create chat completion", `messages`, and the types of the `openai`
 * package 7.57.
 *
 * @module
 */
import { type Fields, reject } from "../body_checks.ts";
import { openaiWording as wording } from "./validate_wording.ts";

const ROLES = ["system", "assistant", "user", "function", "tool", "developer"];
const PARTS: Record<string, readonly string[]> = {
  user: ["text", "image_url", "input_audio", "file"],
  assistant: ["text", "refusal"],
};
const TEXT_PARTS = ["text"];
/** Parts that only compatible services accept: vLLM, Qwen, Mistral, OpenRouter, DeepInfra. */
const MORE_PARTS = [
  "image_url",
  "input_audio",
  "file",
  "video_url",
  "input_video",
  "audio_url",
  "image",
  "video",
  "document_url",
  "thinking",
  "reasoning",
];

function checkPart(part: Fields, allowed: readonly string[]): void {
  const type = part.required("type").choice("type", allowed);
  switch (type) {
    case "text":
      part.required("text").string("text");
      break;
    case "refusal":
      part.required("refusal").string("refusal");
      break;
    case "image_url": {
      const image = part.required("image_url").object("image_url")!;
      image?.required("url").string("url");
      image?.choice("detail", ["auto", "low", "high", "original"]);
      break;
    }
    case "input_audio": {
      const audio = part.required("input_audio").object("input_audio");
      audio?.required("data", "format").string("data");
      audio?.choice("format", ["wav", "mp3"]);
      break;
    }
    case "file": {
      const file = part.required("file").object("file");
      if (!file?.has("file_id") && !file?.has("file_data")) {
        wording.missing(part.at("file.file_id"));
      }
      file?.string("file_id");
      file?.string("file_data");
      break;
    }
  }
}

/** Checks that the content is a string or a list of valid parts. */
function checkContent(message: Fields, role: string, official: boolean): void {
  const { content } = message.value;
  if (typeof content === "string") return;
  const allowed = PARTS[role] ?? TEXT_PARTS;
  if (content === undefined || content === null) {
    const isOptional = role === "assistant" &&
      (["tool_calls", "function_call", "refusal", "audio"].some((name) => message.has(name)) ||
        // Compatible servers accept empty assistant messages.
        content === null && !official);
    if (isOptional || role === "function" && content === null) return;
    if (content === undefined) wording.missing(message.at("content"));
    reject(
      "Invalid value for 'content': expected a string, got null.",
      message.path.replace("[", ".[") + ".content",
    );
  }
  if (!Array.isArray(content)) wording.type(message.at("content"), "string", content);
  for (const part of message.objects("content", 1)!) {
    checkPart(part, official ? allowed : [...allowed, ...MORE_PARTS]);
  }
}

function checkCall(call: Fields): string {
  call.required("id").string("id");
  const type = call.required("type").choice("type", ["function", "custom"])!;
  const called = call.required(type).object(type);
  const input = type === "function" ? "arguments" : "input";
  called?.required("name", input).string("name");
  called?.string(input);
  return call.value.id as string;
}

/** The path of a message's role, as OpenAI's error messages write it. */
const role = (i: number) => `messages.[${i}].role`;

/**
 * Checks each message, and that every tool call is followed by its result. `official` applies OpenAI's
 * own rules instead of those of compatible servers.
 */
export function checkMessages(messages: readonly Fields[], official: boolean): void {
  let waiting: Set<string> | undefined;
  let caller = 0;
  const rejectUnanswered = () => {
    if (waiting === undefined || waiting.size === 0) return;
    const ids = [...waiting].join(", ");
    reject(
      "An assistant message with 'tool_calls' must be followed by tool messages responding to each " +
        `'tool_call_id'. The following tool_call_ids did not have response messages: ${ids}`,
      role(caller),
    );
  };
  for (const [i, message] of messages.entries()) {
    const speaker = message.required("role").choice("role", ROLES)!;
    message.string("name");
    if (speaker === "tool") {
      const id = message.required("tool_call_id").string("tool_call_id")!;
      if (waiting === undefined) {
        reject(
          "Invalid parameter: messages with role 'tool' must be a response to a preceeding message " +
            "with 'tool_calls'.",
          role(i),
        );
      }
      if (!waiting!.delete(id)) {
        reject(
          `Invalid parameter: 'tool_call_id' of '${id}' not found in 'tool_calls' of previous message.`,
          `messages.[${i}].tool_call_id`,
        );
      }
    } else {
      rejectUnanswered();
      waiting = undefined;
    }
    checkContent(message, speaker, official);
    if (speaker === "function") message.required("name");
    const calls = speaker === "assistant" ? message.objects("tool_calls", 1) : undefined;
    if (calls !== undefined) {
      waiting = new Set(calls.map(checkCall));
      caller = i;
    }
  }
  rejectUnanswered();
}
