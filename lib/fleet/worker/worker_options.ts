/**
 * Defines the options of a worker.
 *
 * @module
 */
import type { RetryNotice } from "../../chat/retry_notice.ts";
import type { RedisConnection } from "../../redis/redis_connection.ts";
import type { ConnectJob } from "../job_spec.ts";

/** Options of a {@link FleetWorker}. Times are in seconds. */
export interface WorkerOptions {
  connection: RedisConnection;
  /** Creates the client of a job, or refuses the job by throwing. */
  connect: ConnectJob;
  /**
   * Maximum number of records in progress.
   *
   * @default the `concurrencyLimit` of the job's client, which also caps it
   */
  concurrency?: number;
  /** The only job to work on; by default all of them, one after the other. */
  job?: string;
  /**
   * The name in status and progress.
   *
   * @default host and process id
   */
  name?: string;
  /**
   * Whether it runs in the process of a coordinator.
   *
   * @default false
   */
  isEmbedded?: boolean;
  /** Whether to end when the job has ended (`job`), or when no job is left. */
  exitWhenDone?: boolean;
  /** Ends the worker after this time without a record. */
  idleExit?: number;
  /** Called with what happened, in a sentence: a job begins or is refused, Redis is down. */
  onNote?: (text: string) => void;
  /** Called when Redis becomes unusable, and when it can be used again. */
  onLoss?: (text: string) => void;
  /** Called when an attempt failed, before the wait for the next one. */
  onRetry?: (notice: RetryNotice) => void;
}
