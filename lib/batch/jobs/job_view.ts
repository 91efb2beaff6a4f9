/**
 * Defines what progress and status reports show of a part.
 *
 * @module
 */
import type { Job } from "../../batch_api/batch_api.ts";

/** A part as reports show it. Times are in milliseconds since 1970. */
export interface JobView {
  /** The part's name. */
  part: string;
  /** The model in the command, if the batch has several. */
  requestedModel: string | undefined;
  model: string;
  endpoint: string;
  rows: number;
  /** In the reader's words: `uploading`, `waiting for quota`, `submitted`, `collecting`, a job's status, … */
  state: string;
  /** The provider's job, once it exists. */
  job: Job | undefined;
  submittedAt: number | undefined;
  /** What is wrong, such as a poll that failed. */
  problem: string | undefined;
}
