/**
 * Reads new records of a job, as many at once as fit into a reply.
 *
 * @module
 */
import type { BlockingConnection, RedisConnection } from "../../redis/redis_connection.ts";
import { GROUP } from "../job_keys.ts";
import { type WorkEntry, workEntry } from "../record_codec.ts";
import { streamEntries } from "../stream_reply.ts";

/** Milliseconds for which a request for records waits on the server. */
const READ_WAIT = 250;
/** Maximum records, and estimated characters, of one read. */
const MAX_READ = 200;
const MAX_READ_SIZE = 4 * 1024 * 1024;
/** Characters of an entry besides its record. */
const ENTRY_SIZE = 100;

/** Reads records as one worker of the job. */
export class RecordReader {
  readonly #connection: BlockingConnection;
  readonly #stream: string;
  readonly #worker: string;
  /** Estimated characters of a record, learned from those that were read. */
  #recordSize = MAX_READ_SIZE / 8;

  /** @param stream the key of the work stream */
  constructor(connection: RedisConnection, stream: string, worker: string) {
    this.#connection = connection.blocking();
    this.#stream = stream;
    this.#worker = worker;
  }

  /**
   * Waits a moment for up to `count` records.
   *
   * @throws {RedisUnavailableError} if the server cannot be used
   * @throws {Error} if the stream does not exist
   */
  async read(count: number): Promise<WorkEntry[]> {
    const fitting = Math.min(count, MAX_READ, Math.floor(MAX_READ_SIZE / this.#recordSize));
    const options = ["COUNT", Math.max(1, fitting), "BLOCK", READ_WAIT] as const;
    const reply = await this.#connection.command(
      ["XREADGROUP", "GROUP", GROUP, this.#worker, ...options, "STREAMS", this.#stream, ">"],
      READ_WAIT,
    );
    const entries = streamEntries(reply).map(([id, fields]) => workEntry(id, 1, fields));
    for (const { record } of entries) {
      this.#recordSize += (record.length + ENTRY_SIZE - this.#recordSize) / 4;
    }
    return entries;
  }

  /** Closes its connection; a read in progress fails. */
  close(): void {
    this.#connection.close();
  }
}
