/**
 * Keeps the idle connections to servers, and decides when one can be used again.
 *
 * A request that finds no idle connection opens one, but takes another if that is idle first: a server with a short
 * queue for connections may let one wait for minutes.
 *
 * @module
 */
import type { DispatchedResponse } from "../../runtime/dispatched_response.ts";
import { afterEvents } from "../../runtime/next_turn.ts";
import { Connection, type Destination } from "./connection.ts";

/** A request that waits for a connection. */
interface Waiting {
  origin: Origin;
  method: string;
  /** The head and the body. */
  text: string;
  response: DispatchedResponse;
}

let waiting: Waiting[] = [];

/** Reused connections after which a server is known not to close them silently after its answers. */
const PROVEN = 100;
/** Milliseconds after an answer in which a close counts as silent. */
const SILENT = 1000;
/** Milliseconds for which a connection of such a server is used again at once. */
const RECENT = 10;

/** A server, and its idle connections. */
export class Origin implements Destination {
  isReached = false;
  /** Connections that were kept since one was closed silently. */
  #reuses = 0;
  readonly #idle: Connection[] = [];
  /** Connections that are being made for requests, in their order. */
  readonly #awaited = new Set<Connection>();
  /** The connection that is being made although its request has taken another one, so that the next finds it. */
  #spare: Connection | undefined;
  /** Whether the requests that wait for connections will take idle ones. */
  #isSharing = false;

  constructor(readonly host: string, readonly port: number) {}

  /**
   * Sends a request on the idle connection that was used last, or on a new one. Some servers close connections without
   * saying so in their answer. Until a server has proven that it does not, and if a connection has been idle for a
   * while, the request waits for events that show whether it has just been closed.
   */
  send(method: string, text: string, response: DispatchedResponse): void {
    const last = this.#idle[this.#idle.length - 1];
    const isSafe = last === undefined ||
      (this.#reuses >= PROVEN && last.idleFor(performance.now()) < RECENT);
    if (isSafe) return this.take().send(method, text, response);
    if (waiting.length === 0) afterEvents(sendWaiting);
    waiting.push({ origin: this, method, text, response });
  }

  /** Takes a connection that is idle, or a new one. */
  take(): Connection {
    return this.#takeIdle() ?? new Connection(this);
  }

  #takeIdle(): Connection | undefined {
    const now = performance.now();
    for (let next = this.#idle.pop(); next !== undefined; next = this.#idle.pop()) {
      if (next.isUsable(now)) return next;
      next.expire();
    }
    return undefined;
  }

  expect(connection: Connection): void {
    this.#awaited.add(connection);
  }

  opened(connection: Connection): void {
    this.#awaited.delete(connection);
    if (this.#spare === connection) this.#spare = undefined;
  }

  add(connection: Connection): void {
    this.#idle.push(connection);
    if (this.#awaited.size === 0 || this.#isSharing) return;
    this.#isSharing = true;
    // As in `send`, it may have just been closed.
    if (this.#reuses >= PROVEN) this.#share();
    else afterEvents(() => this.#share());
  }

  release(connection: Connection): void {
    this.#reuses++;
    this.add(connection);
  }

  /** Sends requests that wait for connections on idle ones. */
  #share(): void {
    this.#isSharing = false;
    for (const awaited of this.#awaited) {
      const idle = this.#takeIdle();
      if (idle === undefined) return;
      this.#awaited.delete(awaited);
      awaited.passTo(idle);
      if (this.#spare === undefined) this.#spare = awaited;
      else awaited.expire();
    }
  }

  closedAfter(idle: number): void {
    if (idle < SILENT) this.#reuses = 0;
  }

  get hasIdle(): boolean {
    return this.#idle.length > 0;
  }

  remove(connection: Connection): void {
    this.opened(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
  }
}

function sendWaiting(): void {
  const requests = waiting;
  waiting = [];
  for (const { origin, method, text, response } of requests) {
    if (response.isOver) continue;
    try {
      origin.take().send(method, text, response);
    } catch (error) {
      // One failure must not affect the others.
      response.onError(error);
    }
  }
}
