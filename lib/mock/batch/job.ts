/**
 * Computes the state of a mock job from its record and the time. Nothing runs in the background, so a
 * restarted mock continues where the old one was.
 *
 * @module
 */
import type { Json } from "../../json/json.ts";
import { seededRandom } from "../../runtime/random.ts";
import type { BatchFaultName } from "./fault_kinds.ts";

/** Why a job as a whole failed. */
export interface JobProblem {
  code: string;
  message: string;
  /** The line of the input, from 1. */
  line?: number;
  param?: string;
}

/** A job as it is stored. Times are in milliseconds since 1970. */
export interface JobRecord {
  id: string;
  /** Counted from 1 over all jobs of the mock. */
  number: number;
  /** The name of the API that created it. */
  api: string;
  /** The key whose workspace it belongs to; "" without several keys. */
  owner: string;
  createdAt: number;
  /** The id of the content with one row per line. */
  input: string;
  inputBytes: number;
  rows: number;
  /** The model, if all rows have the same. */
  model?: string;
  /** Estimated tokens of all rows. */
  tokens: number;
  /** How long it takes, in milliseconds. */
  duration: number;
  /** When it expires if it is not done. */
  expiresAt: number;
  /** The faults that hit it, and their values. */
  faults: Partial<Record<BatchFaultName, number>>;
  /** Validation fails with it. */
  problem?: JobProblem;
  /** Whether all of its rows were answered once, so that it may have been reported as ended. */
  isEvaluated?: boolean;
  cancelledAt?: number;
  /** Rows that were done when it was cancelled. */
  doneAtCancel?: number;
  deletedAt?: number;
  /** What the API stores: endpoint, metadata, name. */
  details: Json;
}

/** The phase of a job. The last four are final. */
export type JobPhase =
  | "validating"
  | "running"
  | "finalizing"
  | "cancelling"
  | "completed"
  | "failed"
  | "expired"
  | "cancelled";

/** A job at one moment. Times are in milliseconds since 1970, and only set once reached. */
export interface JobState {
  phase: JobPhase;
  /** Whether it will not change any more. */
  isFinal: boolean;
  /** Rows that are done: those with an order below it. */
  done: number;
  startedAt?: number;
  finalizingAt?: number;
  cancellingAt?: number;
  /** When it reached its final phase. */
  endedAt?: number;
}

/** Shares of the duration at which a job leaves validation, and at which its rows are done. */
const VALIDATED = 0.1;
const DONE = 0.9;

/**
 * The state of a job.
 *
 * @param now milliseconds since 1970
 * @param evaluated rows whose answers are known; the job does not end before all of them are
 */
export function stateAt(job: JobRecord, now: number, evaluated = job.rows): JobState {
  const { createdAt, duration, rows, faults, expiresAt } = job;
  const startedAt = createdAt + duration * VALIDATED;
  const finalizingAt = createdAt + duration * DONE;
  const endsAt = createdAt + duration;
  if (job.problem !== undefined && now >= startedAt) {
    return { phase: "failed", isFinal: true, done: 0, endedAt: startedAt };
  }
  const most = Math.floor(rows * (faults.stuck ?? faults.expire ?? 1));
  const doneAt = (time: number) => {
    const share = duration === 0 ? 1 : (time - startedAt) / (finalizingAt - startedAt);
    return Math.min(Math.floor(rows * Math.max(share, 0)), most, evaluated);
  };
  const { cancelledAt } = job;
  if (cancelledAt !== undefined) {
    const endedAt = cancelledAt + duration * VALIDATED;
    const isFinal = now >= endedAt && evaluated >= (job.doneAtCancel ?? 0);
    return {
      phase: isFinal ? "cancelled" : "cancelling",
      isFinal,
      done: job.doneAtCancel ?? 0,
      startedAt: cancelledAt >= startedAt ? startedAt : undefined,
      cancellingAt: cancelledAt,
      endedAt: isFinal ? endedAt : undefined,
    };
  }
  const expiry = faults.expire !== undefined && faults.stuck === undefined ? endsAt : expiresAt;
  const isStuck = faults.stuck !== undefined || faults.expire !== undefined;
  if (now >= expiry && (isStuck || endsAt > expiry) && evaluated >= most) {
    return { phase: "expired", isFinal: true, done: doneAt(expiry), startedAt, endedAt: expiry };
  }
  if (now < startedAt) return { phase: "validating", isFinal: false, done: 0 };
  if (isStuck || now < finalizingAt || evaluated < rows) {
    return { phase: "running", isFinal: false, done: doneAt(now), startedAt };
  }
  if (now < endsAt) {
    return { phase: "finalizing", isFinal: false, done: rows, startedAt, finalizingAt };
  }
  return {
    phase: "completed",
    isFinal: true,
    done: rows,
    startedAt,
    finalizingAt,
    endedAt: endsAt,
  };
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/**
 * The order in which the rows of a job are done, which is also that of its results: a permutation of
 * 0…n-1 that needs no memory.
 */
export function rowOrder(rows: number, seed: number): (order: number) => number {
  if (rows < 2) return (order) => order;
  const random = seededRandom(seed);
  // A step near the golden ratio spreads neighbors far apart.
  let step = Math.max(1, Math.floor(rows * (0.55 + random() * 0.2)));
  while (gcd(step, rows) !== 1 || step === 1 && rows > 3) step++;
  const offset = Math.floor(random() * rows);
  return (order) => (order * step + offset) % rows;
}
