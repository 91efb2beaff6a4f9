/**
 * Defines the options of a coordinator.
 *
 * @module
 */
import type { RedisConnection } from "../../redis/redis_connection.ts";
import type { JobRequest } from "../job_spec.ts";

/** Options of a {@link Coordinator}. Times are in seconds. */
export interface CoordinatorOptions {
  connection: RedisConnection;
  /** The id of the job; see {@link jobIdOf}. */
  job: string;
  request: JobRequest;
  /**
   * Identifies the input, such as its path or a hash. With the request, it decides whether what an earlier run has
   * left in Redis belongs to this batch.
   */
  inputId: string;
  /** The name of the input, for information. */
  input?: string;
  /** The number of all records, for information. */
  total?: number;
  /** The number of records that are done already, for information. */
  done?: number;
  /**
   * Maximum number of records in progress, as far as it is known before workers have joined.
   *
   * @default 64
   */
  concurrency?: number;
  /**
   * Whether to send a second copy of stragglers to another worker near the end.
   *
   * @default false
   */
  hedge?: boolean;
  /**
   * The time after which the records of a worker that gives no sign of life go to others.
   *
   * @default 60
   */
  lease?: number;
  /** Called with what happened, in a sentence: a worker is silent. */
  onNote?: (text: string) => void;
  /** Called when Redis becomes unusable, and when it can be used again. */
  onLoss?: (text: string) => void;
}
