/**
 * Reads files attached to a message: text as text, others as images, audio or documents.
 *
 * @module
 */
import { Buffer, isUtf8 } from "node:buffer";
import { homedir } from "node:os";
import { basename, resolve } from "node:path";
import {
  type AttachmentKind,
  isDataUrl,
  isUrl,
  type LoadedFile,
  loadOnce,
  MAX_BYTES,
} from "../transport/load_file.ts";
import { audioFormatOf, IMAGE_TYPES, isTextType, mediaTypeOf, sniff } from "../chat/media_type.ts";
import type { ContentPart, UserMessage } from "../chat/messages.ts";
import { readLocalFile, tooLarge } from "../files/read_local_file.ts";
import { InvalidInputError } from "../errors.ts";

/** Maximum bytes of a text file, more than any model accepts. */
const MAX_TEXT = 4 * 1024 * 1024;

/** A file attached to a message. */
export interface Attachment {
  /** Its name, for display. */
  name: string;
  /** Its size in bytes; 0 for an image at a URL. */
  bytes: number;
  /** The part of the message that contains or links it. */
  part: ContentPart;
}

/** Expands `~` at the start of a path to the home folder. */
export function expandPath(path: string): string {
  return path === "~" || path.startsWith("~/") ? homedir() + path.slice(1) : path;
}

/** A file as a part of a message. */
function partOf({ mediaType = "", data, name }: LoadedFile): ContentPart {
  const url = `data:${mediaType};base64,${data}`;
  if (IMAGE_TYPES.includes(mediaType)) return { type: "image_url", image_url: { url } };
  if (mediaType.startsWith("audio/")) {
    return { type: "input_audio", input_audio: { data, format: audioFormatOf(mediaType) } };
  }
  const file = { file_data: url };
  return { type: "file", file: name === undefined ? file : { ...file, filename: name } };
}

function kindOf(mediaType: string): AttachmentKind {
  if (mediaType.startsWith("image/")) return "image";
  return mediaType.startsWith("audio/") ? "audio" : "file";
}

/**
 * Reads an image to attach: a file, whose content is copied now, or an `http(s)` or data URL.
 *
 * @throws {InvalidInputError} if it cannot be read, is too large, or has an unknown type
 */
export async function readImageAttachment(path: string): Promise<Attachment> {
  const name = path.slice(0, 80);
  if (isUrl(path)) {
    return { name, bytes: 0, part: { type: "image_url", image_url: { url: path } } };
  }
  const isPath = !/^(data|file):/i.test(path);
  const reference = isPath ? resolve(expandPath(path)) : path;
  const loaded = await loadOnce(reference, "image", { timeout: 0 });
  const bytes = Math.floor(loaded.data.length * 3 / 4);
  return { name: isPath ? basename(path) : name, bytes, part: partOf(loaded) };
}

/** The text of a file, labeled with its name. */
function textPart(bytes: Uint8Array, name: string): ContentPart {
  const content = Buffer.from(bytes).toString("utf8").replace(/^\uFEFF/, "");
  const text = `<file name=${JSON.stringify(name)}>\n${content.replace(/\n?$/, "\n")}</file>`;
  return { type: "text", text };
}

/**
 * Reads a file to attach: text, which is labeled with its name, an image, a PDF or another document, or
 * audio.
 *
 * @throws {InvalidInputError} if it cannot be read, is too large, or has an unknown type
 */
export async function readAttachment(path: string): Promise<Attachment> {
  if (isUrl(path)) return await readImageAttachment(path);
  if (isDataUrl(path)) {
    const loaded = await loadOnce(path, "file", { timeout: 0 });
    const bytes = Math.floor(loaded.data.length * 3 / 4);
    const part: ContentPart = isTextType(loaded.mediaType ?? "")
      ? { type: "text", text: Buffer.from(loaded.data, "base64").toString() }
      : partOf(loaded);
    return { name: path.slice(0, 80), bytes, part };
  }
  const bytes = await readLocalFile(expandPath(path), { what: path, max: MAX_BYTES.file });
  const name = basename(path);
  const size = bytes.length;
  if (sniff(bytes) === undefined && isUtf8(bytes) && !bytes.includes(0)) {
    if (size > MAX_TEXT) throw tooLarge(path, size, MAX_TEXT);
    return { name, bytes: size, part: textPart(bytes, name) };
  }
  const mediaType = mediaTypeOf(bytes, name);
  const kind = mediaType === undefined ? undefined : kindOf(mediaType);
  if (kind === undefined || (kind === "image" && !IMAGE_TYPES.includes(mediaType!))) {
    throw new InvalidInputError(`${path} is not text (UTF-8), an image, a PDF or audio`, {
      hint: "Images can be PNG, JPEG, GIF or WebP; convert other files to text or PDF first.",
    });
  }
  if (size > MAX_BYTES[kind]) throw tooLarge(path, size, MAX_BYTES[kind]);
  const data = Buffer.from(bytes).toString("base64");
  return { name, bytes: size, part: partOf({ mediaType, data, name }) };
}

/** A message with `text` after its `attachments`; a plain string if all of them are text. */
export function messageWith(text: string, attachments: readonly Attachment[]): UserMessage {
  const prompt: ContentPart[] = text === "" ? [] : [{ type: "text", text }];
  const parts = [...attachments.map(({ part }) => part), ...prompt];
  const texts = parts.flatMap((part) => part.type === "text" ? [part.text] : []);
  if (texts.length === parts.length) return { role: "user", content: texts.join("\n\n") };
  return { role: "user", content: parts };
}
