/**
 * One record of a batch, as callers write it.
 *
 * @module
 */
import type { Message } from "./messages.ts";
import type { SamplingOptions } from "./options.ts";

/** One record of a batch. */
export interface BatchRecord {
  /** The conversation to complete. */
  messages: readonly Message[];
  /** Anything that should stand beside the answer in the result file. */
  metadata?: Record<string, unknown>;
  /** Options for this record alone; they win over those of the batch. */
  options?: SamplingOptions & { model?: string };
}

/** The input of a batch: conversations, or records with metadata. */
export type BatchInput = readonly Message[] | BatchRecord;
