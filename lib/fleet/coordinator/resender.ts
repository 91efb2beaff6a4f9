/**
 * Adds records to the work stream again: those that were given back or lost, and second copies.
 *
 * @module
 */
import { systemClock } from "../../runtime/clock.ts";
import { encodeSentRecord } from "../record_codec.ts";
import type { JobRun } from "./job_run.ts";
import type { OpenRecord } from "./open_records.ts";

/** Maximum records that are sent to Redis at once. */
const MAX_CHUNK = 200;
/** Milliseconds that a worker needs to leave the job after an error. */
const LEAVE_TIME = 250;

/** Sends open records again. */
export class Resender {
  readonly #run: JobRun;
  /** Records on their way to the stream. */
  readonly #sending = new Set<number>();

  constructor(run: JobRun) {
    this.#run = run;
  }

  /** Whether a record is being added, so that it may not be in the stream yet. */
  isSending(index: number): boolean {
    return this.#sending.has(index);
  }

  /** Sends records that a worker has given back because of an error, once it has left the job. */
  async sendAfterDeparture(opens: readonly OpenRecord[]): Promise<void> {
    const { signal } = this.#run;
    for (const { record } of opens) this.#sending.add(record.index);
    await systemClock.sleep(LEAVE_TIME, signal).catch(() => {});
    if (!signal.aborted) await this.send(opens);
  }

  /** Sends records, unless the run stops: then they are left to the next one. */
  async send(opens: readonly OpenRecord[]): Promise<void> {
    for (let i = 0; i < opens.length; i += MAX_CHUNK) {
      await this.#sendChunk(opens.slice(i, i + MAX_CHUNK));
    }
  }

  async #sendChunk(opens: readonly OpenRecord[]): Promise<void> {
    const { open: openRecords, work } = this.#run;
    for (const { record } of opens) this.#sending.add(record.index);
    try {
      const encoded = await Promise.all(opens.map(async ({ record }) => ({
        index: record.index,
        ...await encodeSentRecord(record),
      })));
      const wanted = encoded.filter(({ index }) => openRecords.get(index) !== undefined);
      if (this.#run.isStopping) {
        for (const { index } of wanted) openRecords.delete(index);
      } else if (!await work.add(wanted)) this.#run.mayLackRecords = true;
    } catch (error) {
      this.#run.handleFailure(error);
    } finally {
      for (const { record } of opens) this.#sending.delete(record.index);
    }
    this.#run.wake();
  }
}
