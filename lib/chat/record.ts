/**
 * The input of a batch.
 *
 * @module
 */
import type { Message } from "./messages.ts";
import type { SamplingOptions } from "./options.ts";

/** One record of a batch. */
export interface BatchRecord {
  /** The conversation to complete. */
  messages: readonly Message[];
  /** Any JSON, which is copied to the result. */
  metadata?: Record<string, unknown>;
  /** Options for this record only, which override those of the batch. */
  options?: SamplingOptions & { model?: string };
}

/** One input of a batch: a conversation, or a record with metadata and options. */
export type BatchInput = readonly Message[] | BatchRecord;
