/**
 * Encodes records for workers, with the content of local files that they refer to.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { hashBytes } from "../batch/journal/fingerprint.ts";
import type { IndexedRecord } from "../batch/executor.ts";
import type { Message } from "../chat/messages.ts";
import type { BatchRecord } from "../chat/record.ts";
import { hasParts, loadAttachments } from "../client/attachments.ts";
import { InvalidInputError } from "../errors.ts";
import { parseExact, stringifyExact } from "../json/json.ts";

/** Maximum characters of one record, files included: Redis and its connections are shared with others. */
export const MAX_RECORD = 64 * 1024 * 1024;

/** Seconds for loading one file. */
const LOAD_TIMEOUT = 120;

/** What a worker needs of a record. */
export type SentRecord = Pick<BatchRecord, "messages" | "options">;

/** Workers load URLs themselves; a path is only good on this machine. */
const ONLY_PATHS = {
  image: true,
  file: true,
  audio: true,
  stored: /^(?!file:)[a-z][a-z0-9+.-]+:\/\//i,
};

/** A record in the work stream. */
export interface WorkEntry {
  /** The id of the entry in the stream. */
  id: string;
  index: number;
  /** Identifies the content of the record. */
  hash: string;
  /** How often it was given to a worker. */
  deliveries: number;
  record: string;
}

/** A record, encoded. */
export interface EncodedRecord {
  hash: string;
  text: string;
}

/** The hash of what is sent of a record. The hash functions must be loaded. */
function hashOf(text: string, { contentHash = "" }: BatchRecord): string {
  return hashBytes(Buffer.from(text + contentHash)).toString(36);
}

/**
 * Encodes a record.
 *
 * @throws {InvalidInputError} if it is too large, or refers to a file that cannot be read
 * @throws {TypeError} if it is not JSON
 */
export async function encodeSentRecord(record: IndexedRecord): Promise<EncodedRecord> {
  const { messages, options } = record;
  let text = stringifyExact({ messages, options });
  const hash = hashOf(text, record);
  if (Array.isArray(messages) && hasAttachments(messages)) {
    const loaded = await loadAttachments(messages, ONLY_PATHS, { timeout: LOAD_TIMEOUT });
    text = stringifyExact({ messages: loaded, options });
  }
  if (text.length > MAX_RECORD) {
    throw new InvalidInputError(
      `record ${record.index}: too large for a fleet: ${Math.ceil(text.length / 2 ** 20)} MB`,
      { hint: `Up to ${MAX_RECORD / 2 ** 20} MB fit; send it without --redis.` },
    );
  }
  return { hash, text };
}

function hasAttachments(messages: readonly Message[]): boolean {
  // What is no message at all is refused by the worker, as an error of the record.
  return messages.every((message) => typeof message === "object" && message !== null) &&
    hasParts(messages);
}

/** An entry of the work stream, from its fields. */
export function workEntry(id: string, deliveries: number, fields: readonly string[]): WorkEntry {
  return { id, index: Number(fields[1]), hash: fields[3], deliveries, record: fields[5] };
}

/** The record of an entry. */
export function decodeSentRecord({ record }: WorkEntry): SentRecord {
  return parseExact(record) as SentRecord;
}
