/**
 * Renews the claims of a worker on its records, and takes over those of workers that are lost.
 *
 * @module
 */
import type { RedisConnection } from "../../redis/redis_connection.ts";
import { CLAIM, READ_OWNED, RENEW } from "../claim_scripts.ts";
import { GROUP } from "../job_keys.ts";
import { type WorkEntry, workEntry } from "../record_codec.ts";
import { millisecondsSince, type Timestamp, timestamp } from "./held_record.ts";
import { repeat } from "./repeat.ts";

/** Claims are renewed this often during the time after which they are lost. */
const RENEWALS = 6;
/** Maximum records that are taken over from lost workers at once. */
const MAX_CLAIM = 50;

/** The worker whose claims these are. */
export interface ClaimHolder {
  /** The entries that it has, those included whose results are not delivered. */
  entryIds(): string[];
  /** How many records it can start now. */
  free(): number;
  /** Whether it starts no records for now. */
  isPaused(): boolean;
  /** Whether it finishes what it has, and starts no more records. */
  isLeaving(): boolean;
  /** Starts a record that it did not read itself. */
  start(entry: WorkEntry): void;
  /** Called when another worker has claimed an entry. */
  onLost(id: string): void;
}

/** Options of {@link RecordClaims}. */
export interface RecordClaimsOptions {
  connection: RedisConnection;
  /** The key of the work stream. */
  stream: string;
  /** The id of the worker. */
  worker: string;
  /** Seconds after which the claims of a silent worker are lost. */
  lease: number;
}

/** The claims of one worker in one job. */
export class RecordClaims {
  readonly #options: RecordClaimsOptions;
  readonly #holder: ClaimHolder;
  readonly #lease: number;
  readonly #interval: number;
  #renewedAt: Timestamp = timestamp();
  #mayClaimAt: number;
  /** Entries that the server says we have, and we don't know. */
  #unknown = new Set<string>();

  constructor(options: RecordClaimsOptions, holder: ClaimHolder) {
    this.#options = options;
    this.#holder = holder;
    this.#lease = Math.round(options.lease * 1000);
    this.#interval = this.#lease / RENEWALS;
    this.#mayClaimAt = performance.now() + this.#interval;
  }

  /** Renews claims, and takes over others, until `signal` is aborted. */
  start(signal: AbortSignal): void {
    repeat(this.#interval, signal, () => this.#renew());
    repeat(this.#interval, signal, () => this.#takeOver());
  }

  /** Renews the claims at once. The others need a moment to renew theirs. */
  renewAfterOutage(): void {
    this.#mayClaimAt = performance.now() + 2 * this.#interval;
    this.#renew().catch(() => {});
  }

  /** Whether the claim on a record, made at `claimedAt`, may be lost when a request arrives. */
  mayBeLost(claimedAt: Timestamp): boolean {
    const sinceRenewal = Math.min(millisecondsSince(this.#renewedAt), millisecondsSince(claimedAt));
    // It must not be lost between this check and the arrival of the request.
    return sinceRenewal > this.#lease - this.#interval;
  }

  async #renew(): Promise<void> {
    const { connection, stream, worker } = this.#options;
    const now = timestamp();
    const args = [GROUP, worker, ...this.#holder.entryIds()];
    const names = await connection.run(RENEW, [stream], args) as string[];
    this.#renewedAt = now;
    // The lost ones, an empty text, and all that the server counts as ours.
    const end = names.indexOf("");
    // Without the stream, no other worker can have claimed them.
    if (end < 0) return;
    for (const id of names.slice(0, end)) this.#holder.onLost(id);
    if (this.#holder.isPaused()) return;
    const known = new Set(this.#holder.entryIds());
    const unknown = names.slice(end + 1).filter((id) => !known.has(id));
    // The reply with a record may be on its way; the second time, it is lost.
    const unread = unknown.filter((id) => this.#unknown.has(id));
    this.#unknown = new Set(unknown);
    await this.#startUnread(unread.slice(0, Math.max(this.#holder.free(), 0)));
  }

  /** Starts records of this worker whose delivery was lost. */
  async #startUnread(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const { connection, stream, worker } = this.#options;
    const entries = workEntries(
      await connection.run(READ_OWNED, [stream], [GROUP, worker, ...ids]),
    );
    const known = new Set(this.#holder.entryIds());
    for (const entry of entries) if (!known.has(entry.id)) this.#holder.start(entry);
  }

  async #takeOver(): Promise<void> {
    const { connection, stream, worker } = this.#options;
    const count = Math.min(this.#holder.free(), MAX_CLAIM);
    if (this.#holder.isPaused() || this.#holder.isLeaving() || count <= 0 || !connection.isUp) {
      return;
    }
    if (performance.now() < this.#mayClaimAt) return;
    const args = [GROUP, worker, this.#lease, count];
    const entries = workEntries(await connection.run(CLAIM, [stream], args));
    for (const entry of entries) this.#holder.start(entry);
  }
}

function workEntries(reply: unknown): WorkEntry[] {
  return (reply as [string, number, string[]][]).map((entry) => workEntry(...entry));
}
