/**
 * A connection to a Redis or Valkey server, which never hangs and always comes back.
 *
 * Every command has a deadline. Once one has failed because of the server, all commands fail at once, until a
 * probe has shown that the server answers again. The client library is loaded with the first connection.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";
import { clearTimeout, setTimeout } from "node:timers";
import type { Redis, RedisOptions } from "ioredis";
import { ConfigurationError } from "../errors.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import { type DeadlineQueue, deadlinesOf, type Expiring } from "../transport/deadlines.ts";
import type { RedisAddress } from "./redis_address.ts";
import {
  connectionReason,
  RedisUnavailableError,
  startError,
  unavailability,
} from "./redis_error.ts";
import { RedisScript } from "./redis_script.ts";

/** A command and its arguments. */
export type RedisCommand = readonly [name: string, ...args: RedisArgument[]];

/** An argument of a command or script. */
export type RedisArgument = string | number | Uint8Array;

/** Whether the texts of a reply are decoded. */
export type RedisReplies = "text" | "bytes";

/** Told about changes of a connection. */
export interface RedisWatcher {
  /** The server cannot be used any more. */
  onDown?(error: RedisUnavailableError): void;
  /** The server can be used again. */
  onUp?(): void;
  /** The server has come back without its data, or the data was deleted: everything stored there is gone. */
  onReset?(): void;
}

/** Seconds that a command may take. */
const TIMEOUT = 2;
/** Seconds for the first connection. */
const CONNECT_TIMEOUT = 5;
/** Milliseconds for which a closed connection waits for the reason. */
const CLOSE_DELAY = 50;
/** Milliseconds between two probes of a server that cannot be used; and the maximum between two connections. */
const PROBE_INTERVAL = 250;
/** The oldest version with all commands that are used here. */
const OLDEST_VERSION = [6, 2] as const;

/** Returns the id of the data, and sets it if there is none: a server without it has lost its data. */
const DATA_ID = new RedisScript(`
local id = redis.call("GET", KEYS[1])
if id then return id end
redis.call("SET", KEYS[1], ARGV[1])
return ARGV[1]
`);

/** What `INFO` says about a server. */
interface ServerInfo {
  version: string;
  /** `noeviction` unless keys are deleted when the memory is full. */
  evictionPolicy: string | undefined;
  isReadOnlyReplica: boolean;
}

function infoOf(text: string): ServerInfo {
  const fields = new Map(
    text.split("\n").map((line) => line.trim().split(/:(.*)/s, 2) as [string, string]),
  );
  return {
    version: fields.get("redis_version") ?? "",
    evictionPolicy: fields.get("maxmemory_policy"),
    isReadOnlyReplica: fields.get("role") === "slave" && fields.get("slave_read_only") !== "0",
  };
}

function checkServer({ version, isReadOnlyReplica }: ServerInfo, address: RedisAddress): void {
  const at = `Redis at ${address.shown}`;
  if (isReadOnlyReplica) {
    throw new ConfigurationError(`${at} is a read-only replica`, {
      hint: "Use the address of its primary server.",
    });
  }
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_VERSION;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    throw new ConfigurationError(
      `${at} has version ${version || "unknown"}; flexllm needs Redis ${
        OLDEST_VERSION.join(".")
      } or newer`,
      { hint: "Update the server, or use Valkey." },
    );
  }
}

/** The deadline of one command. */
class CommandDeadline implements Expiring {
  expiresAt = 0;

  constructor(readonly expire: () => void) {}
}

/** A connection for commands that wait on the server, such as `XREADGROUP … BLOCK`. */
export interface BlockingConnection {
  /**
   * Runs a command that waits up to `wait` milliseconds on the server.
   *
   * @throws {RedisUnavailableError} if the server does not answer in time
   */
  command(command: RedisCommand, wait: number): Promise<unknown>;
  /** Closes the connection; a command that waits fails. */
  close(): void;
}

/** A connection to one server. */
export class RedisConnection implements AsyncDisposable {
  readonly address: RedisAddress;
  readonly #redis: Redis;
  readonly #create: () => Redis;
  readonly #clock: Clock;
  readonly #watchers = new Set<RedisWatcher>();
  readonly #deadlines: DeadlineQueue = deadlinesOf(TIMEOUT);
  /** Rejects with the first error of the connection. */
  readonly #failed = Promise.withResolvers<never>();
  #failure: RedisUnavailableError | undefined;
  #downSince = 0;
  #dataId: string | undefined;
  #evictionPolicy: string | undefined;
  #isClosed = false;
  #probe: ReturnType<typeof setTimeout> | undefined;

  private constructor(address: RedisAddress, create: () => Redis, clock: Clock) {
    this.address = address;
    this.#create = create;
    this.#redis = create();
    this.#clock = clock;
    // Later, they are reported by the commands that fail because of them.
    this.#redis.on("error", this.#failed.reject);
    this.#failed.promise.catch(() => {});
    this.#redis.on("close", () => this.#down("the connection was closed"));
  }

  /**
   * Connects, and checks that the server can be used.
   *
   * @throws {ConfigurationError} if it cannot be reached, refuses the login, is a read-only replica or too old
   */
  static async open(address: RedisAddress, clock: Clock = systemClock): Promise<RedisConnection> {
    const { Redis: Client } = await import("ioredis");
    const options: RedisOptions = {
      host: address.host,
      port: address.port,
      username: address.username,
      password: address.password,
      db: address.database,
      tls: address.tls ? { servername: address.host } : undefined,
      lazyConnect: true,
      // No command waits for a connection: without Redis, the work goes on without it.
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      connectTimeout: CONNECT_TIMEOUT * 1000,
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
    const redis = this.#create();
    redis.on("error", () => {});
    let connecting: Promise<void> | undefined;
    return {
      command: async ([name, ...args], wait) => {
        this.#requireUp();
        if (redis.status !== "ready") {
          connecting ??= redis.connect().finally(() => connecting = undefined);
          await this.#within(
            redis.status === "wait" || redis.status === "end"
              ? connecting
              : new Promise<void>((resolve) => redis.once("ready", resolve)),
          );
        }
        return await this.#within(
          redis.call(name, ...args.map(argumentOf)),
          wait + TIMEOUT * 1000,
        );
      },
      close: () => redis.disconnect(),
    };
  }

  /** Closes the connection. Commands in progress fail. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#probe);
    this.#redis.disconnect();
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
    await this.#within(connected, CONNECT_TIMEOUT * 1000);
    const info = infoOf(String(await this.#within(this.#redis.call("INFO"))));
    checkServer(info, this.address);
    this.#evictionPolicy = info.evictionPolicy;
    this.#dataId = await this.#readDataId();
  }

  async #readDataId(): Promise<string> {
    const { sha, source } = DATA_ID;
    const parameters = [1, this.key("data-id"), randomUUID()];
    const reply = this.#redis.call("EVALSHA", sha, ...parameters)
      .catch(() => this.#redis.call("EVAL", source, ...parameters));
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
      throw new RedisUnavailableError(this.address, "the connection was closed");
    }
  }

  async #exec(pipeline: ReturnType<Redis["pipeline"]>): Promise<unknown[]> {
    const replies = await pipeline.exec() ?? [];
    return replies.map(([error, value]) => {
      if (error !== null) throw error;
      return value;
    });
  }

  /** Waits for a reply within the timeout, and notices that the server cannot be used. */
  async #within<T>(reply: Promise<T>, timeout?: number): Promise<T> {
    const late = Promise.withResolvers<never>();
    const deadline = new CommandDeadline(() => late.reject(new Error("it does not answer")));
    const queue = timeout === undefined ? this.#deadlines : deadlinesOf(timeout / 1000);
    queue.add(deadline);
    try {
      return await Promise.race([reply, late.promise]);
    } catch (error) {
      if (error instanceof RedisUnavailableError) throw error;
      const isReply = error instanceof Error && error.name === "ReplyError";
      const reason = isReply ? unavailability(error) : connectionReason(error);
      if (reason === undefined) throw error;
      // Not a fault of the server: we have closed the connection.
      if (this.#isClosed) {
        throw new RedisUnavailableError(this.address, "the connection was closed");
      }
      // At the start, the reason itself is needed.
      if (this.#dataId === undefined) throw error;
      throw this.#down(reason, error);
    } finally {
      queue.delete(deadline);
      // It may fail later, when nobody waits for it any more.
      reply.catch(() => {});
    }
  }

  #down(reason: string, cause?: unknown): RedisUnavailableError {
    if (this.#failure !== undefined) return this.#failure;
    const error = new RedisUnavailableError(this.address, reason, cause);
    if (this.#isClosed || this.#dataId === undefined) return error;
    this.#failure = error;
    this.#downSince = this.#clock.now();
    for (const watcher of [...this.#watchers]) watcher.onDown?.(error);
    this.#scheduleProbe();
    return error;
  }

  #scheduleProbe(): void {
    if (this.#isClosed) return;
    this.#probe = setTimeout(() => void this.#tryAgain(), PROBE_INTERVAL);
  }

  /** Checks whether the server can be used again: whether it answers, and takes writes. */
  async #tryAgain(): Promise<void> {
    try {
      if (this.#redis.status !== "ready") throw new Error("not connected");
      const info = infoOf(String(await this.#answer(this.#redis.call("INFO"))));
      if (info.isReadOnlyReplica) throw new Error("it is a read-only replica");
      const parameters = [1, this.key("data-id"), randomUUID()];
      const dataId = String(
        await this.#answer(this.#redis.call("EVAL", DATA_ID.source, ...parameters)),
      );
      if (this.#isClosed) return;
      const isReset = dataId !== this.#dataId;
      this.#dataId = dataId;
      this.#failure = undefined;
      const watchers = [...this.#watchers];
      if (isReset) { for (const watcher of watchers) watcher.onReset?.(); }
      for (const watcher of watchers) watcher.onUp?.();
    } catch {
      this.#scheduleProbe();
    }
  }

  /** A reply to a probe within the timeout. */
  async #answer<T>(reply: Promise<T>): Promise<T> {
    const late = Promise.withResolvers<never>();
    const deadline = new CommandDeadline(() => late.reject(new Error("it does not answer")));
    this.#deadlines.add(deadline);
    reply.catch(() => {});
    try {
      return await Promise.race([reply, late.promise]);
    } finally {
      this.#deadlines.delete(deadline);
    }
  }
}

/** The client library only takes bytes as a `Buffer`. */
function argumentOf(argument: RedisArgument): string | number | Buffer {
  return argument instanceof Uint8Array
    ? Buffer.from(argument.buffer, argument.byteOffset, argument.byteLength)
    : argument;
}

function asCalls(commands: readonly RedisCommand[]): (string | number | Buffer)[][] {
  return commands.map(([name, ...args]) => ["call", name, ...args.map(argumentOf)]);
}
