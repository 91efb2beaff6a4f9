/**
 * Sends the records of one model through a fleet: hands them to workers, and works on them as well.
 *
 * @module
 */
import type { Executor, IndexedRecord, Outcome } from "../../../lib/batch/executor.ts";
import type { Coordinator } from "../../../lib/fleet/coordinator/coordinator.ts";
import type { FleetWorker } from "../../../lib/fleet/worker/worker.ts";
import type { CostTracker } from "../../../lib/pricing/cost_tracker.ts";

/** What a {@link FleetExecutor} consists of. */
export interface FleetExecutorParts {
  coordinator: Coordinator;
  /** The worker of this process, if it sends records as well. */
  worker: FleetWorker | undefined;
  /** Counts what all workers of the job have spent. */
  costs: CostTracker;
}

/** A coordinator, with a worker in the same process. */
export class FleetExecutor implements Executor {
  readonly coordinator: Coordinator;
  readonly #worker: FleetWorker | undefined;
  readonly #costs: CostTracker;

  constructor({ coordinator, worker, costs }: FleetExecutorParts) {
    this.coordinator = coordinator;
    this.#worker = worker;
    this.#costs = costs;
  }

  get concurrency(): number {
    return this.coordinator.concurrency;
  }

  get retries(): number {
    return this.coordinator.retries;
  }

  get hasHealthyEndpoint(): boolean {
    return this.coordinator.hasHealthyEndpoint;
  }

  async *run(
    records: Iterable<IndexedRecord> | AsyncIterable<IndexedRecord>,
  ): AsyncGenerator<readonly Outcome[], void, void> {
    // Without this worker, the others continue; its reason is among the refusals of the job.
    const working = this.#worker?.run().catch(() => {});
    try {
      for await (const outcomes of this.coordinator.run(records)) {
        for (const outcome of outcomes) this.#count(outcome);
        yield outcomes;
      }
    } finally {
      this.#worker?.stop();
      await working;
      await this.coordinator.countLeft();
    }
  }

  stop(): void {
    this.coordinator.stop();
    this.#worker?.stop();
  }

  abort(): void {
    this.#worker?.abort();
    this.coordinator.abort();
  }

  #count(outcome: Outcome): void {
    const { facts } = outcome;
    if (facts === undefined || facts.cached) return;
    const { model, endpoint = "", usage, cost } = facts;
    if (outcome.ok) {
      this.#costs.record({ model: outcome.result.model, endpoint, usage, cost });
    } else if (cost) this.#costs.record({ model, endpoint, usage, cost, isLost: true });
  }
}
