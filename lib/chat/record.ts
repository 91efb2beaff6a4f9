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
  /**
   * Identifies the content of the files that the messages refer to by path, such as a hash. If it differs
   * from the one in a result file, the record counts as changed.
   */
  contentHash?: string;
}

/** One input of a batch: a conversation, or a record with metadata and options. */
export type BatchInput = readonly Message[] | BatchRecord;
