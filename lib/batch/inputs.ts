/**
 * Turns the inputs of a batch into numbered records.
 *
 * @module
 */
import { withJsonSchemas } from "../chat/normalize.ts";
import type { BatchInput, BatchRecord } from "../chat/record.ts";
import type { IndexedRecord } from "./executor.ts";

/** The inputs of a batch, as callers pass them. */
export type BatchInputs = Iterable<BatchInput> | AsyncIterable<BatchInput>;

function isRecord(input: BatchInput): input is BatchRecord {
  return typeof input === "object" && input !== null && "messages" in input;
}

/** The record of an input. Invalid inputs are passed through so that the client rejects only that record. */
export function toRecord(input: BatchInput): BatchRecord {
  if (!isRecord(input)) return { messages: input };
  const { options } = input;
  if (options === undefined || options === null) return input;
  try {
    const converted = withJsonSchemas(options);
    return converted === options ? input : { ...input, options: converted };
  } catch {
    // The call fails with the same error, so only this record fails.
    return input;
  }
}

function indexed(input: BatchInput, index: number): IndexedRecord {
  // Messages alone are the usual input, and copying fields costs more than naming them.
  return isRecord(input) ? { index, ...toRecord(input) } : { index, messages: input };
}

function* syncRecords(inputs: Iterable<BatchInput>): Generator<IndexedRecord> {
  let index = 0;
  for (const input of inputs) yield indexed(input, index++);
}

async function* asyncRecords(inputs: AsyncIterable<BatchInput>): AsyncGenerator<IndexedRecord> {
  let index = 0;
  for await (const input of inputs) yield indexed(input, index++);
}

/** The records of inputs, numbered from 0. */
export function recordsOf(
  inputs: BatchInputs,
): Iterable<IndexedRecord> | AsyncIterable<IndexedRecord> {
  return Symbol.asyncIterator in inputs ? asyncRecords(inputs) : syncRecords(inputs);
}

/** Inputs that several runs read, one after the other: each continues where the one before has stopped. */
export class ContinuedInputs {
  readonly #iterator: Iterator<BatchInput> | AsyncIterator<BatchInput>;
  #next = 0;
  #isRead = false;
  /** Records that were read, and may not be settled. */
  readonly #unsettled = new Map<number, IndexedRecord>();

  constructor(inputs: BatchInputs) {
    this.#iterator = Symbol.asyncIterator in inputs
      ? inputs[Symbol.asyncIterator]()
      : inputs[Symbol.iterator]();
  }

  /** The records that earlier runs have left, and then the rest of the inputs. */
  async *records(): AsyncGenerator<IndexedRecord, void, void> {
    for (const record of [...this.#unsettled.values()]) yield record;
    while (!this.#isRead) {
      const step = await this.#iterator.next();
      if (step.done) {
        this.#isRead = true;
        return;
      }
      const record = indexed(step.value, this.#next++);
      this.#unsettled.set(record.index, record);
      yield record;
    }
  }

  /** Forgets the records that no later run needs. */
  settle(isSettled: (index: number) => boolean): void {
    for (const index of this.#unsettled.keys()) {
      if (isSettled(index)) this.#unsettled.delete(index);
    }
  }

  /** Whether a record was read, so that the runs so far have treated it. */
  wasRead(index: number): boolean {
    return index < this.#next;
  }

  /** Ends the reading of the inputs. */
  async close(): Promise<void> {
    if (this.#isRead) return;
    this.#isRead = true;
    this.#unsettled.clear();
    await this.#iterator.return?.();
  }
}
