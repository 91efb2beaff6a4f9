/** A batch with a fake provider, real files and a virtual clock, which can be killed and run again. */
import type { IndexedRecord, Outcome } from "../../lib/batch/executor.ts";
import { JobExecutor, type JobExecutorOptions } from "../../lib/batch/executors/jobs.ts";
import type { JobClient } from "../../lib/batch/jobs/job_client.ts";
import { openPartStore } from "../../lib/batch/jobs/open_part_store.ts";
import type { PartStore } from "../../lib/batch/jobs/part_store.ts";
import { HttpError } from "../../lib/errors.ts";
import { CostTracker } from "../../lib/pricing/cost_tracker.ts";
import { chatResult } from "./chat_result.ts";
import { FakeProvider, type FakeProviderOptions, noHttp } from "./fake_batch_provider.ts";
import { VirtualClock } from "./virtual_clock.ts";

/** When the world begins, in milliseconds since 1970. */
const START = Date.UTC(2026, 10, 27);

export type RunOptions = Partial<JobExecutorOptions> & {
  /** Fields of the client that differ. */
  clientFields?: Partial<JobClient>;
  /** Called with each group of outcomes before it is recorded. */
  onOutcomes?: (outcomes: readonly Outcome[], executor: JobExecutor) => void;
  /** Called with the executor before it runs. */
  onStart?: (executor: JobExecutor) => void;
  tracker?: CostTracker;
  /** Wraps the store. */
  wrapStore?: (store: PartStore) => PartStore;
};

export function records(count: number, start = 0): IndexedRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    index: start + i,
    messages: [{ role: "user" as const, content: `Question ${start + i}` }],
  }));
}

export class JobWorld {
  readonly clock = new VirtualClock();
  /** Added to the time of day, as when the computer slept. */
  slept = 0;
  readonly provider: FakeProvider;
  readonly output: string;
  readonly notes: string[] = [];
  /** The outcomes of each index, as a result file would have them. */
  readonly outcomes = new Map<number, Outcome[]>();
  maxCost: number | null = 0;
  #nonces = 0;

  constructor(output: string, options: Omit<FakeProviderOptions, "now">) {
    this.output = output;
    this.provider = new FakeProvider({ ...options, now: () => this.now() });
  }

  now(): number {
    return START + this.clock.now() + this.slept;
  }

  client(tracker = new CostTracker(), fields: Partial<JobClient> = {}): JobClient {
    return {
      api: this.provider.api(),
      http: noHttp,
      endpoint: "https://api.example/v1",
      keyFingerprint: "0123abcd",
      parse: JSON.parse,
      prepare: ({ messages }) =>
        Promise.resolve({
          request: {
            body: JSON.stringify(messages),
            model: "m",
            path: "/chat/completions",
          },
          promptTokens: 10,
          maxCost: this.maxCost,
        }),
      decode: (row) => {
        if (row.kind === "answer") return Promise.resolve(chatResult(String(row.body)));
        return Promise.reject(new HttpError("the row failed", { status: row.status ?? 500 }));
      },
      reserve: (cost, signal) => tracker.reserveRows(cost, signal),
      restore: (cost) => tracker.restore(cost),
      ...fields,
    };
  }

  isDone(index: number): boolean {
    return this.outcomes.get(index)?.some(({ ok }) => ok) ?? false;
  }

  openStore(): Promise<PartStore> {
    return openPartStore(this.output, {
      now: () => this.now(),
      nonce: () => `n${String(this.#nonces++).padStart(9, "0")}`,
    });
  }

  /** Runs the batch once. Records that are done are left out, as a batch run does it. */
  async run(input: Iterable<IndexedRecord>, options: RunOptions = {}): Promise<JobExecutor> {
    using store = await this.openStore();
    const executor = this.executor(options.wrapStore?.(store) ?? store, options);
    options.onStart?.(executor);
    await this.clock.run(this.consume(executor, input, options));
    return executor;
  }

  executor(store: PartStore, options: RunOptions): JobExecutor {
    const { clientFields, tracker, onOutcomes: _o, onStart: _s, wrapStore: _w, ...rest } = options;
    return new JobExecutor({
      client: this.client(tracker, clientFields),
      store,
      clock: this.clock,
      now: () => this.now(),
      random: () => 0.5,
      isDone: (index) => this.isDone(index),
      onNote: (text) => void this.notes.push(text),
      ...rest,
    });
  }

  async consume(executor: JobExecutor, input: Iterable<IndexedRecord>, options: RunOptions) {
    const isDone = (index: number) => this.isDone(index) && !executor.isYielded(index);
    function* pending() {
      for (const record of input) if (!isDone(record.index)) yield record;
    }
    for await (const group of executor.run(pending())) {
      options.onOutcomes?.(group, executor);
      this.record(group);
    }
  }

  record(group: readonly Outcome[]): void {
    for (const outcome of group) {
      const { index } = outcome.record;
      this.outcomes.set(index, [...this.outcomes.get(index) ?? [], outcome]);
    }
  }

  /** The indexes that were billed more than once. */
  get billedTwice(): number[] {
    this.provider.finish();
    return [...this.provider.billed].filter(([, times]) => times > 1).map(([index]) => index);
  }

  /** The number of indexes with exactly one outcome. */
  get single(): number {
    return [...this.outcomes.values()].filter((list) => list.length === 1).length;
  }

  /** The final outcome of an index. */
  last(index: number): Outcome | undefined {
    return this.outcomes.get(index)?.at(-1);
  }
}
