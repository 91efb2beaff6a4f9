/**
 * Turns the results of workers into outcomes, each record once, and decides what happens to records given back.
 *
 * @module
 */
import type { Outcome } from "../../batch/executor.ts";
import { decodeError } from "../error_codec.ts";
import {
  costOf,
  isGivenBack,
  outcomeOf,
  type ResultGroup,
  type WorkResult,
} from "../work_result.ts";
import { IndexSet } from "./index_set.ts";
import type { JobRun } from "./job_run.ts";
import type { OpenRecord } from "./open_records.ts";
import type { Resender } from "./resender.ts";
import type { StragglerWatch } from "./straggler_watch.ts";
import { handleDeparture } from "./worker_departure.ts";

/** Maximum outcomes that wait to be consumed before more results are read. */
const MAX_READY = 2000;
/** How often workers may give back a record because of errors of theirs. */
const MAX_FAILURES = 3;

/** An outcome, and the group of results that it is from. */
export interface ReadyOutcome {
  outcome: Outcome;
  group: string | undefined;
}

/** The results of one run. */
export class ResultCollector {
  readonly #run: JobRun;
  readonly #resender: Resender;
  readonly #stragglers: StragglerWatch;
  readonly #answered = new IndexSet();
  #ready: ReadyOutcome[] = [];
  #lastAt = performance.now();

  constructor(run: JobRun, resender: Resender, stragglers: StragglerWatch) {
    this.#run = run;
    this.#resender = resender;
    this.#stragglers = stragglers;
  }

  /** Whether outcomes wait to be consumed. */
  get hasOutcomes(): boolean {
    return this.#ready.length > 0;
  }

  /** Whether the maximum number of outcomes is waiting, so that no more results should be read. */
  get isFull(): boolean {
    return this.#ready.length >= MAX_READY;
  }

  /** When the last results arrived, by `performance.now()`. */
  get lastAt(): number {
    return this.#lastAt;
  }

  /** The number of outcomes of workers that wait to be consumed. */
  get waiting(): number {
    return this.#ready.filter(({ group }) => group !== undefined).length;
  }

  /** Removes and returns the outcomes that wait. */
  takeOutcomes(): ReadyOutcome[] {
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }

  /** Adds an outcome without a result of a worker. */
  addOutcome(outcome: Outcome): void {
    this.#ready.push({ outcome, group: undefined });
  }

  /** Takes results from Redis. */
  handle(groups: readonly ResultGroup[]): void {
    if (groups.length === 0) return;
    this.#lastAt = performance.now();
    for (const group of groups) {
      if (!group.results.every(isGivenBack)) this.#run.roster.contributed(group.worker);
      for (const result of group.results) this.handleResult(result, group);
    }
    this.#run.wake();
  }

  /** Takes one result of a group. */
  handleResult(result: WorkResult, group: ResultGroup): void {
    const { open: openRecords, results, counts } = this.#run;
    const { i: index, h: hash, x: hasLeft, c: cost } = result;
    const open = openRecords.get(index);
    if (open === undefined || open.hash !== hash) return this.#handleUnexpected(result, group);
    if (hasLeft) void handleDeparture(this.#run, group.worker, decodeError(result.e!));
    if (!isGivenBack(result)) {
      openRecords.delete(index);
      return this.#answer(open, result, group.id);
    }
    results.written(group.id);
    if (cost !== undefined) counts.duplicates.cost += cost;
    if (openRecords.dropCopy(index)) this.#sendAgain(open, result);
    // A second copy that came to the worker that has the first.
    else counts.hedged = Math.max(0, counts.hedged - 1);
  }

  #answer({ record }: OpenRecord, result: WorkResult, group: string | undefined): void {
    const { d: deliveries = 1, r: answer, f: facts } = result;
    this.#answered.add(record.index);
    this.#run.finished++;
    if (deliveries > 1) this.#run.counts.reassigned++;
    if (answer !== undefined && facts !== undefined && !answer.cached) {
      this.#stragglers.add(facts.duration);
    }
    this.#ready.push({ outcome: outcomeOf(record, result), group });
  }

  /** A result of a record that is answered, or that was not read yet. */
  #handleUnexpected(result: WorkResult, group: ResultGroup): void {
    const { open, results, leftovers } = this.#run;
    const { i: index, h: hash } = result;
    const isAwaited = !this.#answered.has(index) && open.get(index) === undefined &&
      leftovers.isAwaited(index);
    if (isAwaited && !isGivenBack(result)) return leftovers.addResult(result, group);
    results.written(group.id);
    // Given back, it is no longer in the work stream.
    if (isAwaited) leftovers.takeRecord(index, hash);
    if (this.#answered.has(index)) this.#countDuplicate(result);
  }

  #countDuplicate(result: WorkResult): void {
    const { duplicates } = this.#run.counts;
    if (!isGivenBack(result)) duplicates.answers++;
    const cost = costOf(result);
    if (cost === null) duplicates.unpriced++;
    else duplicates.cost += cost;
  }

  /** Gives a record to another worker, unless the batch stops or too many workers have failed with it. */
  #sendAgain(open: OpenRecord, result: WorkResult): void {
    const { index } = open.record;
    if (this.#run.isStopping) return this.#run.open.delete(index);
    const isFailure = result.e !== undefined;
    if (isFailure && ++open.failures >= MAX_FAILURES) {
      this.#run.open.delete(index);
      return this.#answer(open, result, undefined);
    }
    open.copies = 1;
    // The worker that failed must not get it again.
    if (isFailure) void this.#resender.sendAfterDeparture([open]);
    else void this.#resender.send([open]);
  }
}
