/**
 * One connection of our HTTP/1.1 client. It sends one request at a time.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import type { DispatchHandler } from "../../runtime/dispatched_response.ts";
import {
  openSocket,
  type SocketAddress,
  type SocketListener,
  type TcpSocket,
} from "../../runtime/tcp_socket.ts";
import { type Deadline, deadlinesOf, type Expiring } from "../deadlines.ts";
import type { ResponseHead } from "./response_head.ts";
import { type ResponseListener, ResponseParser } from "./response_parser.ts";

/** Seconds for which an idle connection is kept: less than the five after which Node's and uvicorn's servers close it. */
const KEEP_ALIVE = 4;
/** Seconds after which an attempt to connect that no request waits for ends: by then, the system would repeat it. */
const SPARE = 1;
/** Seconds before the end of the server's `keep-alive` at which a connection is no longer used. */
const MARGIN = 1;

/** The server of a connection, and the pool it returns to. */
export interface Destination extends SocketAddress {
  /** Whether there are idle connections. */
  readonly hasIdle: boolean;
  /** Called when a request waits until there is a connection. */
  expect(connection: Connection): void;
  /** Called when there is a connection, before the request that waits for it is sent. */
  opened(connection: Connection): void;
  /** Called when a connection that no request has used is idle. */
  add(connection: Connection): void;
  /** Called when a connection is idle after an answer. */
  release(connection: Connection): void;
  /** Called when a connection is closed. */
  remove(connection: Connection): void;
  /** Called when the server closes a connection after an answer, with the milliseconds since then. */
  closedAfter(idle: number): void;
}

/** A request that waits until there is a connection. */
interface Unsent {
  method: string;
  text: string;
  handler: DispatchHandler;
}

/** A connection to one server. */
export class Connection implements Expiring, ResponseListener, SocketListener {
  readonly #destination: Destination;
  readonly #socket: TcpSocket;
  readonly #parser = new ResponseParser(this);
  /** The response that is received; `undefined` while the connection is idle or closed. */
  #handler: DispatchHandler | undefined;
  #head: ResponseHead | undefined;
  #deadline: Deadline | undefined;
  #isOpen = false;
  #unsent: Unsent | undefined;
  /** When the connection became idle, and until when it can be used, in milliseconds of `performance.now()`. */
  #idleSince = 0;
  #idleUntil = 0;
  #isClosed = false;
  /** Why it was closed, if not by us. */
  #failure: unknown;
  readonly #abort = (reason?: unknown) => this.#fail(reason);
  readonly #resume = () => void this.#socket.resume();

  /** Connects to `destination`. */
  constructor(destination: Destination) {
    this.#destination = destination;
    this.#socket = openSocket(destination, this);
  }

  /** Sends a request: `text` is its head and its body. */
  send(method: string, text: string, handler: DispatchHandler): void {
    this.#deadline?.remove();
    this.#handler = handler;
    this.#head = undefined;
    this.#parser.start(method);
    this.#socket.ref();
    handler.onConnect(this.#abort);
    if (this.#isClosed) return this.#fail(this.#failure);
    // It may have been aborted.
    if (this.#handler !== handler) return;
    if (this.#isOpen) return this.#write(text);
    this.#unsent = { method, text, handler };
    this.#destination.expect(this);
  }

  #write(text: string): void {
    try {
      this.#socket.write(text);
    } catch (error) {
      this.#fail(error);
    }
  }

  onOpen(): void {
    if (this.#isClosed) return;
    this.#isOpen = true;
    const unsent = this.#unsent;
    this.#unsent = undefined;
    this.#destination.opened(this);
    if (unsent !== undefined) return this.#write(unsent.text);
    this.#keep(KEEP_ALIVE);
    this.#destination.add(this);
  }

  /** Sends the request that waits for this connection on another one. This one can be used for a later request. */
  passTo(other: Connection): void {
    const { method, text, handler } = this.#unsent!;
    this.#unsent = undefined;
    this.#handler = undefined;
    this.#socket.unref();
    this.#deadline = deadlinesOf(SPARE).add(this);
    other.send(method, text, handler);
  }

  /** Closes the connection, which no request uses. */
  expire(): void {
    this.#close();
  }

  onHead(head: ResponseHead): void {
    this.#destination.isReached = true;
    this.#head = head;
    this.#handler?.onHeaders(head.status, head.rawHeaders, this.#resume);
  }

  onBody(part: Uint8Array): void {
    if (this.#handler?.onData(part) === false) this.#socket.pause();
  }

  onData(bytes: Buffer): void {
    // No request is pending: the connection is no longer in step.
    if (this.#handler === undefined) return this.#close();
    try {
      const read = this.#parser.push(bytes);
      if (this.#parser.isComplete) this.#complete(read === bytes.length);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Ends a response. */
  #complete(isInStep: boolean): void {
    const handler = this.#handler;
    if (handler === undefined) return;
    this.#handler = undefined;
    // Some servers answer before they have read the whole request.
    const isReady = isInStep && this.#socket.isFlushed;
    handler.onComplete();
    const { isPersistent, keepAlive = Infinity } = this.#head!;
    const seconds = Math.min(KEEP_ALIVE, keepAlive - MARGIN);
    // Of several connections, the first ones are replaced by cheaper ones.
    const isReplaced = this.#socket.isSlow && this.#destination.hasIdle;
    if (isReady && isPersistent && seconds > 0 && !isReplaced) {
      this.#keep(seconds);
      this.#destination.release(this);
    } else {
      this.#close();
    }
  }

  /** Keeps the connection for the next request. */
  #keep(seconds: number): void {
    this.#idleSince = performance.now();
    this.#idleUntil = this.#idleSince + seconds * 1000;
    const queue = deadlinesOf(seconds);
    if (this.#deadline?.queue === queue) {
      this.#deadline.restart();
    } else {
      this.#deadline?.remove();
      this.#deadline = queue.add(this);
    }
    this.#socket.resume();
    // The program may end.
    this.#socket.unref();
  }

  /** Whether an idle connection can still be used. Its deadline does not tell: a busy process extends deadlines. */
  isUsable(now: number): boolean {
    return !this.#isClosed && now < this.#idleUntil;
  }

  /** Milliseconds since the connection became idle. */
  idleFor(now: number): number {
    return now - this.#idleSince;
  }

  /** Handles the server's end of the connection. */
  onEnd(): void {
    if (this.#isClosed) return;
    if (this.#handler === undefined) {
      this.#destination.closedAfter(this.idleFor(performance.now()));
      return this.#close();
    }
    try {
      this.#parser.end();
      this.#complete(false);
    } catch (error) {
      this.onError(error);
    }
  }

  onError(error: unknown): void {
    // It may have been closed right after the last answer.
    const wasIdle = this.#isOpen && this.#deadline !== undefined && this.#head === undefined;
    if (wasIdle) this.#destination.closedAfter(0);
    this.#fail(error);
  }

  #fail(error: unknown): void {
    this.#failure = error;
    const handler = this.#handler;
    this.#handler = undefined;
    this.#close();
    handler?.onError(error);
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#deadline?.remove();
    this.#destination.remove(this);
    // Bun may report a failure before `openSocket` returns.
    this.#socket?.destroy();
  }
}
