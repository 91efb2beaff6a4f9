/**
 * Defines how executors of provider jobs report to the command.
 *
 * @module
 */
import type { Executor } from "../../../lib/batch/executor.ts";
import type { ExportedFile } from "../../../lib/batch/executors/export.ts";
import type { JobView } from "../../../lib/batch/jobs/job_view.ts";
import type { RetryNotice } from "../../../lib/chat/retry_notice.ts";

/** What executors report. */
export interface ExecutorEvents {
  /** An attempt failed, and the request is retried. */
  onRetry(notice: RetryNotice): void;
  /** Something that the user should know, such as a wait for a quota. */
  onNote(text: string): void;
}

/** An executor whose records are answered elsewhere. */
export interface JobsExecutor extends Executor {
  /** The parts, for the progress. */
  views(): JobView[];
  /** Whether jobs were cancelled at the deadline. */
  readonly deadlineReached?: boolean;
  /** Whether `flexllm batch cancel` cancelled the jobs. */
  readonly cancelled?: boolean;
  /** The exported files: new ones, and those of earlier runs. */
  readonly files?: readonly ExportedFile[];
}

/** How provider jobs ended. */
export interface JobsOutcome {
  /** Whether jobs were cancelled at the deadline. */
  deadlineReached: boolean;
  /** Whether `flexllm batch cancel` cancelled them. */
  cancelled: boolean;
  /** The exported files. */
  files: readonly ExportedFile[];
}
