/**
 * Collects the reads of one turn of the event loop, and reads them at once.
 *
 * @module
 */
import { setImmediate } from "node:timers";

interface PendingRead<T> {
  key: string;
  resolve: (value: T) => void;
  reject: (error: unknown) => void;
}

/** Batches single reads. */
export class ReadBatch<T> {
  readonly #readMany: (keys: readonly string[]) => Promise<T[]>;
  #pending: PendingRead<T>[] = [];

  /** @param readMany reads the values of keys, in their order */
  constructor(readMany: (keys: readonly string[]) => Promise<T[]>) {
    this.#readMany = readMany;
  }

  /** Reads a value together with others. */
  read(key: string): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#pending.push({ key, resolve, reject }) === 1) {
        setImmediate(() => this.#readPending());
      }
    });
  }

  async #readPending(): Promise<void> {
    const reads = this.#pending;
    this.#pending = [];
    try {
      const values = await this.#readMany(reads.map(({ key }) => key));
      for (const [i, { resolve }] of reads.entries()) resolve(values[i]);
    } catch (error) {
      for (const { reject } of reads) reject(error);
    }
  }
}
