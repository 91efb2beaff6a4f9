/**
 * Makes the files with the results of a mock job. Their content is made when they are read.
 *
 * @module
 */
import type { BatchCore, FileRecord } from "./core.ts";
import type { JobRecord, JobState } from "./job.ts";
import { type RowOutcome, rowOutcomes } from "./results.ts";

/** Encodes one result as a line of a file, without its line break. */
export type EncodeOutcome = (outcome: RowOutcome, job: JobRecord) => unknown;

/** The two files of a job: answers, and what failed or was not run. */
export type ResultKind = "output" | "error";

/** The ids of the files of a job, which are created with it; `undefined` where there is none. */
export function resultFiles(
  core: BatchCore,
  job: JobRecord,
  state: JobState,
  makeFile: (kind: ResultKind) => Omit<FileRecord, "bytes" | "createdAt" | "results">,
): { output?: string; error?: string } {
  if (!state.isFinal || state.phase === "failed") return {};
  const { succeeded, failed } = core.totals(job, state);
  const create = (kind: ResultKind) => {
    const file = makeFile(kind);
    if (core.record<FileRecord>("file", file.id) === undefined) {
      core.putFile({
        ...file,
        bytes: 0,
        createdAt: state.endedAt ?? core.now(),
        results: { job: job.id, kind },
      });
    }
    return file.id;
  };
  const hasErrors = failed > 0 || state.done < job.rows ||
    job.faults.empty_error_file !== undefined;
  return {
    output: succeeded > 0 ? create("output") : undefined,
    error: hasErrors ? create("error") : undefined,
  };
}

/** A file of results with its size, which is only known once its content was made. */
export async function measured(
  core: BatchCore,
  file: FileRecord,
  encode: EncodeOutcome,
): Promise<FileRecord> {
  if (file.results === undefined || file.bytes > 0) return file;
  let bytes = 0;
  for await (const chunk of await resultContent(core, file, encode) ?? []) bytes += chunk.length;
  const known = { ...file, bytes };
  core.putFile(known);
  return known;
}

/** Characters that are collected before they are sent. */
const CHUNK = 65_536;

/** The content of a file of results; `undefined` if its job is unknown. */
export async function resultContent(
  core: BatchCore,
  { results }: FileRecord,
  encode: EncodeOutcome,
): Promise<ReadableStream<Uint8Array<ArrayBuffer>> | undefined> {
  const job = results && core.record<JobRecord>("job", results.job);
  if (job === undefined) return undefined;
  // After a restart, the rows have to be answered again.
  await core.answersOf(job).evaluate();
  const state = await core.state(job);
  const isOutput = results!.kind === "output";
  const kinds = isOutput ? { succeeded: true } : { failed: true, notRun: true };
  const outcomes = rowOutcomes(core, job, state, kinds);
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      let text = "";
      while (text.length < CHUNK) {
        const { value, done } = await outcomes.next();
        if (done) {
          if (text !== "") controller.enqueue(encoder.encode(text));
          return controller.close();
        }
        text += `${JSON.stringify(encode(value, job))}\n`;
      }
      controller.enqueue(encoder.encode(text));
    },
    async cancel() {
      await outcomes.return(undefined);
    },
  });
}
