/**
 * The records of a job in Redis: adds them, lists them and takes them back.
 *
 * @module
 */
import type { RedisConnection } from "../redis/redis_connection.ts";
import { GROUP, type JobKeys } from "./job_keys.ts";
import { LIST_WORK, WITHDRAW } from "./job_scripts.ts";
import { addCommand, type EncodedRecord } from "./record_codec.ts";

/** Records in one reply. */
const PAGE = 1000;

/** A record in the stream, without its content. */
export interface ListedRecord {
  id: string;
  index: number;
  hash: string;
}

/** The work stream of one job. */
export class WorkStream {
  readonly #connection: RedisConnection;
  readonly #key: string;

  constructor(connection: RedisConnection, keys: JobKeys) {
    this.#connection = connection;
    this.#key = keys.work;
  }

  /** Adds records. */
  async add(records: readonly (EncodedRecord & { index: number })[]): Promise<void> {
    await this.#connection.pipeline(
      records.map((record) => addCommand(this.#key, record.index, record)),
    );
  }

  /** Lists all records that are not answered. */
  async list(): Promise<ListedRecord[]> {
    const listed: ListedRecord[] = [];
    let start = "-";
    while (true) {
      const reply = await this.#connection.run(LIST_WORK, [this.#key], [start, PAGE]) as string[];
      for (let i = 0; i + 2 < reply.length; i += 3) {
        listed.push({ id: reply[i], index: Number(reply[i + 1]), hash: reply[i + 2] });
      }
      if (reply.length < PAGE * 3) return listed;
      start = `(${reply[reply.length - 3]}`;
    }
  }

  /** Removes records, whether or not workers have them. */
  async remove(ids: readonly string[]): Promise<void> {
    for (let i = 0; i < ids.length; i += PAGE) {
      const page = ids.slice(i, i + PAGE);
      await this.#connection.transaction([
        ["XACK", this.#key, GROUP, ...page],
        ["XDEL", this.#key, ...page],
      ]);
    }
  }

  /** Takes back the records that no worker has. Returns their indexes. */
  async withdraw(): Promise<number[]> {
    const withdrawn: number[] = [];
    while (true) {
      const reply = await this.#connection.run(WITHDRAW, [this.#key], [GROUP, PAGE]) as string[];
      withdrawn.push(...reply.map(Number));
      if (reply.length < PAGE) return withdrawn;
    }
  }
}
