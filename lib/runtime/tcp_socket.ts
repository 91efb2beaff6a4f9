/**
 * Connects to servers over TCP: with `node:net`, and on Bun with its own sockets, which take less memory and CPU time.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import process from "node:process";
import { connectError } from "./connect_error.ts";
import { type BunNamespace, type BunSocket, globals } from "./globals.ts";

/** Milliseconds of silence after which the system checks whether the other side still exists. */
const PROBE_DELAY = 60_000;

/** Receives what happens to a connection. */
export interface SocketListener {
  /** Called when there is a connection. */
  onOpen(): void;
  /** Called with bytes that arrived; their memory is the listener's. */
  onData(bytes: Buffer): void;
  /** Called when the other side sends nothing more, or the connection has closed; perhaps twice. */
  onEnd(): void;
  /** Called when the connection fails, or cannot be made; on Bun even before {@link openSocket} returns. */
  onError(error: unknown): void;
}

/** A connection. */
export interface TcpSocket {
  /** Sends text. There must be a connection. */
  write(text: string): void;
  /** Whether everything has been handed to the system. */
  readonly isFlushed: boolean;
  /** Whether requests on a new connection would take less CPU time. */
  readonly isSlow: boolean;
  pause(): void;
  resume(): void;
  /** Lets the connection keep the process alive, which is the default. */
  ref(): void;
  unref(): void;
  /** Closes the connection at once. */
  destroy(): void;
}

/** Where a connection leads. */
export interface SocketAddress {
  host: string;
  port: number;
  /** Whether the last connection could be made, if there was one. */
  isReached: boolean;
}

/** Connects to a host. */
export function openSocket(address: SocketAddress, listener: SocketListener): TcpSocket {
  // Bun's own sockets cannot be closed before there is a connection, which may take minutes.
  return globals.Bun !== undefined && address.isReached
    ? new BunTcpSocket(globals.Bun, address, listener)
    : new NodeTcpSocket(address, listener);
}

/**
 * Keeps a failure to send from closing a connection, and passes it to `onFailure`: the other side may have answered
 * before it closed the connection, and the answer can still be read. Reading ends after it.
 */
function keepReading(socket: Socket, onFailure: (error: Error) => void): void {
  const { _write: write, _writev: writev } = socket;
  type Callback = Parameters<typeof write>[2];
  const held = (callback: Callback): Callback => (error) => error ? onFailure(error) : callback();
  socket._write = (chunk, encoding, callback) =>
    write.call(socket, chunk, encoding, held(callback));
  if (writev !== undefined) {
    socket._writev = (chunks, callback) => writev.call(socket, chunks, held(callback));
  }
}

class NodeTcpSocket implements TcpSocket {
  readonly isSlow = globals.Bun !== undefined;
  readonly #socket: Socket;

  constructor({ host, port }: SocketAddress, listener: SocketListener) {
    // Not imported: only programs that send requests need it.
    const { connect } = process.getBuiltinModule("node:net");
    let isConnected = false;
    let sendFailure: Error | undefined;
    const onEnd = () =>
      sendFailure === undefined ? listener.onEnd() : listener.onError(sendFailure);
    this.#socket = connect({ host, port, noDelay: true, autoSelectFamily: true })
      .setKeepAlive(true, PROBE_DELAY)
      .on("data", (bytes: Buffer) => listener.onData(bytes))
      .on("end", onEnd)
      .on("connect", () => {
        isConnected = true;
        listener.onOpen();
      })
      .on("error", (error) => listener.onError(isConnected ? error : connectError(error)))
      .on("close", onEnd);
    // Bun reads what has arrived before it reports such a failure.
    if (globals.Bun === undefined) keepReading(this.#socket, (error) => sendFailure ??= error);
  }

  write(text: string): void {
    this.#socket.write(text);
  }

  get isFlushed(): boolean {
    return this.#socket.writableLength === 0;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  ref(): void {
    this.#socket.ref();
  }

  unref(): void {
    this.#socket.unref();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

class BunTcpSocket implements TcpSocket {
  readonly isSlow = false;
  readonly listener: SocketListener;
  readonly #address: SocketAddress;
  /** `undefined` until there is a connection. */
  #socket: BunSocket<BunTcpSocket> | undefined;
  /** What the system has not accepted yet. */
  #rest: Buffer | undefined;
  #isDestroyed = false;

  constructor(bun: BunNamespace, address: SocketAddress, listener: SocketListener) {
    this.listener = listener;
    this.#address = address;
    const { host, port } = address;
    // Failures also reach the handlers.
    bun.connect({ hostname: host, port, data: this, socket: HANDLERS }).catch(() => {});
  }

  open(socket: BunSocket<BunTcpSocket>): void {
    this.#socket = socket;
    if (this.#isDestroyed) return socket.close();
    socket.setNoDelay(true);
    socket.setKeepAlive(true, PROBE_DELAY);
    this.listener.onOpen();
  }

  write(text: string): void {
    const written = this.#socket!.write(text);
    if (written < Buffer.byteLength(text)) {
      this.#rest = Buffer.from(text).subarray(Math.max(0, written));
    }
  }

  flush(): void {
    const rest = this.#rest;
    if (rest === undefined) return;
    const written = Math.max(0, this.#socket!.write(rest));
    this.#rest = written < rest.length ? rest.subarray(written) : undefined;
  }

  get isFlushed(): boolean {
    return this.#rest === undefined;
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  ref(): void {
    this.#socket?.ref();
  }

  unref(): void {
    this.#socket?.unref();
  }

  destroy(): void {
    this.#isDestroyed = true;
    if (this.#socket === undefined) this.#address.isReached = false;
    else this.#socket.close();
  }
}

/** One object for all sockets. */
const HANDLERS = {
  open: (socket: BunSocket<BunTcpSocket>) => socket.data.open(socket),
  data: ({ data }: BunSocket<BunTcpSocket>, bytes: Buffer) => data.listener.onData(bytes),
  drain: ({ data }: BunSocket<BunTcpSocket>) => data.flush(),
  end: ({ data }: BunSocket<BunTcpSocket>) => data.listener.onEnd(),
  close({ data }: BunSocket<BunTcpSocket>, error?: Error) {
    if (error === undefined || error === null) data.listener.onEnd();
    else data.listener.onError(error);
  },
  error: ({ data }: BunSocket<BunTcpSocket>, error: Error) => data.listener.onError(error),
  connectError({ data }: BunSocket<BunTcpSocket>, error: Error) {
    data.listener.onError(connectError(error));
  },
};
