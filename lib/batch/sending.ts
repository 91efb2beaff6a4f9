/**
 * Prepares the sending of a batch's records by the library: as live requests, or as provider jobs.
 *
 * @module
 */
import { ConfigurationError } from "../errors.ts";
import type { Completions } from "./completions.ts";
import type { Executor } from "./executor.ts";
import { LiveExecutor, type LiveExecutorOptions, type RequestTemplate } from "./executors/live.ts";
import type { BatchInputs } from "./inputs.ts";
import type { JobOptions } from "./job_options.ts";
import type { JobProvider } from "./job_provider.ts";
import { checkNotSubmitted } from "./jobs/held_parts.ts";
import { readParts } from "./jobs/open_part_store.ts";
import type { Journal } from "./journal/journal.ts";

/** The client of a batch. */
export interface BatchClient {
  /** Sends live requests. */
  completions: Completions;
  /** Submits jobs; without it, batches can only be live. */
  provider?: JobProvider;
}

/** The result file of a run. */
export interface RunFile {
  output: string;
  journal: Journal;
}

/** How the records of one run are sent. */
export interface Sending extends Disposable {
  executor: Executor;
  /** Aborts the run, besides the signal of the caller. */
  signal?: AbortSignal;
  /**
   * Checks that a run without an error has not left records behind.
   *
   * @throws {FlexLLMError} if it has
   */
  checkEnd(): void;
}

/**
 * Sends records live.
 *
 * @throws {ConfigurationError} if records of the result file are at a provider
 */
export function liveSending(
  { completions }: BatchClient,
  options: Omit<LiveExecutorOptions, "isJournaled">,
  file: RunFile | undefined,
): Sending {
  if (file !== undefined) checkNotSubmitted(readParts(file.output), file.output);
  const executor = new LiveExecutor(completions, { ...options, isJournaled: file !== undefined });
  return { executor, checkEnd() {}, [Symbol.dispose]() {} };
}

/** How {@link jobSending} submits records. */
export interface JobSendingOptions {
  request: RequestTemplate;
  jobs?: JobOptions;
  rerunChanged?: boolean;
}

/**
 * Sends records as provider jobs.
 *
 * @throws {ConfigurationError} if there is no result file, an option is invalid, or the client has no batch API
 */
export async function jobSending(
  { provider }: BatchClient,
  inputs: BatchInputs,
  { request, jobs = {}, rerunChanged }: JobSendingOptions,
  file: RunFile | undefined,
): Promise<Sending> {
  if (provider === undefined) throw new ConfigurationError("this client cannot submit jobs");
  if (file === undefined) {
    throw new ConfigurationError('via: "provider" needs a result file', {
      hint: "Add output. The log of the jobs is stored next to it, so that no paid result is lost.",
    });
  }
  const { JobRun } = await import("./jobs/job_run.ts");
  const run = await JobRun.open(provider, { ...file, request, jobs, rerunChanged });
  try {
    run.begin(inputs, rerunChanged);
  } catch (error) {
    run[Symbol.dispose]();
    throw error;
  }
  return {
    executor: run.executor,
    signal: provider.signal,
    checkEnd: () => run.checkEnd(),
    [Symbol.dispose]: () => run[Symbol.dispose](),
  };
}
