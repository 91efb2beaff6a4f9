/**
 * A connection of its own for commands that wait on the server, since nothing else can be sent meanwhile.
 *
 * @module
 */
import type { Redis } from "ioredis";
import { RedisUnavailableError } from "./redis_error.ts";
import { ReplyTimeouts } from "./reply_timeouts.ts";
import { argumentOf, type RedisCommand } from "./redis_command.ts";

/** A connection for commands that wait on the server, such as `XREADGROUP … BLOCK`. */
export interface BlockingConnection {
  /**
   * Runs a command that waits up to `wait` milliseconds on the server.
   *
   * @throws {RedisUnavailableError} if the server does not answer in time; the reply is lost then
   */
  command(command: RedisCommand, wait: number): Promise<unknown>;
  /** Closes the connection; a command that waits fails. */
  close(): void;
}

/** What a blocking connection needs of the one that it belongs to. */
export interface BlockingOwner {
  /** Throws if the server cannot be used. */
  requireUp(): void;
  /** The error of a command that waited when the connection was closed. */
  closedError(cause?: unknown): RedisUnavailableError;
  /** Waits for a reply, and notices that the server cannot be used. */
  within<T>(reply: Promise<T>, seconds: number, timeouts: ReplyTimeouts): Promise<T>;
  /** Called when the connection is closed. */
  onClose(): void;
}

/** Seconds for a reply, in addition to the time for which a command waits. */
const TIMEOUT = 2;

/** Opens a connection with the first command. */
export function openBlockingConnection(redis: Redis, owner: BlockingOwner): BlockingConnection {
  const timeouts = new ReplyTimeouts(redis);
  let ready = Promise.withResolvers<void>();
  redis.on("error", () => {});
  redis.on("ready", () => ready.resolve());
  redis.on("close", () => ready = Promise.withResolvers());
  const connected = (): Promise<void> =>
    redis.status === "wait" || redis.status === "end" ? redis.connect() : ready.promise;
  let isClosed = false;
  /** The reply, unless the connection was closed on purpose: that is no fault of the server. */
  const unlessClosed = async <T>(reply: Promise<T>): Promise<T> => {
    try {
      return await reply;
    } catch (error) {
      if (isClosed) throw owner.closedError(error);
      throw error;
    }
  };
  return {
    async command([name, ...args], wait) {
      owner.requireUp();
      if (isClosed) throw owner.closedError();
      try {
        if (redis.status !== "ready") {
          await owner.within(unlessClosed(connected()), TIMEOUT, timeouts);
        }
        const reply = unlessClosed(redis.call(name, ...args.map(argumentOf)));
        return await owner.within(reply, wait / 1000 + TIMEOUT, timeouts);
      } catch (error) {
        // A connection that was silent may be so forever: the next command gets another.
        if (error instanceof RedisUnavailableError) redis.stream?.destroy();
        throw error;
      }
    },
    close() {
      isClosed = true;
      redis.disconnect();
      redis.stream?.destroy();
      owner.onClose();
    },
  };
}
