/**
 * Watches the workers of a batch while it runs: for the progress, for notes, and for the report.
 *
 * @module
 */
import { clearInterval, setInterval } from "node:timers";
import type { FleetCounts, WorkerStatus } from "../../../lib/fleet/fleet_status.ts";
import { printableLine } from "../../terminal/sanitize.ts";
import { writeSentences, writeWarning } from "../../terminal/sentences.ts";
import type { WorkersState } from "../progress/worker_line.ts";
import type { BatchFleet, JobView } from "./batch_fleet.ts";

/** Milliseconds between two looks. */
const INTERVAL = 500;
/** Milliseconds without a worker after which a note says how to start one. */
const PATIENCE = 3000;

/** What workers did for a batch. */
export interface FleetOutcome extends FleetCounts {
  /** The ids of the jobs, one for each model. */
  jobs: string[];
  /** All workers that took part, as they last reported themselves. */
  workers: WorkerStatus[];
}

/** The part of a fleet that is watched. */
export type WatchedFleet = Pick<BatchFleet, "server"> & {
  readonly jobs: readonly JobView[];
};

function totalCounts(jobs: readonly FleetCounts[]): FleetCounts {
  const sum = (count: (job: FleetCounts) => number) =>
    jobs.reduce((total, job) => total + count(job), 0);
  return {
    duplicates: {
      answers: sum(({ duplicates }) => duplicates.answers),
      cost: sum(({ duplicates }) => duplicates.cost),
      unpriced: sum(({ duplicates }) => duplicates.unpriced),
    },
    reassigned: sum(({ reassigned }) => reassigned),
    hedged: sum(({ hedged }) => hedged),
    left: {
      records: sum(({ left }) => left.records),
      answers: sum(({ left }) => left.answers),
    },
  };
}

/** Looks at the workers again and again. */
export class FleetWatch {
  readonly #fleet: WatchedFleet;
  readonly #seen = new Map<string, WorkerStatus>();
  readonly #refusals = new Set<string>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #idleSince: number;
  #isAsking = false;

  constructor(fleet: WatchedFleet, now: number = performance.now()) {
    this.#fleet = fleet;
    this.#idleSince = now;
  }

  /** Looks until {@link stop}, and passes what the user should know to `note`. */
  start(note: (line: string) => void): void {
    const { jobs, server } = this.#fleet;
    const names = jobs.map(({ id }) => id).join(", ");
    const noun = jobs.length === 1 ? "Job" : "Jobs";
    writeSentences(`${noun} ${names} at ${server}: workers can join at any time.`, note);
    this.#timer = setInterval(() => this.look(note, performance.now()), INTERVAL);
    this.#timer.unref();
  }

  /** Stops looking. */
  stop(): void {
    clearInterval(this.#timer);
    this.#look();
  }

  /** The workers now. */
  state(): WorkersState {
    const { jobs } = this.#fleet;
    const workers = new Map(jobs.flatMap((job) => job.workers).map((each) => [each.id, each]));
    return {
      workers: [...workers.values()],
      refusals: jobs.flatMap(({ refusals }) => refusals),
      isConnected: jobs.every(({ isConnected }) => isConnected),
    };
  }

  /** Notes refusals once each, and how to start workers if none comes. */
  look(note: (line: string) => void, now: number): void {
    const { workers, refusals, isConnected } = this.#look();
    for (const { worker, reason } of refusals) {
      const text = `worker ${printableLine(worker)} cannot take part: ${printableLine(reason)}`;
      if (this.#refusals.has(text)) continue;
      this.#refusals.add(text);
      writeWarning(text, note);
    }
    if (workers.length > 0 || !isConnected) {
      this.#idleSince = now;
      this.#isAsking = false;
    } else if (!this.#isAsking && now - this.#idleSince >= PATIENCE) {
      this.#isAsking = true;
      writeSentences(
        `Waiting for workers. Start them with \`flexllm worker\` and the same server, ${this.#fleet.server}`,
        note,
      );
    }
  }

  #look(): WorkersState {
    const state = this.state();
    const contributors = this.#fleet.jobs.flatMap((job) => job.contributors);
    for (const worker of [...contributors, ...state.workers]) this.#seen.set(worker.id, worker);
    return state;
  }

  /** What workers did. */
  outcome(): FleetOutcome {
    const { jobs } = this.#fleet;
    return {
      ...totalCounts(jobs),
      jobs: jobs.map(({ id }) => id),
      workers: [...this.#seen.values()],
    };
  }
}
