/**
 * Loads the images, files and audio that messages refer to by path or URL.
 *
 * Encoders expect a URL if the provider fetches it itself, otherwise data. Callers may pass a local path, a
 * URL, a data URL or base64.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { AudioPart, ContentPart, DocumentPart, FilePart, Message } from "../chat/messages.ts";
import type { FetchedUrls } from "../protocols/protocol.ts";
import {
  type AttachmentKind,
  type AttachmentSource,
  isDataUrl,
  isPlainBase64,
  isUrl,
  type LoadedFile,
  loadOnce,
  maxBase64,
  unknownType,
} from "../transport/load_file.ts";
import { audioFormatOf, isTextType } from "../chat/media_type.ts";

/** Data URLs that need no change: base64, with a meaningful media type. */
const READY: Readonly<Record<AttachmentKind, RegExp>> = {
  image: /^data:image\/(?!jpg;)[a-z\d.+-]+;base64,/,
  file: /^data:(?!application\/octet-stream;)[a-z]+\/[\w.+-]+;base64,/,
  // Encoders expect audio as base64 with a format, never as a data URL.
  audio: /(?!)/,
};

/** Maximum characters of a data URL before its data. */
const HEAD = 200;

function isReady(reference: string, kind: AttachmentKind, fetched: FetchedUrls): boolean {
  if (fetched.stored?.test(reference)) return true;
  if (isUrl(reference)) return fetched[kind];
  return isDataUrl(reference) && READY[kind].test(reference.slice(0, HEAD)) &&
    reference.length <= maxBase64(kind) + HEAD;
}

function isReadyAudio({ input_audio: { data, format } }: AudioPart, fetched: FetchedUrls): boolean {
  if (isUrl(data) || fetched.stored?.test(data)) return isReady(data, "audio", fetched);
  return format !== undefined && isPlainBase64(data) && data.length <= maxBase64("audio");
}

function isReadyPart(part: ContentPart, fetched: FetchedUrls): boolean {
  switch (part.type) {
    case "image_url":
      return isReady(part.image_url.url, "image", fetched);
    case "file": {
      const { file_data } = part.file;
      return file_data === undefined || isReady(file_data, "file", fetched);
    }
    case "input_audio":
      return isReadyAudio(part, fetched);
    case "document":
      return part.source.type !== "url" || isReady(part.source.url, "file", fetched);
    default:
      return true;
  }
}

function dataUrl({ mediaType, data }: LoadedFile): string {
  return `data:${mediaType};base64,${data}`;
}

function withFile(part: FilePart, loaded: LoadedFile): FilePart {
  const filename = part.file.filename ?? loaded.name;
  const file = { ...part.file, file_data: dataUrl(loaded) };
  return { ...part, file: filename === undefined ? file : { ...file, filename } };
}

function withAudio(part: AudioPart, { mediaType, data }: LoadedFile): AudioPart {
  const format = part.input_audio.format ?? audioFormatOf(mediaType ?? "");
  if (format === undefined) throw unknownType(part.input_audio.data, "audio");
  return { ...part, input_audio: { ...part.input_audio, data, format } };
}

function withDocument(
  part: DocumentPart,
  { mediaType = "", data, name }: LoadedFile,
): DocumentPart {
  const title = part.title ?? name;
  const source: DocumentPart["source"] = isTextType(mediaType)
    ? { type: "text", media_type: "text/plain", data: Buffer.from(data, "base64").toString() }
    : { type: "base64", media_type: mediaType, data };
  return title === undefined ? { ...part, source } : { ...part, title, source };
}

async function loadPart(
  part: ContentPart,
  fetched: FetchedUrls,
  source: AttachmentSource,
): Promise<ContentPart> {
  if (isReadyPart(part, fetched)) return part;
  switch (part.type) {
    case "image_url": {
      const url = dataUrl(await loadOnce(part.image_url.url, "image", source));
      return { ...part, image_url: { ...part.image_url, url } };
    }
    case "file":
      return withFile(part, await loadOnce(part.file.file_data!, "file", source));
    case "input_audio":
      return withAudio(part, await loadOnce(part.input_audio.data, "audio", source));
    case "document":
      return part.source.type === "url"
        ? withDocument(part, await loadOnce(part.source.url, "file", source))
        : part;
    default:
      return part;
  }
}

function hasContentParts({ content }: Message): boolean {
  return Array.isArray(content);
}

/** Whether any message has content parts, some of which may be attachments. */
export function hasParts(messages: readonly Message[]): boolean {
  return messages.some(hasContentParts);
}

/** Whether {@link loadAttachments} would change anything. */
export function needsAttachments(messages: readonly Message[], fetched: FetchedUrls): boolean {
  return messages.some(({ content }) =>
    Array.isArray(content) && !content.every((part) => isReadyPart(part, fetched))
  );
}

/**
 * Returns `messages` with their attachments in the form that a provider's encoder expects. Does not modify
 * its input.
 *
 * @throws {InvalidInputError} if an attachment cannot be read, is too large or of an unknown type
 * @throws {AbortedError} when the source's signal fires
 */
export async function loadAttachments(
  messages: readonly Message[],
  fetched: FetchedUrls,
  source: AttachmentSource,
): Promise<readonly Message[]> {
  return await Promise.all(messages.map(async (message) => {
    if (!Array.isArray(message.content)) return message;
    const parts = message.content.map((part) => loadPart(part, fetched, source));
    return { ...message, content: await Promise.all(parts) } as Message;
  }));
}
