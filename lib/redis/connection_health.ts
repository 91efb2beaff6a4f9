/**
 * Knows whether the server of a connection can be used, notices when it cannot, and probes it until it can.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { clearTimeout, setTimeout } from "node:timers";
import type { Redis } from "ioredis";
import type { Clock } from "../runtime/clock.ts";
import { CONNECT_TIMEOUT } from "./client_options.ts";
import type { RedisAddress } from "./redis_address.ts";
import { RedisUnavailableError, unavailability } from "./redis_error.ts";
import { RedisScript } from "./redis_script.ts";
import { type RedisWatcher, RedisWatchers } from "./redis_watcher.ts";
import { NoReplyError, ReplyTimeouts } from "./reply_timeouts.ts";
import { checkServer, parseServerInfo, type ServerInfo } from "./server_info.ts";

/** Seconds that a command may take. */
export const COMMAND_TIMEOUT = 2;
/** Milliseconds between two probes of a server that cannot be used; and the maximum between two connections. */
export const PROBE_INTERVAL = 250;
/** Seconds between two checks that the data is still there. */
const CHECK_INTERVAL = 5;

const CLOSED = "the connection was closed";

/** Returns the id of the data. */
const READ_DATA_ID = new RedisScript(`return redis.call("GET", KEYS[1]) or ""`);

/**
 * Returns the id of the data, and sets it if there is none: a server without it has lost its data. It is written
 * in any case, which fails if the memory is full or the server cannot save its data.
 */
const DATA_ID = new RedisScript(`
local id = redis.call("GET", KEYS[1]) or ARGV[1]
redis.call("SET", KEYS[1], id)
return id
`);

/** The health of one connection. */
export class ConnectionHealth {
  readonly #redis: Redis;
  readonly #address: RedisAddress;
  readonly #dataKey: string;
  readonly #script: RedisScript;
  readonly #clock: Clock;
  readonly #timeouts: ReplyTimeouts;
  readonly #watchers = new RedisWatchers();
  #failure: RedisUnavailableError | undefined;
  #downSince = 0;
  #dataId: string | undefined;
  #info: ServerInfo | undefined;
  /** When the socket was opened, in milliseconds of the clock. */
  #openedAt = 0;
  #isClosed = false;
  #probe: ReturnType<typeof setTimeout> | undefined;
  #check: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param dataKey the key of the id by which lost data is noticed
   * @param needsWrites whether the server must take writes
   */
  constructor(
    redis: Redis,
    address: RedisAddress,
    { dataKey, needsWrites, clock }: { dataKey: string; needsWrites: boolean; clock: Clock },
  ) {
    this.#redis = redis;
    this.#address = address;
    this.#dataKey = dataKey;
    this.#script = needsWrites ? DATA_ID : READ_DATA_ID;
    this.#clock = clock;
    this.#timeouts = new ReplyTimeouts(redis);
    redis.on("connect", () => this.#openedAt = clock.now());
    redis.on("error", (error) => this.#explainFailure(error));
    redis.on("close", () => this.#down(CLOSED));
  }

  /** Whether the server could be used at least once. */
  get hasStarted(): boolean {
    return this.#dataId !== undefined;
  }

  /** Whether a lost connection is opened again. */
  get reconnects(): boolean {
    return this.hasStarted || this.#failure !== undefined;
  }

  /** Whether commands are sent. */
  get isUp(): boolean {
    return this.#failure === undefined && !this.#isClosed;
  }

  /** Why the server cannot be used, as far as is known; `undefined` while it can. */
  get failure(): RedisUnavailableError | undefined {
    return this.#failure;
  }

  /** Milliseconds for which the server could not be used; 0 while it can. */
  get downFor(): number {
    return this.#failure === undefined ? 0 : this.#clock.now() - this.#downSince;
  }

  /** What the server last said about itself. */
  get info(): ServerInfo | undefined {
    return this.#info;
  }

  /** Reports changes to `watcher`. Returns a function that ends this. */
  watch(watcher: RedisWatcher): () => void {
    const unwatch = this.#watchers.add(watcher);
    this.#scheduleCheck();
    return unwatch;
  }

  /**
   * Checks a new connection. Errors of the connection are thrown as they are, since the reason is needed.
   *
   * @throws {ConfigurationError} if the server is a read-only replica or too old
   */
  async start(): Promise<void> {
    const info = parseServerInfo(String(await this.within(this.#redis.call("INFO"))));
    checkServer(info, this.#address);
    this.#info = info;
    this.#dataId = String(await this.within(this.#callDataId()));
  }

  /** Starts without the server, and probes it until it can be used. */
  startDown(reason: string, cause: unknown): void {
    this.#failure = new RedisUnavailableError(this.#address, reason, cause);
    this.#downSince = this.#clock.now();
    this.#scheduleProbe();
  }

  /**
   * Checks that commands can be sent.
   *
   * @throws {RedisUnavailableError} if not
   */
  requireUp(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#isClosed) throw this.closedError();
  }

  /** The error of a command on a connection that was closed on purpose. */
  closedError(cause?: unknown): RedisUnavailableError {
    return new RedisUnavailableError(this.#address, CLOSED, cause);
  }

  /**
   * Waits for a reply, and notices that the server cannot be used.
   *
   * @throws {RedisUnavailableError} if it cannot be used
   * @throws {Error} the server's reply if the command is refused
   */
  async within<T>(
    reply: Promise<T>,
    seconds: number = COMMAND_TIMEOUT,
    timeouts: ReplyTimeouts = this.#timeouts,
  ): Promise<T> {
    try {
      return await timeouts.within(reply, seconds);
    } catch (error) {
      if (error instanceof RedisUnavailableError) throw error;
      const reason = unavailability(error);
      if (reason === undefined) throw error;
      // Not a fault of the server: we have closed the connection.
      if (this.#isClosed) throw this.closedError();
      if (!this.hasStarted) throw error;
      throw this.#down(reason, error);
    }
  }

  /** Ends probes and checks. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#probe);
    clearTimeout(this.#check);
  }

  #callDataId(): Promise<unknown> {
    return this.#redis.call("EVAL", this.#script.source, 1, this.#dataKey, randomUUID());
  }

  #down(reason: string, cause?: unknown): RedisUnavailableError {
    if (this.#failure !== undefined) return this.#failure;
    const error = new RedisUnavailableError(this.#address, reason, cause);
    if (this.#isClosed || !this.hasStarted) return error;
    this.#failure = error;
    this.#downSince = this.#clock.now();
    this.#scheduleProbe();
    this.#watchers.reportDown(error);
    return error;
  }

  /** While the server cannot be used, the latest reason is the one to know. */
  #explainFailure(error: Error): void {
    if (this.#failure === undefined) return;
    const reason = unavailability(error) ?? error.message;
    this.#failure = new RedisUnavailableError(this.#address, reason, error);
  }

  #scheduleProbe(): void {
    if (this.#isClosed) return;
    this.#probe = setTimeout(() => void this.#tryAgain(), PROBE_INTERVAL);
  }

  /** Checks whether the server can be used again: whether it answers, and takes writes. */
  async #tryAgain(): Promise<void> {
    try {
      // The client library gives up after the first connection.
      if (this.#redis.status === "end") this.#redis.connect().catch(() => {});
      if (this.#redis.status !== "ready") throw new Error("not connected");
      const text = await this.#timeouts.within(this.#redis.call("INFO"), COMMAND_TIMEOUT);
      const info = parseServerInfo(String(text));
      if (info.isReadOnlyReplica) throw new Error("it is a read-only replica");
      if (!this.hasStarted) checkServer(info, this.#address);
      const dataId = String(await this.#timeouts.within(this.#callDataId(), COMMAND_TIMEOUT));
      if (this.#isClosed) return;
      const isRestarted = this.hasStarted && info.runId !== this.#info?.runId;
      this.#info = info;
      this.#failure = undefined;
      if (!this.#noticeReset(dataId) && isRestarted) this.#watchers.report("onRestart");
      this.#watchers.report("onUp");
    } catch (error) {
      if (error instanceof Error && this.#redis.status === "ready") this.#explainFailure(error);
      if (error instanceof NoReplyError || this.#isStuck) this.#redis.stream?.destroy();
      this.#scheduleProbe();
    }
  }

  /** Whether a new connection does not get through its greeting. */
  get #isStuck(): boolean {
    return this.#redis.status === "connect" &&
      this.#clock.now() - this.#openedAt > CONNECT_TIMEOUT * 1000;
  }

  /** Reports that the data is gone if its id has changed, and returns whether it has. */
  #noticeReset(dataId: string): boolean {
    if (dataId === this.#dataId) return false;
    const wasKnown = this.hasStarted;
    this.#dataId = dataId;
    if (!wasKnown) return false;
    this.#watchers.report("onReset");
    return true;
  }

  /** From time to time, looks for data that was deleted, and for a connection that has silently gone. */
  #scheduleCheck(): void {
    if (this.#isClosed || this.#check !== undefined) return;
    this.#check = setTimeout(async () => {
      try {
        if (this.isUp) this.#noticeReset(String(await this.within(this.#callDataId())));
      } catch {
        // Reported as any failure.
      } finally {
        this.#check = undefined;
        if (this.#watchers.count > 0) this.#scheduleCheck();
      }
    }, CHECK_INTERVAL * 1000);
    this.#check.unref();
  }
}
