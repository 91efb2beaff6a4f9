/**
 * Defines what the steps of provider jobs share: the options of the executor, the clock and the notes.
 *
 * @module
 */
import { AbortedError } from "../../errors.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { JobClient } from "./job_client.ts";
import type { PartStore } from "./part_store.ts";

/** Limits on what is at the provider at the same time, in addition to the provider's own. */
export interface JobLimits {
  /** Maximum rows in a job. @default 10,000, or the limit of the provider if it is lower */
  rows?: number;
  /** Maximum size of a job's input in bytes. */
  bytes?: number;
  /** Maximum jobs that are queued or running at the same time. */
  jobs?: number;
  /** Maximum input tokens that are queued or running at the same time; 80 % of it are used. */
  queuedTokens?: number;
}

/** The options of a {@link JobExecutor}. */
export interface JobExecutorOptions {
  client: JobClient;
  /** Where the parts are stored. The caller closes it. */
  store: PartStore;
  /** The name of the model in the command; only if the batch has several. */
  requestedModel?: string;
  /**
   * Whether to wait for the jobs. Otherwise the run ends once everything that the limits allow is submitted.
   *
   * @default true
   */
  wait?: boolean;
  /**
   * Seconds from the first submission after which the jobs are cancelled.
   *
   * @default never
   */
  deadline?: number;
  /**
   * Whether to delete the provider's files after collection.
   *
   * @default false
   */
  clean?: boolean;
  /** The id of the job that a create without a clear answer has made. */
  adopt?: string;
  /**
   * Whether to send rows again whose jobs cannot be found, or are exported. They may be billed twice.
   *
   * @default false
   */
  resend?: boolean;
  limits?: JobLimits;
  /** Seconds between polls. @default as the provider recommends */
  pollInterval?: number;
  /**
   * How often a row is sent again that failed for a reason that may pass.
   *
   * @default 3
   */
  retryTimes?: number;
  /** Whether the result file has a successful result of a record. @default none has one */
  isDone?: (index: number) => boolean;
  /**
   * Whether a record may differ from the one that was submitted.
   *
   * @default false
   */
  rerunChanged?: boolean;
  clock: Clock;
  /** The time of day in milliseconds since 1970. @default Date.now */
  now?: () => number;
  /** Random numbers in [0, 1). @default Math.random */
  random?: () => number;
  /** Called with messages for the user. */
  onNote?: (text: string) => void;
  /** Called when the state of a part has changed. */
  onChange?: () => void;
}

/** The surroundings of one run, for its steps. */
export class JobContext {
  readonly options: JobExecutorOptions;
  readonly client: JobClient;
  readonly store: PartStore;
  readonly clock: Clock;
  /** Aborted when the run stops: ends waiting and everything that can be repeated. */
  readonly stopping = new AbortController();
  /** Aborted when a create that is in flight is not waited for any longer. */
  readonly aborting = new AbortController();

  constructor(options: JobExecutorOptions) {
    this.options = options;
    this.client = options.client;
    this.store = options.store;
    this.clock = options.clock;
  }

  /** The time of day in milliseconds since 1970. */
  get time(): number {
    return (this.options.now ?? Date.now)();
  }

  /** A random number in [0, 1). */
  random(): number {
    return (this.options.random ?? Math.random)();
  }

  /** Shows a message to the user. */
  note(text: string): void {
    this.options.onNote?.(text);
  }

  /** Reports that the state of a part has changed. */
  changed(): void {
    this.options.onChange?.();
  }

  /** The moment `seconds` from now, by the clock. */
  after(seconds: number): number {
    return this.clock.now() + seconds * 1000;
  }

  /** Seconds to wait after a number of failures in a row: 5, 10, 20, … up to 300, ±10 %. */
  backoff(failures: number): number {
    return this.jitter(Math.min(300, 5 * 2 ** Math.max(0, failures - 1)));
  }

  /** Changes a number of seconds by up to 10 %, so that many clients don't poll at the same moment. */
  jitter(seconds: number): number {
    return seconds * (0.9 + 0.2 * this.random());
  }

  /** Whether `error` only says that the run is being stopped. */
  isStop(error: unknown): boolean {
    return this.stopping.signal.aborted && error instanceof AbortedError;
  }
}
