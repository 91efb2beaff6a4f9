/**
 * Reads the results of a job from Redis, and deletes them once they are on disk.
 *
 * @module
 */
import type {
  BlockingConnection,
  RedisCommand,
  RedisConnection,
} from "../../redis/redis_connection.ts";
import type { JobKeys } from "../job_keys.ts";
import { streamEntries } from "../stream_reply.ts";
import { type ResultGroup, resultGroup } from "../work_result.ts";

/** Milliseconds for which a read waits on the server. */
const READ_WAIT = 1000;
/** Groups of one read: a group has up to 1 MB, or one large answer. */
const MAX_GROUPS = 8;
/**
 * Milliseconds for which results stay in Redis after they were written: the result file is synced to disk within a
 * second.
 */
const SYNC_TIME = 2000;

/** A group whose results are not all on disk. */
interface OpenGroup {
  id: string;
  /** Results that were not written yet. */
  open: number;
  /** When the last one was written. */
  writtenAt: number;
}

/** The results of one job, in the order in which they arrive. */
export class ResultReader {
  readonly #connection: RedisConnection;
  readonly #keys: JobKeys;
  #blocking: BlockingConnection;
  #last = "0-0";
  /** In the order of the stream. */
  #groups: OpenGroup[] = [];
  readonly #byId = new Map<string, OpenGroup>();
  /** The last group of each worker: a group that was sent again is dropped. */
  readonly #sequences = new Map<string, number>();
  #retries = 0;

  constructor(connection: RedisConnection, keys: JobKeys) {
    this.#connection = connection;
    this.#keys = keys;
    this.#blocking = connection.blocking();
  }

  /** The retries that workers have reported. */
  get retries(): number {
    return this.#retries;
  }

  /** Starts from the beginning of a stream that was created again. */
  reset(): void {
    this.#last = "0-0";
    this.#groups = [];
    this.#byId.clear();
  }

  /**
   * Waits for results.
   *
   * @throws {RedisUnavailableError} if the server cannot be used
   */
  async next(): Promise<ResultGroup[]> {
    const last = this.#last;
    const reply = await this.#blocking.command(this.#read(["BLOCK", READ_WAIT]), READ_WAIT);
    // Others have read meanwhile.
    return last === this.#last ? this.#groupsOf(reply) : [];
  }

  /** All results that have arrived. */
  async drain(): Promise<ResultGroup[]> {
    const all: ResultGroup[] = [];
    while (true) {
      const last = this.#last;
      const reply = await this.#connection.command(this.#read([]));
      if (last !== this.#last) continue;
      const before = this.#last;
      all.push(...this.#groupsOf(reply));
      if (this.#last === before) return all;
    }
  }

  /** Counts a result of a group as written, or as of no use. */
  written(group: string): void {
    const open = this.#byId.get(group);
    if (open === undefined) return;
    open.open--;
    open.writtenAt = performance.now();
  }

  /**
   * The command that deletes the results that are on disk; `undefined` if there are none.
   *
   * @param isSynced whether everything that was written is on disk
   */
  trim(isSynced = false): RedisCommand | undefined {
    const limit = isSynced ? Infinity : performance.now() - SYNC_TIME;
    let count = 0;
    for (const { open, writtenAt } of this.#groups) {
      if (open > 0 || writtenAt > limit) break;
      count++;
    }
    if (count === 0) return undefined;
    const removed = this.#groups.splice(0, count);
    for (const { id } of removed) this.#byId.delete(id);
    const [time, sequence] = removed[count - 1].id.split("-");
    return ["XTRIM", this.#keys.done, "MINID", `${time}-${Number(sequence) + 1}`];
  }

  /** Closes the connection on which results are awaited. */
  close(): void {
    this.#blocking.close();
  }

  #read(options: readonly (string | number)[]): RedisCommand {
    return ["XREAD", "COUNT", MAX_GROUPS, ...options, "STREAMS", this.#keys.done, this.#last];
  }

  #groupsOf(reply: unknown): ResultGroup[] {
    const groups: ResultGroup[] = [];
    for (const [id, fields] of streamEntries(reply)) {
      this.#last = id;
      const group = resultGroup(id, fields);
      const isRepeated = group.sequence <= (this.#sequences.get(group.worker) ?? 0);
      this.#sequences.set(
        group.worker,
        Math.max(group.sequence, this.#sequences.get(group.worker) ?? 0),
      );
      const open = {
        id,
        open: isRepeated ? 0 : group.results.length,
        writtenAt: performance.now(),
      };
      this.#groups.push(open);
      this.#byId.set(id, open);
      if (isRepeated) continue;
      this.#retries += group.retries;
      groups.push(group);
    }
    return groups;
  }
}
