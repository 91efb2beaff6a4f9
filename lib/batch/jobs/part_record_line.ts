/**
 * Encodes the record of a row as one line of JSON, and decodes it, so that a row's answer can be written to the
 * result file without reading the input again.
 *
 * @module
 */
import type { Message } from "../../chat/messages.ts";
import { optionsOfWire, wireOptions } from "../../chat/record_options.ts";
import { asObject, asText, parseExact, stringifyExact } from "../../json/json.ts";
import type { IndexedRecord } from "../executor.ts";

/** A line starts with the row's id, so that a scan finds it without parsing the line. */
const START = '{"row":"';

/** The line of a record, without a line break. */
export function encodePartRecord(id: string, record: IndexedRecord): string {
  return stringifyExact({
    row: id,
    index: record.index,
    location: record.location,
    messages: record.messages,
    metadata: record.metadata,
    options: wireOptions(record.options),
    content_hash: record.contentHash,
  });
}

/** The row id at the start of a line; `undefined` if the line starts differently. */
export function rowIdOfLine(line: string): string | undefined {
  if (!line.startsWith(START)) return undefined;
  const end = line.indexOf('"', START.length);
  return end < 0 ? undefined : line.slice(START.length, end);
}

/** The record in a line; `undefined` if the line has none. */
export function decodePartRecord(line: string): IndexedRecord | undefined {
  let fields: Record<string, unknown> | undefined;
  try {
    fields = asObject(parseExact(line));
  } catch {
    return undefined;
  }
  if (fields === undefined || typeof fields.index !== "number") return undefined;
  // The messages are those of the input, which may be invalid.
  const record: IndexedRecord = { index: fields.index, messages: fields.messages as Message[] };
  const metadata = asObject(fields.metadata);
  if (metadata !== undefined) record.metadata = metadata;
  const options = asObject(fields.options);
  if (options !== undefined) record.options = optionsOfWire(options);
  const contentHash = asText(fields.content_hash);
  if (contentHash !== undefined) record.contentHash = contentHash;
  const location = asText(fields.location);
  if (location !== undefined) record.location = location;
  return record;
}
