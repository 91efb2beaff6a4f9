/**
 * Encodes text, images, files and audio as Gemini's parts.
 *
 * Source: Gemini API reference, "Part"; documentation, "Document understanding", "Audio understanding"
 * and "Video understanding" (YouTube URLs are file URIs).
 *
 * @module
 */
import type { AudioPart, ContentPart, DocumentPart, FilePart } from "../../chat/messages.ts";
import { InvalidInputError } from "../../errors.ts";
import { asObjects, asText, type Json } from "../../json/json.ts";
import { parseDataUrl } from "../data_url.ts";
import { unsupportedFile, unsupportedPart } from "../unsupported.ts";

/** The base of the URIs of uploaded files (`files/abc`). */
const FILES_API = "https://generativelanguage.googleapis.com/v1beta/";

/** The media types that Gemini accepts, by extension. */
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  pdf: "application/pdf",
  txt: "text/plain",
  md: "text/markdown",
  csv: "text/csv",
  html: "text/html",
  json: "application/json",
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  webp: "image/webp",
  heic: "image/heic",
  wav: "audio/wav",
  mp3: "audio/mp3",
  aac: "audio/aac",
  flac: "audio/flac",
  ogg: "audio/ogg",
  aiff: "audio/aiff",
  m4a: "audio/m4a",
  mp4: "video/mp4",
  mov: "video/mov",
  webm: "video/webm",
};

function mediaTypeOf(name: string | undefined): string | undefined {
  const extension = /\.([a-z0-9]+)(?:[?#].*)?$/i.exec(name ?? "")?.[1].toLowerCase();
  return extension === undefined ? undefined : MEDIA_TYPES[extension];
}

function fileData(uri: string, name?: string): Json {
  return { fileData: { mimeType: mediaTypeOf(name) ?? mediaTypeOf(uri), fileUri: uri } };
}

/**
 * Types that the API rejects. Source: documentation, "Image understanding" (PNG, JPEG, WEBP, HEIC and
 * HEIF only), and reports of "Unsupported MIME type" for the others (googleapis/python-genai#829,
 * google-gemini/gemini-cli#3054).
 */
const REJECTED =
  /^(image\/(?!png|jpe?g|webp|hei[cf])|application\/(msword|zip|vnd\.(openxmlformats|ms-|oasis)))/;

function inlineData(mimeType: string, data: string): Json {
  if (REJECTED.test(mimeType)) {
    const hint = mimeType.startsWith("image/")
      ? "Convert it to PNG, JPEG or WebP."
      : "It accepts PDF, text, images, audio and video; convert the file to PDF or text.";
    throw unsupportedFile(mimeType, "Gemini", hint);
  }
  return { inlineData: { mimeType, data } };
}

/** The part for a URL: its inline data, or a file that Google can read. */
function encodeUrl(url: string, name?: string): Json | undefined {
  const inline = parseDataUrl(url);
  if (inline !== undefined) return inlineData(inline.mediaType, inline.data);
  if (/^data:/i.test(url)) {
    throw new InvalidInputError("a data URL in a message is not base64-encoded", {
      hint: "Write it as data:TYPE;base64,DATA.",
    });
  }
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(url) ? fileData(url, name) : undefined;
}

function encodeFile({ file }: FilePart): Json {
  const data = asText(file?.file_data);
  if (data !== undefined) {
    return encodeUrl(data, file.filename) ??
      inlineData(mediaTypeOf(file.filename) ?? "application/pdf", data);
  }
  const id = asText(file?.file_id);
  if (id === undefined) {
    throw new InvalidInputError('a message part of type "file" has neither file_data nor file_id');
  }
  return fileData(id.startsWith("files/") ? `${FILES_API}${id}` : id, file.filename);
}

function encodeAudio({ input_audio: audio }: AudioPart): Json {
  const data = asText(audio?.data);
  if (data === undefined) {
    throw new InvalidInputError('a message part of type "input_audio" has no data');
  }
  const format = asText(audio.format)?.toLowerCase();
  const encoded = encodeUrl(data, format && `.${format}`);
  if (encoded !== undefined) return encoded;
  if (format === undefined) {
    throw new InvalidInputError("input_audio.format: expected a format such as wav or mp3", {
      hint: "Set the format, or send the data as a data URL.",
    });
  }
  return inlineData(MEDIA_TYPES[format] ?? `audio/${format}`, data);
}

function encodeDocument({ source, title, context }: DocumentPart): Json[] {
  const name = title ?? undefined;
  const parts: Json[] = asText(context) === undefined ? [] : [{ text: context }];
  switch (source?.type) {
    case "base64":
      return [...parts, inlineData(source.media_type, source.data)];
    case "url":
      return [...parts, encodeUrl(source.url, name) ?? fileData(source.url, name)];
    case "file":
      return [...parts, encodeFile({ type: "file", file: { file_id: source.file_id } })];
    case "text":
      return [...parts, { text: source.data }];
    case "content": {
      const { content } = source;
      const texts = typeof content === "string" ? [{ type: "text", text: content }] : content;
      return [...parts, ...encodeContent(asObjects(texts) as unknown as ContentPart[])];
    }
    default:
      throw unsupportedPart(
        "document",
        "Gemini",
        "Use one of the source types that the Message type lists.",
      );
  }
}

function encodePart(part: ContentPart | { type: "refusal"; refusal: string }): Json[] {
  switch (part.type) {
    case "text":
      // The API rejects empty parts.
      return part.text === "" ? [] : [{ text: part.text }];
    case "refusal":
      return part.refusal === "" ? [] : [{ text: part.refusal }];
    case "image_url": {
      const { url } = part.image_url;
      // Only files that were uploaded to Google have such a URI; the client inlines all others.
      return [encodeUrl(url) ?? fileData(url)];
    }
    case "file":
      return [encodeFile(part)];
    case "input_audio":
      return [encodeAudio(part)];
    case "document":
      return encodeDocument(part);
    default:
      throw unsupportedPart((part as { type: string }).type, "Gemini");
  }
}

/** Encodes the content of a message. */
export function encodeContent(content: string | readonly ContentPart[]): Json[] {
  if (typeof content !== "string") return content.flatMap(encodePart);
  return content === "" ? [] : [{ text: content }];
}
