/**
 * Checks and rewrites the parts of a message for another API. Nothing is read or downloaded for a client:
 * attachments are data, or URLs that the provider itself fetches.
 *
 * @module
 */
import type {
  AudioPart,
  ContentPart,
  DocumentPart,
  FilePart,
  ImagePart,
} from "../../../chat/messages.ts";
import { asObjects, asText, type Json } from "../../../json/json.ts";
import { parseDataUrl } from "../../../protocols/data_url.ts";
import type { FetchedUrls } from "../../../protocols/protocol.ts";
import { unsupportedField } from "./fields/field_rules.ts";
import type { Target } from "./target.ts";

/** URIs of files in the stores of one provider. */
const STORED = /^(gs|s3|files?):|^https:\/\/generativelanguage\.googleapis\.com\//i;
const SEND_DATA = "Send its data instead.";

/** Checks a reference to an image, a file or audio, and returns it in the form that encoders expect. */
function checkReference(
  reference: string,
  kind: Exclude<keyof FetchedUrls, "stored">,
  target: Target,
  path: string,
): string {
  const { who, fetchedUrls } = target;
  const inline = parseDataUrl(reference);
  if (inline !== undefined) {
    if (inline.mediaType === "image/jpg") return `data:image/jpeg;base64,${inline.data}`;
    if (kind !== "image" || inline.mediaType.startsWith("image/")) return reference;
    throw unsupportedField(path, `${path}: expected an image, got ${inline.mediaType}`);
  }
  if (fetchedUrls.stored?.test(reference)) return reference;
  if (!/^https?:/i.test(reference) || STORED.test(reference)) {
    const shown = reference.length > 40 ? `${reference.slice(0, 40)}…` : reference;
    throw unsupportedField(
      path,
      `${path}: expected base64 data or an http(s) URL, got "${shown}"`,
      SEND_DATA,
    );
  }
  if (!fetchedUrls[kind]) {
    throw unsupportedField(path, `${path}: ${who} does not fetch such a URL`, SEND_DATA);
  }
  return reference;
}

function otherProvider(path: string): never {
  throw unsupportedField(
    path,
    `${path} refers to a file by its id, which only the provider that stores it knows`,
    SEND_DATA,
  );
}

function image(part: ImagePart, target: Target, path: string): ImagePart {
  const { image_url } = part;
  return {
    ...part,
    image_url: { ...image_url, url: checkReference(image_url.url, "image", target, path) },
  };
}

function file(part: FilePart, target: Target, path: string): FilePart {
  const { file } = part;
  if (file.file_data === undefined) return otherProvider(path);
  // OpenAI also accepts bare base64, which is a PDF.
  const isBare = /^[A-Za-z0-9+/]{16,}={0,2}$/.test(file.file_data.slice(0, 64));
  const given = isBare ? `data:application/pdf;base64,${file.file_data}` : file.file_data;
  return { ...part, file: { ...file, file_data: checkReference(given, "file", target, path) } };
}

function audio(part: AudioPart, target: Target, path: string): AudioPart {
  if (!target.audio) throw unsupportedField(path, `${path}: ${target.who} does not accept audio`);
  const { data } = part.input_audio;
  if (/^[a-z]+:/i.test(data)) checkReference(data, "audio", target, path);
  return part;
}

/** Converts an Anthropic document, which other APIs know as a file or as text. */
function documents(part: DocumentPart, target: Target, path: string): ContentPart[] {
  if (target.protocol.name === "claude") {
    if (part.source.type === "file") otherProvider(path);
    return [part];
  }
  const { source, title, context } = part;
  const before: ContentPart[] = context ? [{ type: "text", text: context }] : [];
  switch (source.type) {
    case "text": {
      const text = title ? `${title}\n\n${source.data}` : source.data;
      return [...before, { type: "text", text }];
    }
    case "content": {
      const { content } = source;
      if (typeof content === "string") return [...before, { type: "text", text: content }];
      const parts = asObjects(content) as unknown as ContentPart[];
      return [...before, ...parts.flatMap((part) => rewritePart(part, target, path))];
    }
    case "base64":
    case "url": {
      const file_data = source.type === "url"
        ? source.url
        : `data:${source.media_type};base64,${source.data}`;
      const named: FilePart["file"] = title ? { file_data, filename: title } : { file_data };
      return [...before, file({ type: "file", file: named }, target, path)];
    }
    default:
      return otherProvider(path);
  }
}

/** The text of a search result that an Anthropic client provides. */
function searchResult({ title, source, content }: Json): ContentPart {
  const texts = asObjects(content).map(({ text }) => asText(text) ?? "");
  const head = [title, source].filter((text) => asText(text) !== undefined);
  return { type: "text", text: [...head, ...texts].join("\n") };
}

/**
 * Rewrites a part for `target`.
 *
 * @param path the client's field, for errors
 * @throws {GatewayError} for what cannot be sent
 */
export function rewritePart(part: ContentPart, target: Target, path: string): ContentPart[] {
  switch (part.type) {
    case "text": {
      const { text, cache_control } = part;
      return [cache_control ? { type: "text", text, cache_control } : { type: "text", text }];
    }
    case "image_url":
      return [image(part, target, path)];
    case "file":
      return [file(part, target, path)];
    case "input_audio":
      return [audio(part, target, path)];
    case "document":
      return documents(part, target, path);
  }
  const own = part as unknown as Json;
  switch (own.type) {
    case "refusal":
      return [{ type: "text", text: asText(own.refusal) ?? "" }];
    case "search_result":
      return [searchResult(own)];
    // A tool search of Claude Code: other models have all tools from the start.
    case "tool_reference":
      return [{ type: "text", text: `The tool ${own.tool_name} is available.` }];
    case "image":
    case "input_image":
    case "input_file":
      return otherProvider(path);
  }
  throw unsupportedField(
    path,
    `${path}: ${target.who} has no counterpart of content of type "${own.type}"`,
  );
}
