/**
 * The ids of rows: `NONCE_INDEX_FINGERPRINT`, at most 32 characters of `[a-z0-9_]`.
 *
 * The nonce names the part, the index the record, and the fingerprint what was sent. So an answer proves by
 * its id what it is the answer to, and providers may return answers in any order.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { RowRequest } from "../../batch_api/batch_api.ts";
import { hashBytes } from "../journal/fingerprint.ts";

/** Length of a part's nonce. */
export const NONCE_LENGTH = 10;

/** Matches a nonce. */
export const NONCE = /^[a-z0-9]{10}$/;

const ROW_ID = /^([a-z0-9]{10})_(0|[1-9][0-9]{0,11})_([0-9a-f]{8})$/;

/** The parts of a row id. */
export interface RowId {
  nonce: string;
  /** The record's index. */
  index: number;
  /** The fingerprint of the request, 32 bits. */
  fingerprint: number;
}

/** Hashes what is sent for a row to 32 bits. {@link loadFingerprint} must have been called. */
export function rowFingerprint({ body, model, path }: RowRequest): number {
  // Without the lower 20 of 52 bits.
  return Math.floor(hashBytes(Buffer.from(`${path}\n${model}\n${body}`)) / 2 ** 20);
}

/** Writes a row id. */
export function formatRowId({ nonce, index, fingerprint }: RowId): string {
  return `${nonce}_${index}_${fingerprint.toString(16).padStart(8, "0")}`;
}

/** Reads a row id; `undefined` if it is not one. */
export function parseRowId(id: string): RowId | undefined {
  const match = ROW_ID.exec(id);
  if (match === null) return undefined;
  const [, nonce, index, fingerprint] = match;
  return { nonce, index: Number(index), fingerprint: parseInt(fingerprint, 16) };
}
