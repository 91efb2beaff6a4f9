/**
 * Encodes message parts as content blocks of Anthropic's Messages API.
 *
 * Source: Anthropic API reference, "Messages"; "PDF support"; "Prompt caching"; the types of
 * `@anthropic-ai/sdk` 1.12 (`ContentBlockParam`).
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { CacheControl, ContentPart, DocumentPart, FilePart } from "../../chat/messages.ts";
import { InvalidInputError } from "../../errors.ts";
import type { Json } from "../../json/json.ts";
import { parseDataUrl } from "../data_url.ts";
import { unsupportedFile, unsupportedPart } from "../unsupported.ts";

/** The API's own types of blocks in user messages and tool results; sent unchanged. */
const OWN_BLOCKS: ReadonlySet<string> = new Set([
  "image",
  "search_result",
  "container_upload",
  "tool_reference",
  "browser_state",
]);

/** Media types that are plain text. */
const TEXT_TYPES = /^text\/|^application\/(.+\+)?(json|jsonl|x-ndjson|xml|yaml|x-yaml|toml)$/;

/** Adds the prompt cache breakpoint, if there is one. */
export function withCacheControl(block: Json, { cache_control }: { cache_control?: CacheControl }) {
  if (cache_control !== undefined) block.cache_control = cache_control;
  return block;
}

function imageSource(url: string): Json {
  const inline = parseDataUrl(url);
  if (inline !== undefined) {
    return { type: "base64", media_type: inline.mediaType, data: inline.data };
  }
  if (!/^data:/i.test(url)) return { type: "url", url };
  throw new InvalidInputError(
    `image_url.url: expected a base64 data URL, got "${url.slice(0, 40)}"`,
    { hint: 'Write an image as "data:image/png;base64,…" or as an http(s) URL.' },
  );
}

/** The block for a file at a URL or in a data URL. Besides PDFs and images, the API only accepts text. */
function fileBlock(url: string): Json {
  if (/^https?:/i.test(url)) return { type: "document", source: { type: "url", url } };
  const inline = parseDataUrl(url);
  if (inline === undefined) {
    throw new InvalidInputError(
      `file.file_data: expected a base64 data URL or an http(s) URL, got "${url.slice(0, 40)}"`,
      { hint: 'Write a PDF as "data:application/pdf;base64,…".' },
    );
  }
  const { mediaType, data } = inline;
  if (mediaType.startsWith("image/")) return { type: "image", source: imageSource(url) };
  if (mediaType === "application/pdf") {
    return { type: "document", source: { type: "base64", media_type: mediaType, data } };
  }
  if (!TEXT_TYPES.test(mediaType)) {
    throw unsupportedFile(
      mediaType,
      "Claude",
      "It accepts PDF, plain text and images; convert the file to one of these.",
    );
  }
  const text = Buffer.from(data, "base64").toString();
  return { type: "document", source: { type: "text", media_type: "text/plain", data: text } };
}

function encodeFile({ file }: FilePart): Json {
  const { file_id, file_data, filename } = file;
  const block: Json = file_data === undefined
    ? { type: "document", source: { type: "file", file_id } }
    : fileBlock(file_data);
  if (filename !== undefined && block.type === "document") block.title = filename;
  return block;
}

function encodeDocument(part: DocumentPart): Json {
  const { source } = part;
  if (source?.type !== "url" || !source.url.startsWith("data:")) return { ...part };
  return { ...part, ...fileBlock(source.url) };
}

/**
 * Encodes one part.
 *
 * @throws {InvalidInputError} for parts that Claude does not accept, such as audio
 */
export function encodePart(part: ContentPart): Json {
  switch (part.type) {
    case "text":
      return withCacheControl({ type: "text", text: part.text }, part);
    case "image_url":
      return withCacheControl({ type: "image", source: imageSource(part.image_url.url) }, part);
    case "file":
      return withCacheControl(encodeFile(part), part);
    case "document":
      return encodeDocument(part);
    default: {
      const own: { type: string } = part;
      if (OWN_BLOCKS.has(own.type)) return { ...own };
      throw unsupportedPart(own.type, "Claude");
    }
  }
}

/** Encodes a message's content, without empty texts, which the API rejects. */
export function encodeContent(content: string | readonly ContentPart[]): Json[] {
  if (typeof content === "string") return content === "" ? [] : [{ type: "text", text: content }];
  return content.filter((part) => part.type !== "text" || part.text !== "").map(encodePart);
}
