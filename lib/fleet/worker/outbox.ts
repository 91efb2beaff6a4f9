/**
 * Holds the results of a worker until they are in Redis, and delivers them in groups.
 *
 * @module
 */
import { clearTimeout, setTimeout } from "node:timers";
import type { RedisConnection } from "../../redis/redis_connection.ts";
import { RedisUnavailableError } from "../../redis/redis_error.ts";
import { DELIVER, GIVE_BACK } from "../claim_scripts.ts";
import { GROUP, type JobKeys } from "../job_keys.ts";
import { stringifyExact } from "../../json/json.ts";
import type { WorkResult } from "../work_result.ts";

/** Milliseconds between two groups, so that a group has several results, unless {@link Outbox} has enough of them. */
const GROUP_INTERVAL = 10;
/** Milliseconds before a delivery is tried again. */
const RETRY_DELAY = 500;
/** Maximum results and characters of one group. */
const MAX_GROUP = 500;
const MAX_GROUP_SIZE = 1024 * 1024;
/**
 * Milliseconds for which results are held for a job that Redis has forgotten: its coordinator creates it again, if it
 * still runs.
 */
const MAX_HOLD = 15 * 60 * 1000;

/** A result that is not delivered yet. */
interface Parcel {
  /** The entry of the work stream. */
  id: string;
  index: number;
  text: string;
  /** Whether the record is given back, unless another worker has claimed it. */
  isReturn: boolean;
}

/** The results of one worker for one job. */
export class Outbox {
  readonly #connection: RedisConnection;
  readonly #keys: JobKeys;
  readonly #worker: string;
  readonly #generation: string;
  readonly #nextSequence: () => number;
  readonly #enough: number;
  /** In the order in which they are delivered. */
  #parcels: Parcel[] = [];
  /** Those on their way, with the number of the group: it is repeated if the reply is lost. */
  #sending: Parcel[] = [];
  #retries = 0;
  #isFlushing = false;
  #lastFlush = -Infinity;
  /** Ends the wait for more results. */
  #stopWaiting = () => {};
  #forgottenSince: number | undefined;
  #isEnded = false;
  /** Called when results were delivered or dropped. */
  onDelivered: (indexes: readonly number[]) => void = () => {};

  constructor(
    connection: RedisConnection,
    keys: JobKeys,
    { worker, generation, nextSequence, enough }: {
      worker: string;
      generation: string;
      nextSequence: () => number;
      /** Results that are delivered at once. */
      enough: number;
    },
  ) {
    this.#connection = connection;
    this.#keys = keys;
    this.#worker = worker;
    this.#generation = generation;
    this.#nextSequence = nextSequence;
    this.#enough = Math.min(enough, MAX_GROUP);
  }

  /** The number of results that are not delivered yet. */
  get size(): number {
    return this.#parcels.length + this.#sending.length;
  }

  /** The entries of the work stream that it has results of. */
  *ids(): Generator<string> {
    for (const { id } of this.#sending) yield id;
    for (const { id } of this.#parcels) yield id;
  }

  /** The indexes of its results. */
  *indexes(): Generator<number> {
    for (const { index } of this.#sending) yield index;
    for (const { index } of this.#parcels) yield index;
  }

  /** Adds a result, to be delivered in a moment. */
  add(id: string, result: WorkResult, isReturn = false): void {
    if (this.#isEnded) return;
    this.#parcels.push({ id, index: result.i, text: stringifyExact(result), isReturn });
    if (this.#parcels.length >= this.#enough) this.#stopWaiting();
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    void this.#flush();
  }

  /** Counts a retry; the number travels with the next group. */
  countRetry(): void {
    this.#retries++;
  }

  /** Drops everything: the job has ended, and no coordinator waits for it. */
  end(): void {
    this.#isEnded = true;
    const dropped = [...this.#parcels, ...this.#sending];
    this.#parcels = [];
    if (dropped.length > 0) this.onDelivered(dropped.map(({ index }) => index));
  }

  async #flush(): Promise<void> {
    while (this.#parcels.length > 0) {
      await this.#gather(this.#lastFlush + GROUP_INTERVAL - performance.now());
      this.#lastFlush = performance.now();
      if (this.#parcels.length > 0) await this.#deliver(this.#next());
    }
    this.#isFlushing = false;
  }

  /** Waits for more results, unless there are enough of them. */
  #gather(milliseconds: number): Promise<void> | undefined {
    if (milliseconds <= 0 || this.#parcels.length >= this.#enough) return undefined;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#stopWaiting = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Takes the first parcels of one kind. */
  #next(): Parcel[] {
    const [{ isReturn }] = this.#parcels;
    let size = 0;
    let count = 0;
    for (const parcel of this.#parcels) {
      size += parcel.text.length;
      if (parcel.isReturn !== isReturn || count === MAX_GROUP) break;
      if (count > 0 && size > MAX_GROUP_SIZE) break;
      count++;
    }
    return this.#parcels.splice(0, count);
  }

  async #deliver(parcels: Parcel[]): Promise<void> {
    this.#sending = parcels;
    const retries = this.#retries;
    this.#retries = 0;
    const sequence = `${this.#nextSequence()}+${retries}`;
    const { spec, state, work, done } = this.#keys;
    const head = [this.#generation, GROUP, this.#worker, sequence];
    const [script, args] = parcels[0].isReturn
      ? [GIVE_BACK, [...head, ...parcels.flatMap(({ id, text }) => [id, text])]]
      : [
        DELIVER,
        [
          ...head,
          `[${parcels.map(({ text }) => text).join(",")}]`,
          ...parcels.map(({ id }) => id),
        ],
      ];
    while (!this.#isEnded) {
      try {
        const [isDelivered, phase] = await this.#connection.run(
          script,
          [spec, state, work, done],
          args,
        ) as [number, string?];
        if (isDelivered === 1) {
          this.#forgottenSince = undefined;
          break;
        }
        if (phase === "ended" || this.#isForgotten()) break;
      } catch (error) {
        // A refused command, such as for a missing permission, may be allowed later.
        if (!(error instanceof RedisUnavailableError) && this.#isForgotten()) break;
      }
      await new Promise<void>((resolve) => setTimeout(resolve, RETRY_DELAY));
    }
    this.#sending = [];
    this.onDelivered(parcels.map(({ index }) => index));
  }

  #isForgotten(): boolean {
    const now = performance.now();
    this.#forgottenSince ??= now;
    return now - this.#forgottenSince > MAX_HOLD;
  }
}
