/**
 * Defines what one provider's batch API adds to the mock.
 *
 * @module
 */
import type { Hono } from "hono";
import type { BatchVendor } from "./batch_options.ts";
import type { BatchCore } from "./core.ts";
import type { JobRecord } from "./job.ts";
import type { BatchRow } from "./row_answers.ts";

/** The mock of one provider's batch API. */
export interface BatchApiServer {
  /** The name that its jobs and files are stored with. */
  readonly name: string;
  /** The providers that have it. */
  readonly vendors: readonly BatchVendor[];
  /** The paths that it serves, after the prefix of the provider: `/groq/openai/v1/x` is `/v1/x` there. */
  readonly paths: RegExp;
  /**
   * Whether a request is for this API although neither the path nor an option names the provider. Absent:
   * only if no other API takes the path.
   */
  claims?(request: Request): boolean;
  /** Reads a line of a job's input. */
  parseRow(line: unknown, index: number, job: JobRecord): BatchRow;
  /** Adds its routes to `app`. Their paths are those after the prefix of the provider. */
  addRoutes(app: Hono, core: BatchCore): void;
}
