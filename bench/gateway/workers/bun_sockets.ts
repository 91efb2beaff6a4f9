/**
 * The part of Bun's socket API that the benchmarks use. Raw sockets cost a tenth of `fetch`, so that the load
 * generator takes little of the machine.
 */

/** A TCP connection. `data` is the state of the code that opened it. */
export interface BunSocket<T> {
  data: T;
  write(text: string): number;
  /** Closes the connection at once. */
  terminate(): void;
}

/** The events of a connection. */
export interface SocketHandlers<T> {
  open?(socket: BunSocket<T>): void;
  data(socket: BunSocket<T>, bytes: Uint8Array): void;
  close?(socket: BunSocket<T>): void;
  error?(socket: BunSocket<T>, error: Error): void;
}

/** `Bun.connect` and `Bun.listen`. */
export interface BunSockets {
  connect<T>(options: {
    hostname: string;
    port: number;
    data: T;
    socket: SocketHandlers<T>;
  }): Promise<BunSocket<T>>;
  listen<T>(options: {
    hostname: string;
    port: number;
    socket: SocketHandlers<T>;
  }): { port: number };
}

export const { Bun } = globalThis as unknown as { Bun: BunSockets };
