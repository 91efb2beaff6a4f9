/**
 * The records of a job in Redis: adds them, lists them and takes them back.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import type { RedisConnection } from "../../redis/redis_connection.ts";
import { GROUP, type JobKeys } from "../job_keys.ts";
import { ADD_WORK, LIST_WORK, WITHDRAW } from "../job_scripts.ts";
import type { EncodedRecord } from "../record_codec.ts";

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
  readonly #state: string;
  #epoch = "";

  constructor(connection: RedisConnection, keys: JobKeys) {
    this.#connection = connection;
    this.#key = keys.work;
    this.#state = keys.state;
  }

  /** Keeps earlier commands, which may have failed or may still be on their way, from adding records. */
  async begin(): Promise<void> {
    const epoch = randomUUID();
    await this.#connection.command(["HSET", this.#state, "epoch", epoch]);
    this.#epoch = epoch;
  }

  /** Adds records. Returns `false` if none was added, since the stream has to be compared first. */
  async add(records: readonly (EncodedRecord & { index: number })[]): Promise<boolean> {
    if (records.length === 0) return true;
    const args = records.flatMap(({ index, hash, text }) => [index, hash, text]);
    const keys = [this.#key, this.#state];
    return await this.#connection.run(ADD_WORK, keys, [this.#epoch, ...args]) === 1;
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

  /** How many records workers have. */
  async countPending(): Promise<number> {
    const [count] = await this.#connection.command(["XPENDING", this.#key, GROUP]) as [number];
    return count;
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
