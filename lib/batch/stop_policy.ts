/**
 * Decides after each failure whether a batch stops, and whether the record counts as failed.
 *
 * @module
 */
import { AbortedError, ConnectionError, FlexLLMError, HttpError } from "../errors.ts";

/** Errors after which every further request would fail. */
const STOPPING_CODES: ReadonlySet<string> = new Set([
  "budget_exceeded",
  "quota_exceeded",
  "unavailable",
]);
/** Endpoint failures in a row that stop a batch that has had no answer yet. */
const MAX_FAILURES_AT_START = 10;
/** Endpoint failures in a row that stop a batch that has had answers, in this run or an earlier one. */
const MAX_FAILURES_LATER = 100;

/** What to do after a failure. */
export interface Decision {
  /** Whether to start no more records and end the batch with this error. */
  stop: boolean;
  /** Whether the record counts as failed. Otherwise it is left to the next run. */
  record: boolean;
}

/** The state of the batch at a failure. */
export interface StopContext {
  /** Whether the failed record overrides options of the batch. */
  hasOwnOptions?: boolean;
  /** Whether an endpoint has had no failure so far. */
  hasHealthyEndpoint?: boolean;
  /** Whether the batch is being stopped already. */
  isStopping?: boolean;
}

/** The options of a {@link StopPolicy}. */
export interface StopPolicyOptions {
  /** Maximum number of records in progress. */
  concurrency: number;
  /** Whether an earlier run had answers. */
  hadAnswers?: boolean;
}

/** Some services respond with 403 to a bad key, others to a prompt that they reject. */
function mayConcernOnlyTheRecord(error: FlexLLMError): boolean {
  return error instanceof HttpError && error.status === 403;
}

/** Tracks the answers and failures of one run. */
export class StopPolicy {
  readonly #concurrency: number;
  readonly #hadAnswers: boolean;
  #anyAnswer = false;
  /** Failures in a row that are the endpoint's fault, not the record's. */
  #endpointFailures = 0;

  constructor({ concurrency, hadAnswers = false }: StopPolicyOptions) {
    this.#concurrency = concurrency;
    this.#hadAnswers = hadAnswers;
  }

  /** Records an answer. */
  answered(): void {
    this.#anyAnswer = true;
    this.#endpointFailures = 0;
  }

  /** Records a failure and decides what to do. */
  failed(error: unknown, context: StopContext = {}): Decision {
    if (!(error instanceof FlexLLMError)) return { stop: true, record: false };
    // A paid failure must be in the journal.
    const isPaid = (error.partial?.cost ?? 0) > 0;
    if (error instanceof AbortedError) {
      // Unless the batch is stopping, the client was closed and can send nothing more.
      return { stop: context.isStopping !== true, record: isPaid };
    }
    const isEndpointFailure = error.fatal || error.endpointFault;
    this.#endpointFailures = isEndpointFailure ? this.#endpointFailures + 1 : 0;
    if (!this.#shouldStop(error, context)) return { stop: false, record: true };
    // Its retries are used up: record it as failed like the ones before. After a fatal error, such as a
    // refused key, nothing is wrong with the record.
    const isTried = isEndpointFailure && (!error.fatal || mayConcernOnlyTheRecord(error));
    return { stop: true, record: isPaid || isTried };
  }

  #shouldStop(error: FlexLLMError, context: StopContext): boolean {
    // Without fallback, the failures of one endpoint do not concern the others.
    if (context.hasHealthyEndpoint && error.endpointFault) return false;
    const isForbidden = mayConcernOnlyTheRecord(error);
    if (error.fatal && !isForbidden) {
      return STOPPING_CODES.has(error.code) || !this.#anyAnswer ||
        this.#endpointFailures > this.#concurrency;
    }
    if (this.#anyAnswer && !isForbidden) return false;
    // Options that are wrong for one record are wrong for all, unless they are its own.
    if (error.code === "configuration" && !context.hasOwnOptions) return true;
    // The remaining records may be unanswerable; a connection error means the server is gone.
    const isLater = (this.#anyAnswer || this.#hadAnswers) && !(error instanceof ConnectionError);
    return this.#endpointFailures >= (isLater ? MAX_FAILURES_LATER : MAX_FAILURES_AT_START);
  }
}
