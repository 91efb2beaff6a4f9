/**
 * Limits how long a server may be silent while replies are due.
 *
 * @module
 */
import type { Redis } from "ioredis";
import { deadlinesOf } from "../transport/deadlines.ts";

/** The server was silent for too long. */
export class NoReplyError extends Error {
  /** Always `"NoReplyError"`. */
  override name = "NoReplyError";

  /** Creates the error. */
  constructor() {
    super("it does not answer");
  }
}

/** The bytes that one socket has read, and those that it has passed on to the system. */
interface Progress {
  socket: Redis["stream"] | undefined;
  read: number;
  sent: number;
  unsent: number;
}

/** The timeouts of the replies on one connection. */
export class ReplyTimeouts {
  readonly #redis: Redis;
  #pending = 0;

  /** Watches the sockets of `redis`. */
  constructor(redis: Redis) {
    this.#redis = redis;
    redis.on("ready", () => this.#holdProcess());
  }

  /**
   * Waits for a reply. As long as the server is sending, or reading a long command, its time starts again: only
   * silence is limited. Whole seconds, so that all timeouts share a few timers.
   *
   * @throws {NoReplyError} after `seconds` of silence
   */
  async within<T>(reply: Promise<T>, seconds: number): Promise<T> {
    const silent = Promise.withResolvers<never>();
    let before = this.#progress();
    const expire = () => {
      const now = this.#progress();
      if (!hasProgressed(before, now)) return silent.reject(new NoReplyError());
      before = now;
      queueMicrotask(() => {
        if (isWaiting) deadline.restart();
      });
    };
    let isWaiting = true;
    const deadline = deadlinesOf(Math.ceil(seconds)).add({ expire });
    if (++this.#pending === 1) this.#holdProcess();
    try {
      return await Promise.race([reply, silent.promise]);
    } finally {
      isWaiting = false;
      deadline.remove();
      if (--this.#pending === 0) this.#holdProcess();
      // It may fail later, when no caller waits for it.
      reply.catch(() => {});
    }
  }

  /** Only a connection with commands in progress keeps the process alive. */
  #holdProcess(): void {
    const socket = this.#redis.stream;
    if (this.#pending > 0) socket?.ref();
    else if (this.#redis.status === "ready") socket?.unref();
  }

  #progress(): Progress {
    const socket = this.#redis.stream;
    const unsent = socket?.writableLength ?? 0;
    return {
      socket,
      read: socket?.bytesRead ?? 0,
      sent: (socket?.bytesWritten ?? 0) - unsent,
      unsent,
    };
  }
}

function hasProgressed(before: Progress, now: Progress): boolean {
  if (before.socket !== now.socket) return false;
  // The system takes the bytes of short commands even if the server does not read them.
  return now.read > before.read || (now.unsent > 0 && now.sent > before.sent);
}
