/**
 * Decides whether a process uses a shared limit, its own part of it, or nothing.
 *
 * @module
 */
import type { RedisConnection } from "../../redis/redis_connection.ts";
import type { RatesOnStoreLoss } from "../../redis/redis_settings.ts";
import { MEMBER_TTL, RECOUNT } from "./members_script.ts";

/** `shared`: granted by the server; `part`: this process's own part; `wait`: nothing for now. */
export type FleetMode = "shared" | "part" | "wait";

/** Processes that a process assumes which has never reached the server. */
const UNKNOWN_PROCESSES = 10;
/**
 * Milliseconds until the others have noticed that this process is cut off, and used up what they took ahead, also
 * on a slow link.
 */
const MARGIN = RECOUNT + 1000;

/** Follows one limit of a process through the loss and the return of the server. Times are in milliseconds. */
export class FleetState {
  readonly #connection: RedisConnection;
  readonly #policy: RatesOnStoreLoss;
  /** When the last report was sent: the server may have got it, even if it has not answered. */
  #sentAt = -Infinity;
  /** Processes that may use a part of the limit. */
  #processes = UNKNOWN_PROCESSES;
  /** Whether the server has answered a report. */
  #isKnown = false;
  /** Whether this process has to register again before it uses the shared limit. */
  #isCutOff = false;

  constructor(connection: RedisConnection, policy: RatesOnStoreLoss) {
    this.#connection = connection;
    this.#policy = policy;
  }

  /** The number of processes that may use a part of the limit, as far as this one knows. */
  get processes(): number {
    return this.#processes;
  }

  /** The number of processes at the last report; 0 before the server has answered one. */
  get known(): number {
    return this.#isKnown ? this.#processes : 0;
  }

  /** Whether this process was cut off, and has not reported since. */
  get isCutOff(): boolean {
    return this.#isCutOff;
  }

  /** Records a report that is being sent. */
  sent(now: number): void {
    this.#sentAt = now;
  }

  /** Records the reply to a report. */
  replied(processes: number): void {
    this.#processes = processes;
    this.#isKnown = true;
    this.#isCutOff = false;
  }

  /** Records that the server is down, or has lost its data. */
  lost(): void {
    this.#isCutOff = true;
  }

  /** When this process may use its own part; in the past if it may at `now`. */
  get partAt(): number {
    return this.#sentAt + MEMBER_TTL + MARGIN;
  }

  /** What this process uses. */
  modeAt(now: number): FleetMode {
    if (this.#connection.isUp) return "shared";
    if (this.#policy === "stop") return "wait";
    // Until then, the others count on this process sharing the limit with them.
    return now >= this.partAt ? "part" : "wait";
  }

  /** The part of `limit` that this process has while the server is down. */
  partOf(limit: number): number {
    return this.#policy === "full" ? limit : limit / Math.max(1, this.#processes);
  }
}
