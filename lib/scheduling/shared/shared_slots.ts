/**
 * Limits requests in flight over several processes.
 *
 * Slots of a process that was killed return to the others after a while.
 *
 * @module
 */
import type { RedisConnection } from "../../redis/redis_connection.ts";
import type { SlotLimit } from "../endpoint_limits.ts";
import { limitKeys } from "./limit_group.ts";
import { LimitReporter, type SharedLimitOptions } from "./limit_reporter.ts";
import { type ReportTime, SYSTEM_TIME } from "./report_time.ts";
import { SLOTS_SCRIPT } from "./slots_script.ts";

/** One limit on requests in flight. */
export interface GroupSlots {
  /** See {@link limitGroup}. */
  group: string;
  /** Maximum requests in flight, over all processes. */
  max: number;
}

/** Minimum milliseconds between two reports. */
const GAP = 20;
/** Milliseconds until slots that others have are requested again. */
const RETRY = 100;

/** Slots for requests in flight that several processes share. */
export class SharedSlots implements SlotLimit {
  readonly #limit: GroupSlots;
  readonly #options: SharedLimitOptions;
  readonly #reporter: LimitReporter;
  #inUse = 0;
  #granted = 0;
  /** Whether a request has wanted a slot since the last report. */
  #isWanted = false;
  #isShort = false;
  readonly #time: ReportTime;
  #stopTimer: (() => void) | undefined;

  constructor(connection: RedisConnection, limit: GroupSlots, options: SharedLimitOptions) {
    this.#limit = limit;
    this.#options = options;
    this.#time = options.time ?? SYSTEM_TIME;
    this.#reporter = new LimitReporter(connection, {
      ...options,
      keys: [limitKeys(connection, limit.group, "slots")],
      gap: GAP,
      report: () => this.#report(),
      // Others may get those that are not in use.
      onLost: () => this.#granted = 0,
    });
  }

  /**
   * Registers this process, so that the others know of it.
   *
   * @throws {RedisUnavailableError} if the server cannot be used; this process uses a part of the limit then
   */
  async join(): Promise<void> {
    await this.#reporter.join();
  }

  isAvailable(): boolean {
    const now = this.#time.now();
    const mode = this.#reporter.state.modeAt(now);
    if (mode === "part") {
      return this.#inUse < Math.max(1, Math.floor(this.#reporter.state.partOf(this.#limit.max)));
    }
    if (mode === "wait") {
      // The loop stands still without the server.
      if (this.#options.onStoreLoss !== "stop") this.#wakeAt(this.#reporter.state.partAt - now);
      return false;
    }
    this.#isWanted = true;
    if (this.#inUse < this.#granted) return true;
    this.#reporter.request(this.#isShort ? RETRY : 0);
    return false;
  }

  take(): void {
    this.#inUse++;
  }

  release(): void {
    this.#inUse--;
    // Others wait for it.
    if (this.#inUse >= this.#granted) this.#reporter.request(GAP);
  }

  /** Leaves the group. */
  async close(): Promise<void> {
    this.#stopTimer?.();
    await this.#reporter.close();
  }

  #wakeAt(delay: number): void {
    this.#stopTimer ??= this.#time.after(delay, () => {
      this.#stopTimer = undefined;
      this.#options.onChange();
    });
  }

  async #report(): Promise<void> {
    const wanted = this.#inUse + (this.#isWanted ? Math.max(1, this.#options.waiting()) : 0);
    this.#isWanted = false;
    const reply = await this.#reporter.run(SLOTS_SCRIPT, [
      this.#limit.max,
      Math.max(this.#inUse, this.#granted),
      Math.min(wanted, this.#limit.max),
    ]);
    if (reply === undefined) return;
    const [, granted, isShort] = reply as [number, number, number];
    this.#granted = granted;
    this.#isShort = isShort === 1;
    this.#options.onChange();
  }
}
