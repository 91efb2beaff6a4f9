/**
 * A connection to a Redis or Valkey server, which never hangs and always comes back.
 *
 * Every command has a deadline. Once one has failed because of the server, all commands fail at once, until a
 * probe has shown that the server answers again. The client library is loaded with the first connection.
 *
 * @module
 */
import type { Redis } from "ioredis";
import { type Clock, systemClock } from "../runtime/clock.ts";
import { type BlockingConnection, openBlockingConnection } from "./blocking_connection.ts";
import { clientOptions, CONNECT_TIMEOUT } from "./client_options.ts";
import { ConnectionHealth, PROBE_INTERVAL } from "./connection_health.ts";
import type { RedisAddress } from "./redis_address.ts";
import {
  argumentOf,
  asCalls,
  type RedisArgument,
  type RedisCommand,
  type RedisReplies,
} from "./redis_command.ts";
import { type RedisUnavailableError, startError, temporaryReason } from "./redis_error.ts";
import type { RedisScript } from "./redis_script.ts";
import type { RedisWatcher } from "./redis_watcher.ts";
import { tlsMismatch } from "./tls_mismatch.ts";

export type { BlockingConnection, RedisArgument, RedisCommand, RedisReplies, RedisWatcher };

/** Milliseconds for which a closed connection waits for the reason. */
const CLOSE_DELAY = 50;

/** Options of a connection. */
export interface ConnectionOptions {
  /**
   * Whether a server that takes no writes now, since its memory is full, counts as one that cannot be used. Without
   * writes, such a server can still be looked at and cleaned up.
   *
   * @default true
   */
  needsWrites?: boolean;
  /**
   * Whether the connection may start while the server cannot be used, as if it had just been lost: it connects by
   * itself later. A refused login, a replica or a host that does not exist is an error all the same.
   *
   * @default false
   */
  mayStartDown?: boolean;
  /** @default the clock of the system */
  clock?: Clock;
}

/** A connection to one server. */
export class RedisConnection implements AsyncDisposable {
  readonly address: RedisAddress;
  readonly #redis: Redis;
  readonly #create: () => Redis;
  readonly #clock: Clock;
  readonly #health: ConnectionHealth;
  readonly #blocking = new Set<BlockingConnection>();
  /** Rejects with the first error of the connection. */
  readonly #failed = Promise.withResolvers<never>();
  #isClosed = false;

  private constructor(
    address: RedisAddress,
    create: () => Redis,
    { clock, needsWrites }: Required<Pick<ConnectionOptions, "clock" | "needsWrites">>,
  ) {
    this.address = address;
    this.#create = create;
    this.#redis = create();
    this.#clock = clock;
    const dataKey = this.key("data-id");
    this.#health = new ConnectionHealth(this.#redis, address, { dataKey, needsWrites, clock });
    this.#redis.on("error", (error) => this.#failed.reject(error));
    this.#failed.promise.catch(() => {});
  }

  /**
   * Connects, and checks that the server can be used.
   *
   * @throws {ConfigurationError} if it cannot be reached, refuses the login, is a read-only replica or too old
   */
  static async open(
    address: RedisAddress,
    { needsWrites = true, mayStartDown = false, clock = systemClock }: ConnectionOptions = {},
  ): Promise<RedisConnection> {
    const { Redis: Client } = await import("./redis_client.ts");
    const options = clientOptions(
      address,
      () => connection.#health.reconnects ? PROBE_INTERVAL : null,
    );
    const connection: RedisConnection = new RedisConnection(
      address,
      () => new Client(options),
      { needsWrites, clock },
    );
    try {
      await connection.#connect();
    } catch (error) {
      const mismatch = await tlsMismatch(error, address);
      const reason = mismatch === undefined ? temporaryReason(error) : undefined;
      if (mayStartDown && reason !== undefined) connection.#health.startDown(reason, error);
      else {
        await connection.close();
        throw startError(error, address, mismatch);
      }
    }
    return connection;
  }

  /** Whether commands are sent. */
  get isUp(): boolean {
    return this.#health.isUp;
  }

  /** Why the server cannot be used, as far as is known; `undefined` while it can. */
  get failure(): RedisUnavailableError | undefined {
    return this.#health.failure;
  }

  /** Milliseconds for which the server could not be used; 0 while it can. */
  get downFor(): number {
    return this.#health.downFor;
  }

  /** Identifies the run of the server: it changes with each restart. */
  get runId(): string {
    return this.#health.info?.runId ?? "";
  }

  /** What the server does when its memory is full, such as `noeviction`; `undefined` if it does not say. */
  get evictionPolicy(): string | undefined {
    return this.#health.info?.evictionPolicy;
  }

  /** The full name of a key. */
  key(...parts: (string | number)[]): string {
    return [this.address.prefix, ...parts].join(":");
  }

  /** Reports changes to `watcher`. Returns a function that ends this. */
  watch(watcher: RedisWatcher): () => void {
    return this.#health.watch(watcher);
  }

  /**
   * Runs a command. With `replies` as bytes, texts in the reply are `Uint8Array`s.
   *
   * @throws {RedisUnavailableError} if the server cannot be used; the command may have been run all the same
   * @throws {Error} the server's reply if the command is refused
   */
  async command(command: RedisCommand, replies: RedisReplies = "text"): Promise<unknown> {
    this.#health.requireUp();
    return await this.#health.within(this.#call(command, replies));
  }

  /**
   * Runs several commands in one round trip. They are not a transaction.
   *
   * @throws {RedisUnavailableError} if the server cannot be used; some may have been run all the same
   * @throws {Error} the server's reply to the first command that is refused
   */
  async pipeline(commands: readonly RedisCommand[]): Promise<unknown[]> {
    if (commands.length === 0) return [];
    this.#health.requireUp();
    return await this.#health.within(this.#exec(this.#redis.pipeline(asCalls(commands))));
  }

  /**
   * Runs several commands in one step: all of them, or none.
   *
   * @throws {RedisUnavailableError} if the server cannot be used; they may have been run all the same
   * @throws {Error} the server's reply to the first command that is refused
   */
  async transaction(commands: readonly RedisCommand[]): Promise<unknown[]> {
    if (commands.length === 0) return [];
    this.#health.requireUp();
    return await this.#health.within(this.#exec(this.#redis.multi(asCalls(commands))));
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
    this.#health.requireUp();
    const parameters = [keys.length, ...keys, ...args];
    return await this.#health.within(
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
      requireUp: () => this.#health.requireUp(),
      closedError: (cause) => this.#health.closedError(cause),
      within: (reply, seconds, timeouts) => this.#health.within(reply, seconds, timeouts),
      onClose: () => this.#blocking.delete(blocking),
    });
    this.#blocking.add(blocking);
    return blocking;
  }

  /** Closes the connection, and those for commands that wait. Commands in progress fail. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#health.close();
    for (const blocking of [...this.#blocking]) blocking.close();
    this.#redis.disconnect();
    // There is no use in waiting for a server that does not answer.
    if (this.#health.failure !== undefined) this.#redis.stream?.destroy();
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
    await this.#health.within(connected, CONNECT_TIMEOUT);
    await this.#health.start();
  }

  #call([name, ...args]: RedisCommand, replies: RedisReplies): Promise<unknown> {
    const values = args.map(argumentOf);
    return replies === "bytes"
      ? this.#redis.callBuffer(name, ...values)
      : this.#redis.call(name, ...values);
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
}
