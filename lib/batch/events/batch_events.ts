/**
 * Records what happens while a batch runs, in the events file next to its result file.
 *
 * @module
 */
import { clearTimeout, setTimeout } from "node:timers";
import { fileReason } from "../../files/reasons.ts";
import type { EndLine, MarkLine, RunLine } from "./event_lines.ts";
import { EventsFile } from "./events_file.ts";
import { type SampledBatch, Sampler } from "./sampler.ts";

/** Milliseconds between two samples: the first ones are closer together, for batches that end soon. */
const FIRST_SAMPLE = 4;
const SAMPLE_INTERVAL = 250;
/** Finished records after which the time is checked. */
const CHECK_EVERY = 64;
/** Milliseconds between two writes. */
const WRITE_INTERVAL = 2000;

/** The time of day and the timer; replaced in tests. */
export interface EventsHost {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `run` after `ms` milliseconds, but does not keep the process alive. Returns what cancels it. */
  after(ms: number, run: () => void): () => void;
}

const SYSTEM: EventsHost = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** How a run ended. */
export interface RunEnding extends Pick<EndLine, "outcome" | "succeeded" | "failed" | "duration"> {
  /** Whether the result file has any result. Without one, no events file stays behind. */
  hasResults: boolean;
  /** Whether the budget was exhausted. */
  isOverBudget: boolean;
}

/** The events of one run. Never throws: a batch does not depend on them. */
export class BatchEvents {
  readonly #sampler = new Sampler();
  readonly #host: EventsHost;
  readonly #onFailure: (reason: string) => void;
  /** `undefined` once it cannot be written. */
  #file: EventsFile | undefined;
  #cancelTimer = () => {};
  #interval = FIRST_SAMPLE;
  #writtenAt: number;
  #sampledAt: number;
  #finished = 0;
  #isEnded = false;

  /**
   * Prepares the events file of the result file `output`.
   *
   * @param isNew whether the result file is new, so that an existing events file is not about it
   * @param onFailure called at most once with the reason, if the file cannot be written; nothing is recorded then
   */
  constructor(
    output: string,
    run: Omit<RunLine, "type" | "at">,
    isNew: boolean,
    onFailure: (reason: string) => void,
    host: EventsHost = SYSTEM,
  ) {
    this.#host = host;
    this.#onFailure = onFailure;
    this.#writtenAt = this.#sampledAt = host.now();
    try {
      const at = new Date(this.#writtenAt).toISOString();
      this.#file = new EventsFile(output, { type: "run", at, ...run }, isNew);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Samples `batch`, whose counts start at zero, until {@link BatchEvents.unwatch}. */
  watch(batch: SampledBatch): void {
    if (this.#file === undefined) return;
    this.#sampler.watch(batch);
    this.#interval = FIRST_SAMPLE;
    this.#schedule();
  }

  /** Ends the sampling of a batch. */
  unwatch(): void {
    this.#cancelTimer();
    this.#sampler.unwatch(this.#host.now());
  }

  /** Call it for each finished record: while answers come from memory, no timer fires. */
  finished(): void {
    if (++this.#finished % CHECK_EVERY !== 0) return;
    if (Math.abs(this.#host.now() - this.#sampledAt) >= SAMPLE_INTERVAL) this.#tick();
  }

  /** Counts a failed attempt that is retried. */
  retry(error: unknown): void {
    this.#sampler.retry(error);
  }

  /** Marks this moment. */
  mark(kind: MarkLine["kind"]): void {
    this.#sampler.mark({ at: this.#host.now(), kind });
  }

  /** Ends the run. Further calls have no effect. */
  end({ hasResults, isOverBudget, ...ending }: RunEnding): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.unwatch();
    if (isOverBudget) this.mark("budget");
    const now = this.#host.now();
    const lines = this.#sampler.take(now, true);
    this.#attempt((file) => {
      if (!hasResults) return file.discard();
      // For example a check of provider jobs that are not done yet.
      if (lines.length === 0 && !file.isWritten) return;
      file.append([...lines, { type: "end", at: new Date(now).toISOString(), ...ending }]);
    });
  }

  #schedule(): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#host.after(this.#interval, () => this.#tick());
    this.#interval = Math.min(SAMPLE_INTERVAL, this.#interval * 2);
  }

  #tick(): void {
    const now = this.#sampledAt = this.#host.now();
    this.#sampler.sample(now);
    // Also if the clock was set back.
    if (Math.abs(now - this.#writtenAt) >= WRITE_INTERVAL) {
      this.#writtenAt = now;
      const lines = this.#sampler.take(now);
      if (lines.length > 0) this.#attempt((file) => file.append(lines));
    }
    if (this.#file !== undefined) this.#schedule();
  }

  #attempt(write: (file: EventsFile) => void): void {
    const file = this.#file;
    if (file === undefined) return;
    try {
      write(file);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#file = undefined;
    this.#onFailure(fileReason(error));
  }
}
