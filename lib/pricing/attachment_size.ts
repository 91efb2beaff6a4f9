/**
 * Estimates the tokens of images, files and audio, without loading them.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { isTextType } from "../chat/media_type.ts";
import type { AudioPart, ContentPart, DocumentPart, TextPart } from "../chat/messages.ts";

/** Tokens of an image with `detail: low`. */
const SMALL_IMAGE = 100;
/** Tokens of any other image, as for a full-size photo. */
export const LARGE_IMAGE = 1600;

/**
 * Tokens per PDF page. Source: Anthropic API documentation, "PDF support": 1,500 to 3,000 tokens of text
 * plus an image per page.
 */
const TOKENS_PER_PAGE = 3000;
/** Assumed bytes per PDF page; scanned pages have more, plain text has less. */
const BYTES_PER_PAGE = 100_000;
/** Assumed pages of a file of unknown size: at a path, at a URL, or uploaded to the provider. */
const DEFAULT_PAGES = 5;

/**
 * Tokens per second of audio. Source: Gemini API documentation, "Audio understanding"; OpenAI's models
 * use fewer.
 */
const TOKENS_PER_SECOND = 32;
/** Assumed bytes per second of compressed audio: MP3 at 128 kbit/s. */
const BYTES_PER_SECOND = 16_000;
/** Assumed seconds of audio of unknown size. */
const DEFAULT_SECONDS = 60;

/** The number of bytes that base64 of this length encodes. */
function bytesOf(base64Length: number): number {
  return base64Length * 3 / 4;
}

function pdfSize(bytes: number): number {
  return TOKENS_PER_PAGE * Math.ceil(bytes / BYTES_PER_PAGE);
}

/** Tokens of a file; its size is known only if it is a data URL. */
function fileSize(reference: string | undefined): number {
  if (reference === undefined || !/^data:/i.test(reference)) return DEFAULT_PAGES * TOKENS_PER_PAGE;
  const bytes = bytesOf(reference.length);
  // A conservative ratio: a token of UTF-8 text usually has more than three bytes.
  const [, mediaType = ""] = /^data:([^;,]{0,100})/i.exec(reference) ?? [];
  return isTextType(mediaType) ? bytes / 3 : pdfSize(bytes);
}

/** Bytes per second of a WAV file, from its header (RIFF: `nAvgBytesPerSec`). */
function wavRate(base64: string): number | undefined {
  const start = Buffer.from(base64.slice(0, 48), "base64");
  if (start.toString("latin1", 8, 16) !== "WAVEfmt " || start.length < 32) return undefined;
  return start.readUInt32LE(28) || undefined;
}

function audioSize({ input_audio: { data } }: AudioPart): number {
  const base64 = data.replace(/^data:[^,]{0,200},/i, "");
  // Too short for audio, so it is a path; or it is a URL.
  if (base64.length < 1000 || /^https?:/i.test(data)) return DEFAULT_SECONDS * TOKENS_PER_SECOND;
  return TOKENS_PER_SECOND * bytesOf(base64.length) / (wavRate(base64) ?? BYTES_PER_SECOND);
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
      return DEFAULT_PAGES * TOKENS_PER_PAGE;
  }
}

/**
 * Estimates the tokens of a content part other than text.
 *
 * @param text estimates the tokens of a text within the part
 */
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
      // A provider-specific part of unknown size.
      return LARGE_IMAGE;
  }
}
