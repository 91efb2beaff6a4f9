/**
 * The data that the stages of `flexllm batch` share.
 *
 * @module
 */
import type { BatchSource } from "../../lib/input/input_source.ts";
import type { ReadOptions } from "../../lib/input/records.ts";
import type { BatchFlags } from "./flags.ts";
import type { PreparedBatch } from "./settings.ts";

/** A batch whose flags, configuration and input file have been read. */
export interface BatchContext {
  file: BatchSource;
  /** Path of the result file; an estimate needs none. */
  output?: string;
  reading: ReadOptions;
  flags: BatchFlags;
  prepared: PreparedBatch;
}

/** A batch that can be sent. */
export type BatchToSend = BatchContext & { output: string };
