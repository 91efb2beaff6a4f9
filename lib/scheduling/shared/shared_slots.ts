/**
 * Limits requests in flight over several processes.
 *
 * Slots of a process that was killed return to the others after a while.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { clearTimeout, setTimeout } from "node:timers";
import type { RedisConnection } from "../../redis/redis_connection.ts";
import type { SlotLimit } from "../endpoint_limits.ts";
import { ExchangeLoop } from "./exchange_loop.ts";
import { FleetState } from "./fleet_mode.ts";
import { leave, limitKeys } from "./limit_group.ts";
import type { SharedLimitOptions } from "./shared_rate.ts";
import { SLOTS_SCRIPT } from "./slots_script.ts";

/** One limit on requests in flight. */
export interface GroupSlots {
  /** See {@link limitGroup}. */
  group: string;
  /** Maximum requests in flight, over all processes. */
  max: number;
}

/** Milliseconds between two reports while nothing changes. */
const INTERVAL = 1000;
/** Minimum milliseconds between two reports. */
const GAP = 20;
/** Milliseconds until slots that others have are requested again. */
const RETRY = 100;

/** Slots for requests in flight that several processes share. */
export class SharedSlots implements SlotLimit {
  readonly #connection: RedisConnection;
  readonly #limit: GroupSlots;
  readonly #options: SharedLimitOptions;
  readonly #id = randomUUID();
  readonly #state: FleetState;
  readonly #loop: ExchangeLoop;
  readonly #unwatch: () => void;
  /** The number of the last report. */
  #number = 0;
  #inUse = 0;
  #granted = 0;
  /** Whether a request has wanted a slot since the last report. */
  #isWanted = false;
  #isShort = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(connection: RedisConnection, limit: GroupSlots, options: SharedLimitOptions) {
    this.#connection = connection;
    this.#limit = limit;
    this.#options = options;
    this.#state = new FleetState(connection, options.onStoreLoss);
    this.#loop = new ExchangeLoop(connection, () => this.#report(), {
      interval: INTERVAL,
      gap: GAP,
      onError: options.onError,
    });
    this.#unwatch = connection.watch({
      onDown: () => this.#lost(),
      onReset: () => this.#state.lost(),
    });
  }

  /**
   * Registers this process, so that the others know of it.
   *
   * @throws {RedisUnavailableError} if the server cannot be used; this process uses a part of the limit then
   */
  async join(): Promise<void> {
    if (!this.#connection.isUp) this.#lost();
    await this.#report();
  }

  isAvailable(): boolean {
    const now = performance.now();
    const mode = this.#state.modeAt(now);
    if (mode === "part") {
      return this.#inUse < Math.max(1, Math.floor(this.#state.partOf(this.#limit.max)));
    }
    if (mode === "wait") {
      // The loop stands still without the server.
      if (this.#options.onStoreLoss !== "stop") this.#wakeAt(this.#state.partAt - now);
      return false;
    }
    this.#isWanted = true;
    if (this.#inUse < this.#granted) return true;
    this.#loop.request(this.#isShort ? RETRY : 0);
    return false;
  }

  take(): void {
    this.#inUse++;
  }

  release(): void {
    this.#inUse--;
    // Others wait for it.
    if (this.#inUse >= this.#granted) this.#loop.request(GAP);
  }

  /** Leaves the group. */
  async close(): Promise<void> {
    this.#unwatch();
    clearTimeout(this.#timer);
    await this.#loop.close();
    await leave(
      this.#connection,
      limitKeys(this.#connection, this.#limit.group, "slots"),
      this.#id,
    );
  }

  #wakeAt(delay: number): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#options.onChange();
    }, Math.max(0, Math.ceil(delay)));
    this.#timer.unref();
  }

  #lost(): void {
    this.#state.lost();
    this.#options.onChange();
  }

  async #report(): Promise<void> {
    const wanted = this.#inUse + (this.#isWanted ? Math.max(1, this.#options.waiting()) : 0);
    this.#isWanted = false;
    const sent = performance.now();
    const [processes, granted, isShort] = await this.#connection.run(
      SLOTS_SCRIPT,
      limitKeys(this.#connection, this.#limit.group, "slots"),
      [
        this.#id,
        this.#state.known,
        this.#limit.max,
        Math.max(this.#inUse, this.#granted),
        Math.min(wanted, this.#limit.max),
        ++this.#number,
      ],
    ) as [number, number, number];
    // Cut off meanwhile: this process uses its own part now.
    if (!this.#connection.isUp) return;
    this.#state.reported(sent, processes);
    this.#granted = granted;
    this.#isShort = isShort === 1;
    this.#options.onChange();
  }
}
