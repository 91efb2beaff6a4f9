/**
 * Submits provider batches and collects them later, possibly in another process.
 *
 * The batch is its result file and the log of its jobs. An object of it has nothing that another one could not read
 * from there, except the inputs that the provider's limits did not allow to submit yet.
 *
 * @module
 */
import { withJsonSchemas } from "../chat/normalize.ts";
import type { AnyResponseFormat } from "../chat/options.ts";
import { ConfigurationError, FlexLLMError, JournalError } from "../errors.ts";
import type { IndexedRecord } from "./executor.ts";
import type { RequestTemplate } from "./executors/live.ts";
import { type BatchInputs, ContinuedInputs } from "./inputs.ts";
import type { BatchItem, BatchIterator } from "./items.ts";
import { checkJobOptions, type JobOptions } from "./job_options.ts";
import type { JobProvider } from "./job_provider.ts";
import { checkInputs, checkSingleModel } from "./journal/check_inputs.ts";
import { Journal } from "./journal/journal.ts";
import { LockedFileError } from "./journal/open_file.ts";
import { inputIdentity } from "./journal/result_line.ts";
import { heldIndexes } from "./jobs/held_parts.ts";
import { JobRun } from "./jobs/job_run.ts";
import { readParts, requestCancel } from "./jobs/open_part_store.ts";
import { holdsRows, type PartState } from "./jobs/part_events.ts";
import { currentParts, type JobReader, partStatus } from "./jobs/part_status.ts";
import type {
  ProviderBatch,
  ProviderBatchOptions,
  ProviderBatchStatus,
  SubmitBatchOptions,
} from "./provider_batch.ts";
import { recordedItems } from "./recorded_items.ts";
import { BatchRun } from "./run.ts";
import { type BatchSummary, countRejected, emptySummary } from "./summary.ts";

/** The options of a batch, sorted by what they are for. */
interface Settings {
  request: RequestTemplate;
  jobs: JobOptions;
  signal: AbortSignal | undefined;
  rerunChanged: boolean | undefined;
}

function settingsOf(
  given: ProviderBatchOptions<AnyResponseFormat> & { output?: string; rerunChanged?: boolean },
): Settings {
  const {
    pollInterval,
    deadline,
    clean,
    adopt,
    resend,
    limits,
    onNote,
    signal,
    rerunChanged,
    output: _output,
    ...request
  } = withJsonSchemas(given);
  const jobs = { pollInterval, deadline, clean, adopt, resend, limits, onNote };
  checkJobOptions(jobs);
  return { request, jobs, signal, rerunChanged };
}

/** What one run does besides working on the jobs of earlier runs. */
interface Work {
  /** Called with the open result file, before the run begins. */
  prepare?: (journal: Journal, run: JobRun) => void;
  /** Yields the results that the file already has. */
  recorded?: (journal: Journal, run: JobRun) => AsyncIterable<BatchItem[]>;
  /** The records to submit. @default none */
  records?: (journal: Journal) => AsyncIterable<IndexedRecord>;
  /** Whether to wait for the jobs. @default true */
  wait?: boolean;
  onStart?: (run: BatchRun) => void;
}

/** A provider batch in its result file. */
class SubmittedBatch implements ProviderBatch {
  readonly output: string;
  readonly #provider: JobProvider;
  readonly #settings: Settings;
  readonly #inputs: ContinuedInputs | undefined;
  readonly #closing = new AbortController();
  /** The loop over the results that was started last. */
  #iteration: AsyncGenerator<unknown, unknown, void> | undefined;

  constructor(
    provider: JobProvider,
    output: string,
    settings: Settings,
    inputs?: ContinuedInputs,
  ) {
    this.output = output;
    this.#provider = provider;
    this.#settings = settings;
    this.#inputs = inputs;
  }

  async status(): Promise<ProviderBatchStatus> {
    const known = readParts(this.output);
    const reader = await this.#provider.jobs(this.#settings.request);
    const read = (part: PartState): JobReader => {
      if (reader.endpoint === part.endpoint && reader.keyFingerprint === part.key) return reader;
      const what = reader.endpoint === part.endpoint ? "another API key" : part.endpoint;
      throw new ConfigurationError(`it belongs to ${what}`);
    };
    const messageOf = (error: unknown) => error instanceof Error ? error.message : String(error);
    const parts = await currentParts(known, read, messageOf);
    const now = Date.now();
    return {
      output: this.output,
      done: !parts.some(holdsRows),
      parts: parts.map((part) => partStatus(part, now)),
    };
  }

  results(): BatchIterator {
    const recorded = emptySummary();
    let run: BatchRun | undefined;
    const summary = (): BatchSummary => withRecorded(run?.summary() ?? emptySummary(), recorded);
    const groups = this.#run({
      recorded: (journal, run) => this.#recorded(journal, run, recorded),
      records: (journal) => this.#remaining(journal),
      onStart: (started) => run = started,
    });
    async function* items(): AsyncGenerator<BatchItem, BatchSummary, void> {
      for await (const group of groups) yield* group;
      return summary();
    }
    const iterator = items();
    this.#iteration = iterator;
    return Object.defineProperty(iterator, "summary", { get: summary }) as BatchIterator;
  }

  async cancel(): Promise<ProviderBatchStatus> {
    if (!this.#isLive) return await this.status();
    requestCancel(this.output);
    try {
      await drain(this.#run({}));
    } catch (error) {
      const isDone = error instanceof FlexLLMError && error.code === "aborted" && !this.#isLive;
      if (!isDone && !(error instanceof LockedFileError)) throw error;
    }
    return await this.status();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    // The loop itself has the error, if there is one.
    await this.#iteration?.return(undefined).catch(() => {});
    await this.#inputs?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Submits what the provider's limits allow. `inputs` are those of the constructor. */
  async submit(inputs: BatchInputs): Promise<void> {
    const { rerunChanged } = this.#settings;
    await drain(this.#run({
      prepare: (journal, run) => {
        checkInputs(journal, inputs, rerunChanged);
        run.begin(inputs, rerunChanged);
      },
      records: (journal) => this.#remaining(journal),
      wait: false,
    }));
  }

  /** Whether there are jobs to cancel. */
  get #isLive(): boolean {
    return readParts(this.output).some((part) => holdsRows(part) && part.phase !== "exported");
  }

  async *#run(
    { prepare, recorded, records, wait, onStart }: Work,
  ): AsyncGenerator<BatchItem[], void, void> {
    const { output } = this;
    const { request, jobs, signal, rerunChanged } = this.#settings;
    const journal = await Journal.open(output);
    try {
      checkSingleModel(journal, output);
      const options = { output, journal, request, jobs, rerunChanged, wait };
      using run = await JobRun.open(this.#provider, options);
      prepare?.(journal, run);
      if (recorded !== undefined) yield* recorded(journal, run);
      const signals = [signal, this.#provider.signal, this.#closing.signal]
        .filter((signal) => signal !== undefined);
      const batchRun = new BatchRun(run.executor, {
        journal,
        // The records were compared with the file.
        restored: 0,
        signal: AbortSignal.any(signals),
        responseFormat: request.responseFormat,
      });
      onStart?.(batchRun);
      yield* batchRun.items(records?.(journal) ?? []);
      this.#settleInputs(journal, run);
      run.checkEnd();
      if (wait !== false) journal.compact();
    } finally {
      journal.close();
    }
  }

  /** The items that the file has; counts them in `summary`. */
  async *#recorded(
    journal: Journal,
    { store }: JobRun,
    summary: BatchSummary,
  ): AsyncGenerator<BatchItem[], void, void> {
    const held = heldIndexes(store);
    // Others are collected, or sent again.
    const isFailureFinal = (index: number) =>
      !held.has(index) && (this.#inputs?.wasRead(index) ?? true);
    const { responseFormat } = this.#settings.request;
    for await (const items of recordedItems(journal, responseFormat, isFailureFinal)) {
      for (const item of items) {
        if (item.status === "error") countRejected(summary, item.error);
        else summary.restored++;
      }
      yield items;
    }
  }

  /** The inputs that have no result in the file. */
  async *#remaining(journal: Journal): AsyncGenerator<IndexedRecord, void, void> {
    if (this.#inputs === undefined) return;
    const { rerunChanged } = this.#settings;
    for await (const record of this.#inputs.records()) {
      if (!journal.isDone(record.index, inputIdentity(record), rerunChanged)) yield record;
    }
  }

  /** Forgets the inputs that are in jobs, or have a result. */
  #settleInputs(journal: Journal, { store }: JobRun): void {
    if (this.#inputs === undefined) return;
    const held = heldIndexes(store);
    this.#inputs.settle((index) => held.has(index) || journal.state(index) !== "none");
  }
}

/** The counts of a run, with those of the results that the file already had. */
function withRecorded(summary: BatchSummary, recorded: BatchSummary): BatchSummary {
  const errors = { ...summary.errors };
  for (const [code, n] of Object.entries(recorded.errors)) errors[code] = (errors[code] ?? 0) + n;
  return {
    ...summary,
    restored: summary.restored + recorded.restored,
    failed: summary.failed + recorded.failed,
    errors,
  };
}

/** Runs to the end. The items are in the result file. */
async function drain(groups: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of groups) { /* Only the file needs them. */ }
}

function checkOutput(output: unknown): void {
  if (typeof output === "string" && output !== "") return;
  throw new ConfigurationError(`output: expected the path of a result file, got ${output}`);
}

/** Implements `submitBatch`. */
export async function submitBatch(
  provider: JobProvider,
  inputs: BatchInputs,
  options: SubmitBatchOptions<AnyResponseFormat>,
): Promise<ProviderBatch> {
  const { output } = options;
  checkOutput(output);
  const batch = new SubmittedBatch(
    provider,
    output,
    settingsOf(options),
    new ContinuedInputs(inputs),
  );
  await batch.submit(inputs);
  return batch;
}

/** Implements `openBatch`. */
export async function openBatch(
  provider: JobProvider,
  output: string,
  options: ProviderBatchOptions<AnyResponseFormat>,
): Promise<ProviderBatch> {
  checkOutput(output);
  const { request, ...settings } = settingsOf(options);
  const parts = readParts(output);
  const journal = await Journal.openToRead(output);
  journal?.close();
  if (journal === undefined && parts.length === 0) {
    throw new JournalError(`the result file ${output} does not exist`, {
      hint: "Pass the output that submitBatch() was called with.",
    });
  }
  const models = parts.filter(holdsRows).map(({ model }) => model);
  const isOfClient = provider.model !== undefined && models.includes(provider.model);
  // Prices depend on it.
  const model = request.model ?? (isOfClient ? provider.model : models[0]);
  const batch = { ...settings, request: { ...request, model } };
  // A client that cannot have submitted it is a mistake to report now.
  await provider.jobs(batch.request);
  return new SubmittedBatch(provider, output, batch);
}
