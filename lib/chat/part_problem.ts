/**
 * Validates a part of a message. Unknown types are accepted here; encoders reject those that they cannot send.
 *
 * @module
 */
import { asObject, type Json } from "../json/json.ts";
import { show } from "./show.ts";

function expectString(object: Json | undefined, path: string, name: string): string | undefined {
  const value = object?.[name];
  if (typeof value === "string") return undefined;
  return `.${path}.${name}: expected a string, got ${show(value)}`;
}

function fileProblem(file: Json | undefined): string | undefined {
  const { file_data, file_id, filename } = file ?? {};
  if (filename !== undefined && typeof filename !== "string") {
    return expectString(file, "file", "filename");
  }
  if (file_data !== undefined) return expectString(file, "file", "file_data");
  if (file_id !== undefined) return expectString(file, "file", "file_id");
  return `.file: expected "file_data" or "file_id", got ${show(file)}`;
}

function audioProblem(audio: Json | undefined): string | undefined {
  if (audio?.format === undefined) return expectString(audio, "input_audio", "data");
  return expectString(audio, "input_audio", "format") ?? expectString(audio, "input_audio", "data");
}

/** The required field of each type of source. */
const SOURCE_FIELDS: Readonly<Record<string, string>> = {
  base64: "data",
  url: "url",
  text: "data",
  file: "file_id",
};

function documentProblem(source: Json | undefined): string | undefined {
  if (typeof source?.type !== "string") {
    return `.source: expected an object with a "type", got ${show(source)}`;
  }
  const field = SOURCE_FIELDS[source.type];
  return field === undefined ? undefined : expectString(source, "source", field);
}

/** What is wrong with a part: the path within it, what was expected and what was found. */
export function partProblem(value: unknown): string | undefined {
  const part = asObject(value);
  if (typeof part?.type !== "string") {
    return `: expected an object with a "type", got ${show(value)}`;
  }
  switch (part.type) {
    case "text":
      return typeof part.text === "string"
        ? undefined
        : `.text: expected a string, got ${show(part.text)}`;
    case "image_url":
      return expectString(asObject(part.image_url), "image_url", "url");
    case "file":
      return fileProblem(asObject(part.file));
    case "input_audio":
      return audioProblem(asObject(part.input_audio));
    case "document":
      return documentProblem(asObject(part.source));
    default:
      return undefined;
  }
}
