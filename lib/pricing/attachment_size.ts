/**
 * Estimates the tokens of images, files and audio, without loading them.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { isTextType } from "../chat/media_type.ts";
import type { AudioPart, ContentPart, DocumentPart, TextPart } from "../chat/messages.ts";

/** Images, by detail; the larger value is that of a full-size photo. */
const SMALL_IMAGE = 100;
export const LARGE_IMAGE = 1600;

/**
 * A page of a PDF. Source: Anthropic API documentation, "PDF support": 1,500 to 3,000 tokens of text, and
 * an image, for each page.
 */
const PAGE = 3000;
/** Bytes per page: scanned pages have more, pure text less. */
const PAGE_BYTES = 100_000;
/** Pages of a file whose size is not known: one at a path, a URL, or with the provider. */
const UNKNOWN_PAGES = 5;

/**
 * Tokens per second of audio. Source: Gemini API documentation, "Audio understanding"; OpenAI's models take fewer.
 */
const SECOND = 32;
/** Bytes per second of compressed audio: MP3 at 128 kbit/s. */
const SECOND_BYTES = 16_000;
/** Assumed seconds of audio of unknown size. */
const UNKNOWN_SECONDS = 60;

/** How many bytes base64 of this length holds. */
function bytesOf(base64Length: number): number {
  return base64Length * 3 / 4;
}

function pdfSize(bytes: number): number {
  return PAGE * Math.ceil(bytes / PAGE_BYTES);
}

/** A file in a data URL; for other references only the path is known. */
function fileSize(reference: string | undefined): number {
  if (reference === undefined || !/^data:/i.test(reference)) return UNKNOWN_PAGES * PAGE;
  const bytes = bytesOf(reference.length);
  // Text in UTF-8 has at least three bytes a token.
  const [, mediaType = ""] = /^data:([^;,]{0,100})/i.exec(reference) ?? [];
  return isTextType(mediaType) ? bytes / 3 : pdfSize(bytes);
}

/** The bytes of a second of PCM, from the header of a WAV file (RIFF: `nAvgBytesPerSec`). */
function wavRate(base64: string): number | undefined {
  const start = Buffer.from(base64.slice(0, 48), "base64");
  if (start.toString("latin1", 8, 16) !== "WAVEfmt " || start.length < 32) return undefined;
  return start.readUInt32LE(28) || undefined;
}

function audioSize({ input_audio: { data } }: AudioPart): number {
  const base64 = data.replace(/^data:[^,]{0,200},/i, "");
  // A path or a URL.
  if (base64.length < 1000 || /^https?:/i.test(data)) return UNKNOWN_SECONDS * SECOND;
  return SECOND * bytesOf(base64.length) / (wavRate(base64) ?? SECOND_BYTES);
}

function documentSize({ source }: DocumentPart, text: (text: string) => number): number {
  switch (source.type) {
    case "text":
      return text(source.data);
    case "base64":
      return pdfSize(bytesOf(source.data.length));
    case "url":
      return fileSize(source.url);
    default:
      return UNKNOWN_PAGES * PAGE;
  }
}

/** Estimates the tokens of a part that is not text; `text` measures any text in it. */
export function attachmentSize(
  part: Exclude<ContentPart, TextPart>,
  text: (text: string) => number,
): number {
  switch (part.type) {
    case "image_url":
      return part.image_url.detail === "low" ? SMALL_IMAGE : LARGE_IMAGE;
    case "file":
      return fileSize(part.file.file_data);
    case "input_audio":
      return audioSize(part);
    case "document":
      return documentSize(part, text);
    default:
      // Parts that only some providers know.
      return LARGE_IMAGE;
  }
}
