/**
 * Converts file and document parts to the form of OpenAI's APIs.
 *
 * Sources: OpenAI documentation, "File inputs"; Anthropic API reference, "Messages", `document`.
 *
 * @module
 */
import type { DocumentPart, FilePart, TextPart } from "../chat/messages.ts";
import { parseDataUrl } from "./data_url.ts";
import { rejectField, unsupportedPart } from "./unsupported.ts";

/** A name for a file without one. */
function nameOf(mediaType: string | undefined): string {
  const extension = /^(?:application|text)\/(?:x-)?(\w+)$/.exec(mediaType ?? "")?.[1] ?? "bin";
  return `file.${extension === "plain" ? "txt" : extension}`;
}

/** `part` with a file name, which OpenAI requires for files sent as data. */
export function namedFile(part: FilePart): FilePart {
  const { file_data, filename } = part.file;
  const url = file_data === undefined || filename !== undefined
    ? undefined
    : parseDataUrl(file_data);
  if (url === undefined) return part;
  return { ...part, file: { ...part.file, filename: nameOf(url.mediaType) } };
}

/**
 * Converts an Anthropic document to OpenAI's form; a text document becomes a text part.
 *
 * @param who the name of the API it is sent to, for errors
 * @throws {InvalidInputError} for what that form cannot express
 */
export function documentPart(part: DocumentPart, who: string): FilePart | TextPart {
  const { source, title, context, citations } = part;
  if (context) rejectField("context of a document", who);
  if (citations?.enabled) rejectField("citations of a document", who);
  switch (source.type) {
    case "base64": {
      const file_data = `data:${source.media_type};base64,${source.data}`;
      return { type: "file", file: { file_data, filename: title ?? nameOf(source.media_type) } };
    }
    case "url":
      return {
        type: "file",
        file: title ? { file_data: source.url, filename: title } : { file_data: source.url },
      };
    case "file":
      return { type: "file", file: { file_id: source.file_id } };
    case "text":
      return { type: "text", text: title ? `${title}\n\n${source.data}` : source.data };
    default:
      throw unsupportedPart(`document" with a source of type "${source.type}`, who);
  }
}
