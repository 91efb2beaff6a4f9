/**
 * Holds the state of a part while a run works on it.
 *
 * @module
 */
import type { Job } from "../../batch_api/batch_api.ts";
import type { Collection } from "./collection.ts";
import type { JobContext } from "./job_context.ts";
import type { JobView } from "./job_view.ts";
import type { PartEvent, PartPhase, PartState } from "./part_events.ts";
import { PartMoney } from "./part_money.ts";
import type { EventFields } from "./part_store.ts";

/** The state of a part in words; a submitted part has the state of its job. */
const STATES: Readonly<Record<PartPhase, string>> = {
  planned: "not submitted",
  uploaded: "not submitted",
  creating: "submitting",
  unknown: "looking for the job",
  submitted: "submitted",
  ended: "collecting",
  collected: "collected",
  cleaned: "collected",
  dropped: "dropped",
  abandoned: "abandoned",
  exported: "exported",
};

/** Seconds after which a failed step is repeated at the latest, whatever the server asks for. */
const LONGEST_WAIT = 3600;

/** A part that is not finished. */
export class LivePart {
  readonly #context: JobContext;
  state: PartState;
  readonly money = new PartMoney();
  /** When its next step is due, in milliseconds of the clock. */
  dueAt: number;
  /** Failures of the current step in a row. */
  failures = 0;
  /** The last of them. */
  lastError: unknown;
  /** What is wrong at the moment. */
  problem: string | undefined;
  /** What it does at the moment, if the phase doesn't show it. */
  activity: "uploading" | "waiting for quota" | undefined;
  /** Seconds until the next poll. */
  pollWait: number;
  /** Whether the provider has reported the job's state in this run. */
  isPolled = false;
  /** Whether the job has its rows; only used for APIs that add them after the create. */
  isFilled = false;
  /** When the provider first reported that it doesn't know the job. */
  missingSince: number | undefined;
  /** Looks for the job since the last create, none of which found it. */
  looks = 0;
  /** When a create of this run had no clear answer, or else was looked for first, in milliseconds of the clock. */
  unclearAt: number | undefined;
  /** Ids of jobs that seemed to belong to this part, and have the results of other records. */
  readonly foreignJobs = new Set<string>();
  /** Creates sent in this run. */
  creates = 0;
  /** Whether the cancellation was requested in this run. */
  isCancelRequested = false;
  /** What has been collected so far. */
  collection: Collection | undefined;

  constructor(context: JobContext, state: PartState) {
    this.#context = context;
    this.state = state;
    this.problem = state.problem;
    this.dueAt = context.clock.now();
    this.pollWait = context.options.pollInterval ?? context.client.api.poll.first;
  }

  /** The part's name. */
  get name(): string {
    return this.state.part;
  }

  /** Whether a job of this part is, or may be, at the provider and not final. */
  get isAtProvider(): boolean {
    const { phase } = this.state;
    return phase === "creating" || phase === "unknown" || phase === "submitted";
  }

  /** Whether it is unclear whether a job exists. */
  get isUnclear(): boolean {
    return this.state.phase === "creating" || this.state.phase === "unknown";
  }

  /** Whether nothing has been sent yet, or it was certainly refused. */
  get isUnsent(): boolean {
    return this.state.phase === "planned" || this.state.phase === "uploaded";
  }

  /** Whether the provider may still refuse the job as a whole, or has done so. */
  get isValidating(): boolean {
    const { job } = this.state;
    if (this.isUnsent || job === undefined) return true;
    return job.status === "validating" || job.status === "failed";
  }

  /** Logs a step. */
  log(event: EventFields<PartEvent>): void {
    this.state = this.#context.store.log(this.name, event);
    this.#context.changed();
  }

  /** Takes over the state of its job without logging it. */
  see(job: Job): void {
    if (JSON.stringify(job) === JSON.stringify(this.state.job)) return;
    this.state = { ...this.state, job };
    this.#context.changed();
  }

  /** Sets what it does at the moment. */
  show(activity: LivePart["activity"]): void {
    if (this.activity === activity) return;
    this.activity = activity;
    this.#context.changed();
  }

  /** Schedules the next step. */
  wait(seconds: number): void {
    this.dueAt = this.#context.after(seconds);
  }

  /** Notes a failure of the current step, which is repeated later. */
  failed(error: unknown, seconds?: number): void {
    this.failures++;
    this.lastError = error;
    this.problem = error instanceof Error ? error.message : String(error);
    // A service may ask for days by mistake, and limits often pass sooner.
    this.wait(Math.min(seconds ?? this.#context.backoff(this.failures), LONGEST_WAIT));
    this.#context.changed();
  }

  /** Notes that the current step has succeeded. */
  succeeded(): void {
    this.failures = 0;
    this.problem = undefined;
  }

  /** How reports show it. */
  view(): JobView {
    const { state } = this;
    const status = state.phase === "submitted" ? state.job?.status : undefined;
    return {
      part: state.part,
      requestedModel: state.requested_model,
      model: state.model,
      endpoint: state.endpoint,
      rows: state.rows,
      state: this.activity ?? status ?? STATES[state.phase],
      job: state.job,
      submittedAt: state.submittedAt,
      problem: this.problem,
    };
  }
}
