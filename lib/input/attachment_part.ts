/**
 * Builds the parts of a message that contain attached files.
 *
 * @module
 */
import { audioFormatOf } from "../chat/media_type.ts";
import type { ContentPart, UserMessage } from "../chat/messages.ts";
import { tooLarge } from "../files/read_local_file.ts";
import { type AttachmentKind, MAX_BYTES } from "../transport/load_file.ts";
import type { FileContent } from "./file_content.ts";

/** Maximum bytes of text, more than any model accepts. */
export const MAX_TEXT = 4 * 1024 * 1024;

/** The text of a file as a part of a message, labeled with its name. */
export function textPart(text: string, name: string): ContentPart {
  const body = text.replace(/\n?$/, "\n");
  return { type: "text", text: `<file name=${JSON.stringify(name)}>\n${body}</file>` };
}

/** A file as a part of a message: `data` is base64. */
export function binaryPart(
  kind: AttachmentKind,
  mediaType: string,
  data: string,
  name: string | undefined,
): ContentPart {
  const url = `data:${mediaType};base64,${data}`;
  if (kind === "image") return { type: "image_url", image_url: { url } };
  if (kind === "audio") {
    return { type: "input_audio", input_audio: { data, format: audioFormatOf(mediaType) } };
  }
  const file = { file_data: url };
  return { type: "file", file: name === undefined ? file : { ...file, filename: name } };
}

/**
 * Throws if a file is larger than models accept.
 *
 * @throws {InvalidInputError}
 */
export function checkSize(kind: FileContent["kind"], size: number, what: string): void {
  const max = kind === "text" ? MAX_TEXT : MAX_BYTES[kind];
  if (size > max) throw tooLarge(what, size, max);
}

/** A message with `text` after the `parts`; a plain string if all of them are text. */
export function messageOf(text: string, attached: readonly ContentPart[]): UserMessage {
  const prompt: ContentPart[] = text === "" ? [] : [{ type: "text", text }];
  const parts = [...attached, ...prompt];
  const texts = parts.flatMap((part) => part.type === "text" ? [part.text] : []);
  if (texts.length === parts.length) return { role: "user", content: texts.join("\n\n") };
  return { role: "user", content: parts };
}
