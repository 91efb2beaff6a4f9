/**
 * Validates contents and the system instruction as Google does.
 *
 * Source: Gemini API reference, "Content" and "Part", the types of `@google/genai` 3.1, and error messages
 * as users report them ("Please use a valid role: user, model.").
 *
 * @module
 */
import { type Fields, reject } from "../body_checks.ts";
import { geminiWording as wording, rejectField, rejectUnknown } from "./validate_wording.ts";

const ROLES = ["user", "model", "function", ""];
/** Every part has one of these fields. */
const DATA = [
  ...["text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode"],
  ...["codeExecutionResult", "toolCall", "toolResponse", "audioTranscription"],
];
const KNOWN: ReadonlySet<string> = new Set([
  ...DATA,
  ...["thought", "thoughtSignature", "videoMetadata", "mediaResolution", "partMetadata"],
  ...["mediaProcessing", "speechMetadata"],
]);
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

function checkPart(part: Fields, official: boolean): void {
  const unknown = official ? part.unknown(KNOWN) : undefined;
  if (unknown !== undefined) rejectUnknown(unknown, part.path);
  // A part may consist of a signature alone.
  if (!DATA.some((name) => part.has(name)) && !part.has("thoughtSignature")) {
    rejectField(part.at("data"), "required oneof field 'data' must have one initialized field");
  }
  part.string("text");
  part.boolean("thought");
  const inline = part.object("inlineData");
  if (inline !== undefined) {
    inline.required("mimeType", "data").string("mimeType");
    const data = inline.string("data")!;
    if (!BASE64.test(data)) {
      reject(
        `Invalid value at '${
          inline.path.replace("inlineData", "inline_data")
        }.data' (TYPE_BYTES), Base64 decoding failed for "${data.slice(0, 40)}"`,
      );
    }
  }
  part.object("fileData")?.required("fileUri").string("fileUri");
  const call = part.object("functionCall");
  call?.required("name").string("name");
  call?.object("args");
  const response = part.object("functionResponse");
  response?.required("name", "response").string("name");
  response?.object("response");
}

function count(parts: readonly Fields[], name: string): number {
  return parts.filter((part) => part.has(name)).length;
}

/** Checks the turns, and that every function call is followed by its response. */
export function checkContents(body: Fields, official: boolean): void {
  const contents = body.objects("contents") ?? [];
  if (contents.length === 0) wording.missing("contents");
  let calls = 0;
  for (const content of contents) {
    const role = content.string("role") ?? "user";
    if (!ROLES.includes(role)) reject("Please use a valid role: user, model.");
    const parts = content.objects("parts") ?? [];
    if (parts.length === 0) rejectField(content.at("parts"), "contents.parts must not be empty.");
    for (const part of parts) checkPart(part, official);
    const responses = count(parts, "functionResponse");
    if (responses !== calls) {
      reject(
        "Please ensure that the number of function response parts is equal to the number of " +
          "function call parts of the function call turn.",
      );
    }
    calls = role === "model" ? count(parts, "functionCall") : 0;
  }
  const system = body.object("systemInstruction");
  for (const part of system?.objects("parts") ?? []) checkPart(part, official);
}
