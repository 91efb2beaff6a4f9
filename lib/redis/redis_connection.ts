/**
 * A connection to a Redis or Valkey server, which never hangs and always comes back.
 *
 * Every command has a deadline. Once one has failed because of the server, all commands fail at once, until a
 * probe has shown that the server answers again. The client library is loaded with the first connection.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { isIP } from "node:net";
import { clearTimeout, setTimeout } from "node:timers";
import type { Redis, RedisOptions } from "ioredis";
import { type Clock, systemClock } from "../runtime/clock.ts";
import { type BlockingConnection, openBlockingConnection } from "./blocking_connection.ts";
import type { RedisAddress } from "./redis_address.ts";
import {
  argumentOf,
  asCalls,
  type RedisArgument,
  type RedisCommand,
  type RedisReplies,
} from "./redis_command.ts";
import { RedisUnavailableError, startError, unavailability } from "./redis_error.ts";
import { RedisScript } from "./redis_script.ts";
import { NoReplyError, ReplyTimeouts } from "./reply_timeouts.ts";
import { checkServer, parseServerInfo } from "./server_info.ts";

export type { BlockingConnection, RedisArgument, RedisCommand, RedisReplies };

/** Told about changes of a connection. */
export interface RedisWatcher {
  /** The server cannot be used any more. */
  onDown?(error: RedisUnavailableError): void;
  /** The server can be used again. */
  onUp?(): void;
  /** The server has come back without its data, or the data was deleted: everything stored there is gone. */
  onReset?(): void;
  /**
   * The server was restarted or replaced, and has data: perhaps an older state, without what was written last.
   * Called before `onUp`.
   */
  onRestart?(): void;
}

/** Seconds that a command may take. */
const TIMEOUT = 2;
const CLOSED = "the connection was closed";
/** Seconds for the first connection. */
const CONNECT_TIMEOUT = 5;
/** Milliseconds for which a connection that is closed may still be sending. */
const DISCONNECT_TIMEOUT = 500;
/** Milliseconds for which a closed connection waits for the reason. */
const CLOSE_DELAY = 50;
/** Milliseconds between two probes of a server that cannot be used; and the maximum between two connections. */
const PROBE_INTERVAL = 250;

/** Seconds between two checks that the data is still there. */
const CHECK_INTERVAL = 5;

/**
 * Returns the id of the data, and sets it if there is none: a server without it has lost its data. It is written
 * in any case, which fails if the memory is full or the server cannot save its data.
 */
const DATA_ID = new RedisScript(`
local id = redis.call("GET", KEYS[1]) or ARGV[1]
redis.call("SET", KEYS[1], id)
return id
`);

/** A connection to one server. */
export class RedisConnection implements AsyncDisposable {
  readonly address: RedisAddress;
  readonly #redis: Redis;
  readonly #create: () => Redis;
  readonly #clock: Clock;
  readonly #watchers = new Set<RedisWatcher>();
  readonly #timeouts: ReplyTimeouts;
  readonly #blocking = new Set<BlockingConnection>();
  /** Rejects with the first error of the connection. */
  readonly #failed = Promise.withResolvers<never>();
  #failure: RedisUnavailableError | undefined;
  #downSince = 0;
  #dataId: string | undefined;
  #runId = "";
  /** When the socket was opened, in milliseconds of the clock. */
  #openedAt = 0;
  #evictionPolicy: string | undefined;
  #isClosed = false;
  #probe: ReturnType<typeof setTimeout> | undefined;
  #check: ReturnType<typeof setTimeout> | undefined;

  private constructor(address: RedisAddress, create: () => Redis, clock: Clock) {
    this.address = address;
    this.#create = create;
    this.#redis = create();
    this.#clock = clock;
    this.#timeouts = new ReplyTimeouts(this.#redis);
    this.#redis.on("connect", () => this.#openedAt = clock.now());
    this.#redis.on("error", (error) => {
      this.#failed.reject(error);
      this.#explainFailure(error);
    });
    this.#failed.promise.catch(() => {});
    this.#redis.on("close", () => this.#down(CLOSED));
  }

  /**
   * Connects, and checks that the server can be used.
   *
   * @throws {ConfigurationError} if it cannot be reached, refuses the login, is a read-only replica or too old
   */
  static async open(address: RedisAddress, clock: Clock = systemClock): Promise<RedisConnection> {
    const { Redis: Client } = await import("./redis_client.ts");
    const options: RedisOptions = {
      host: address.host,
      port: address.port,
      username: address.username,
      password: address.password,
      db: address.database,
      // A name for an address is not allowed; its certificate is checked for the address.
      tls: address.tls
        ? { servername: isIP(address.host) > 0 ? undefined : address.host }
        : undefined,
      lazyConnect: true,
      // No command waits for a connection: without Redis, the work goes on without it.
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      connectTimeout: CONNECT_TIMEOUT * 1000,
      disconnectTimeout: DISCONNECT_TIMEOUT,
      retryStrategy: () => connection.#dataId === undefined ? null : PROBE_INTERVAL,
      // A server that has become a replica: connect again, perhaps to the new primary server.
      reconnectOnError: (error) => error.message.startsWith("READONLY"),
    };
    const connection: RedisConnection = new RedisConnection(
      address,
      () => new Client(options),
      clock,
    );
    try {
      await connection.#connect();
    } catch (error) {
      await connection.close();
      throw startError(error, address);
    }
    return connection;
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

  /** What the server does when its memory is full, such as `noeviction`; `undefined` if it does not say. */
  get evictionPolicy(): string | undefined {
    return this.#evictionPolicy;
  }

  /** The full name of a key. */
  key(...parts: (string | number)[]): string {
    return [this.address.prefix, ...parts].join(":");
  }

  /** Reports changes to `watcher`. Returns a function that ends this. */
  watch(watcher: RedisWatcher): () => void {
    this.#watchers.add(watcher);
    this.#scheduleCheck();
    return () => this.#watchers.delete(watcher);
  }

  /**
   * Runs a command. With `replies` as bytes, texts in the reply are `Uint8Array`s.
   *
   * @throws {RedisUnavailableError} if the server cannot be used; the command may have been run all the same
   * @throws {Error} the server's reply if the command is refused
   */
  async command(command: RedisCommand, replies: RedisReplies = "text"): Promise<unknown> {
    this.#requireUp();
    return await this.#within(this.#call(command, replies));
  }

  /**
   * Runs several commands in one round trip. They are not a transaction.
   *
   * @throws {RedisUnavailableError} if the server cannot be used; some may have been run all the same
   * @throws {Error} the server's reply to the first command that is refused
   */
  async pipeline(commands: readonly RedisCommand[]): Promise<unknown[]> {
    if (commands.length === 0) return [];
    this.#requireUp();
    return await this.#within(this.#exec(this.#redis.pipeline(asCalls(commands))));
  }

  /**
   * Runs several commands in one step: all of them, or none.
   *
   * @throws {RedisUnavailableError} if the server cannot be used; they may have been run all the same
   * @throws {Error} the server's reply to the first command that is refused
   */
  async transaction(commands: readonly RedisCommand[]): Promise<unknown[]> {
    if (commands.length === 0) return [];
    this.#requireUp();
    return await this.#within(this.#exec(this.#redis.multi(asCalls(commands))));
  }

  /**
   * Runs a script. With `replies` as bytes, texts in the reply are `Uint8Array`s.
   *
   * @throws {RedisUnavailableError} if the server cannot be used; the script may have been run all the same
   * @throws {Error} the server's reply if the script fails
   */
  async run(
    { sha, source }: RedisScript,
    keys: readonly string[],
    args: readonly RedisArgument[] = [],
    replies: RedisReplies = "text",
  ): Promise<unknown> {
    this.#requireUp();
    const parameters = [keys.length, ...keys, ...args];
    return await this.#within(
      this.#call(["EVALSHA", sha, ...parameters], replies).catch((error) => {
        // A restarted server has forgotten it.
        if (!String(error.message).startsWith("NOSCRIPT")) throw error;
        return this.#call(["EVAL", source, ...parameters], replies);
      }),
    );
  }

  /** Opens a connection of its own for commands that wait, since nothing else can be sent meanwhile. */
  blocking(): BlockingConnection {
    const blocking = openBlockingConnection(this.#create(), {
      requireUp: () => this.#requireUp(),
      closedError: (cause) => new RedisUnavailableError(this.address, CLOSED, cause),
      within: (reply, seconds, timeouts) => this.#within(reply, seconds, timeouts),
      onClose: () => this.#blocking.delete(blocking),
    });
    this.#blocking.add(blocking);
    return blocking;
  }

  /** Closes the connection, and those for commands that wait. Commands in progress fail. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#probe);
    clearTimeout(this.#check);
    for (const blocking of [...this.#blocking]) blocking.close();
    this.#redis.disconnect();
    // There is no use in waiting for a server that does not answer.
    if (this.#failure !== undefined) this.#redis.stream?.destroy();
    await Promise.resolve();
  }

  /** Closes the connection at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #connect(): Promise<void> {
    const closed = this.#redis.connect().catch(async (error) => {
      // The error itself arrives in a moment.
      await this.#clock.sleep(CLOSE_DELAY);
      throw Object.assign(error, { code: "ECONNRESET" });
    });
    const connected = Promise.race([closed, this.#failed.promise]);
    await this.#within(connected, CONNECT_TIMEOUT);
    const info = parseServerInfo(String(await this.#within(this.#redis.call("INFO"))));
    checkServer(info, this.address);
    this.#evictionPolicy = info.evictionPolicy;
    this.#runId = info.runId;
    this.#dataId = await this.#readDataId();
  }

  async #readDataId(): Promise<string> {
    const reply = this.#redis.call("EVAL", DATA_ID.source, 1, this.key("data-id"), randomUUID());
    return String(await this.#within(reply));
  }

  #call([name, ...args]: RedisCommand, replies: RedisReplies): Promise<unknown> {
    const values = args.map(argumentOf);
    return replies === "bytes"
      ? this.#redis.callBuffer(name, ...values)
      : this.#redis.call(name, ...values);
  }

  #requireUp(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#isClosed) {
      throw new RedisUnavailableError(this.address, CLOSED);
    }
  }

  async #exec(pipeline: ReturnType<Redis["pipeline"]>): Promise<unknown[]> {
    const replies = await pipeline.exec().catch((error) => {
      // A transaction was discarded since one of its commands was refused.
      throw error.previousErrors?.[0] ?? error;
    });
    return (replies ?? []).map(([error, value]) => {
      if (error !== null) throw error;
      return value;
    });
  }

  /** Waits for a reply, and notices that the server cannot be used. */
  async #within<T>(
    reply: Promise<T>,
    seconds: number = TIMEOUT,
    timeouts: ReplyTimeouts = this.#timeouts,
  ): Promise<T> {
    try {
      return await timeouts.within(reply, seconds);
    } catch (error) {
      if (error instanceof RedisUnavailableError) throw error;
      const reason = unavailability(error);
      if (reason === undefined) throw error;
      // Not a fault of the server: we have closed the connection.
      if (this.#isClosed) {
        throw new RedisUnavailableError(this.address, CLOSED);
      }
      // At the start, the reason itself is needed.
      if (this.#dataId === undefined) throw error;
      throw this.#down(reason, error);
    }
  }

  #down(reason: string, cause?: unknown): RedisUnavailableError {
    if (this.#failure !== undefined) return this.#failure;
    const error = new RedisUnavailableError(this.address, reason, cause);
    if (this.#isClosed || this.#dataId === undefined) return error;
    this.#failure = error;
    this.#downSince = this.#clock.now();
    this.#scheduleProbe();
    for (const watcher of [...this.#watchers]) watcher.onDown?.(error);
    return error;
  }

  /** While the server cannot be used, the latest reason is the one to know. */
  #explainFailure(error: Error): void {
    if (this.#failure === undefined) return;
    const reason = unavailability(error) ?? error.message;
    this.#failure = new RedisUnavailableError(this.address, reason, error);
  }

  #scheduleProbe(): void {
    if (this.#isClosed) return;
    this.#probe = setTimeout(() => void this.#tryAgain(), PROBE_INTERVAL);
  }

  /** Checks whether the server can be used again: whether it answers, and takes writes. */
  async #tryAgain(): Promise<void> {
    try {
      if (this.#redis.status !== "ready") throw new Error("not connected");
      const text = await this.#timeouts.within(this.#redis.call("INFO"), TIMEOUT);
      const info = parseServerInfo(String(text));
      if (info.isReadOnlyReplica) throw new Error("it is a read-only replica");
      const reply = this.#redis.call("EVAL", DATA_ID.source, 1, this.key("data-id"), randomUUID());
      const dataId = String(await this.#timeouts.within(reply, TIMEOUT));
      if (this.#isClosed) return;
      this.#evictionPolicy = info.evictionPolicy;
      const isRestarted = info.runId !== this.#runId;
      this.#runId = info.runId;
      this.#failure = undefined;
      if (!this.#noticeReset(dataId) && isRestarted) {
        for (const watcher of [...this.#watchers]) watcher.onRestart?.();
      }
      for (const watcher of [...this.#watchers]) watcher.onUp?.();
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
    this.#dataId = dataId;
    for (const watcher of [...this.#watchers]) watcher.onReset?.();
    return true;
  }

  /** From time to time, looks for data that was deleted, and for a connection that has silently gone. */
  #scheduleCheck(): void {
    if (this.#isClosed || this.#check !== undefined) return;
    this.#check = setTimeout(async () => {
      try {
        if (this.isUp) this.#noticeReset(await this.#readDataId());
      } catch {
        // Reported as any failure.
      } finally {
        this.#check = undefined;
        if (this.#watchers.size > 0) this.#scheduleCheck();
      }
    }, CHECK_INTERVAL * 1000);
    this.#check.unref();
  }
}
