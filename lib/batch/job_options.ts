/**
 * The options of provider batches, and their checks.
 *
 * @module
 */
import { ConfigurationError } from "../errors.ts";

/** Limits on what is at the provider at the same time, in addition to the provider's own. */
export interface JobLimits {
  /**
   * Maximum rows in a job.
   *
   * @default the provider's maximum, up to 10,000
   */
  rows?: number;
  /**
   * Maximum size of a job's input, in bytes.
   *
   * @default the provider's maximum
   */
  bytes?: number;
  /**
   * Maximum jobs that are queued or running at the same time.
   *
   * @default as the provider allows
   */
  jobs?: number;
  /**
   * Maximum estimated input tokens that are queued or running at the same time: your account's limit for
   * batches. 80 % of it are used.
   *
   * @default no limit
   */
  queuedTokens?: number;
}

/** How the jobs of a provider batch are submitted, awaited and collected. Times are in seconds. */
export interface JobOptions {
  /**
   * Seconds between two looks at a job.
   *
   * @default the provider's advice: from 15 or more, growing up to 300
   */
  pollInterval?: number;
  /**
   * Seconds after the first submission at which jobs are cancelled. Rows that are done by then are collected;
   * if records are left, the batch ends with a {@link TimeoutError}.
   *
   * @default none
   */
  deadline?: number;
  /**
   * Whether to delete the input and result files at the provider once the results are collected.
   *
   * @default false
   */
  clean?: boolean;
  /** After an unclear submission: the id of the job that it has created. */
  adopt?: string;
  /**
   * Whether to submit the records of unclear submissions and lost jobs again. They may be billed twice.
   *
   * @default false
   */
  resend?: boolean;
  /** Limits below those of the provider. */
  limits?: JobLimits;
  /** Called with messages for people, such as a wait for the provider's quota. */
  onNote?: (text: string) => void;
}

const DAY = 86_400;
/** Maximum deadline, in seconds: no provider keeps a job for longer. */
const LONGEST_DEADLINE = 30 * DAY;

function check(good: boolean, name: string, expected: string, value: unknown): void {
  if (!good) throw new ConfigurationError(`${name}: expected ${expected}, got ${value}`);
}

function checkSeconds(value: number | undefined, name: string, max: number): void {
  if (value === undefined) return;
  check(value > 0 && value <= max, name, `seconds, above 0 and up to ${max}`, value);
}

/**
 * Checks the values of job options.
 *
 * @throws {ConfigurationError} if one is out of range, or two exclude each other
 */
export function checkJobOptions(
  { pollInterval, deadline, adopt, resend, limits = {} }: JobOptions,
): void {
  checkSeconds(pollInterval, "pollInterval", DAY);
  checkSeconds(deadline, "deadline", LONGEST_DEADLINE);
  for (const name of ["rows", "bytes", "jobs", "queuedTokens"] as const) {
    const value = limits[name];
    const good = value === undefined || (Number.isSafeInteger(value) && value >= 1);
    check(good, `limits.${name}`, "an integer ≥ 1", value);
  }
  if (adopt !== undefined && resend) {
    throw new ConfigurationError("adopt and resend exclude each other", {
      hint: "adopt takes an existing job; resend gives it up and submits the records again.",
    });
  }
}
