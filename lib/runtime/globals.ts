/**
 * Types the parts of the `Deno` and `Bun` globals that are used.
 *
 * @module
 */
import type { Buffer } from "node:buffer";

/** The other side of a connection. */
export interface Peer {
  /** The IP address of the client, which may be a proxy; `undefined` if it has left. */
  address(): string | undefined;
}

/** Handles one HTTP request. */
export type RequestHandler = (request: Request, peer: Peer) => Response | Promise<Response>;

/** The parts of `Deno` that are used here. */
export interface DenoNamespace {
  version: { deno: string };
  serve(
    options: {
      port: number;
      hostname: string;
      signal: AbortSignal;
      onListen: () => void;
      onError: () => Response;
    },
    handler: (
      request: Request,
      info: { remoteAddr: { hostname?: string } },
    ) => Response | Promise<Response>,
  ): { addr: { port: number }; finished: Promise<void>; shutdown(): Promise<void> };
  /** Exists only with `--unstable-kv`. */
  openKv?(path: string): Promise<unknown>;
  permissions: { querySync(of: { name: "env"; variable: string }): { state: string } };
  /** Deno's own OpenTelemetry. */
  telemetry?: { tracerProvider: unknown };
}

/** A server of Bun. */
export interface BunServer {
  port: number;
  /** Stops listening; with `force`, also closes all connections. */
  stop(force: boolean): Promise<void>;
  requestIP(request: Request): { address: string } | null;
}

/** A TCP connection of Bun. */
export interface BunSocket<T> {
  /** What was given as `data`. */
  data: T;
  /** Returns how many bytes the system has accepted. */
  write(data: string | Uint8Array): number;
  setNoDelay(enabled: boolean): void;
  setKeepAlive(enabled: boolean, delay: number): void;
  pause(): void;
  resume(): void;
  ref(): void;
  unref(): void;
  /** Closes the connection at once. */
  close(): void;
}

/** What Bun calls for its connections. */
export interface BunSocketHandlers<T> {
  open(socket: BunSocket<T>): void;
  data(socket: BunSocket<T>, bytes: Buffer): void;
  drain(socket: BunSocket<T>): void;
  end(socket: BunSocket<T>): void;
  close(socket: BunSocket<T>, error?: Error): void;
  error(socket: BunSocket<T>, error: Error): void;
  connectError(socket: BunSocket<T>, error: Error): void;
}

/** The parts of `Bun` that are used here. */
export interface BunNamespace {
  version: string;
  /** Whether this is a binary of `bun build --compile`. */
  isStandaloneExecutable?: boolean;
  /** Collects garbage: at once with `force`, else when it is convenient. */
  gc(force: boolean): void;
  unsafe: {
    /** Scales how often code must run before it is optimized; 1 is normal, and more is later. */
    setJITPolicy(scale: number): void;
  };
  connect<T>(
    options: { hostname: string; port: number; data: T; socket: BunSocketHandlers<T> },
  ): Promise<unknown>;
  serve(
    options: {
      port: number;
      hostname: string;
      idleTimeout: number;
      maxRequestBodySize: number;
      development: boolean;
      reusePort: boolean;
      fetch: (request: Request, server: BunServer) => Response | Promise<Response>;
      error: () => Response;
    },
  ): BunServer;
}

/** The runtime's global; Node has neither. */
export const globals = globalThis as unknown as { Deno?: DenoNamespace; Bun?: BunNamespace };

/** Whether this is Deno. Bun first: its unit tests define a `Deno` with nothing but `test`. */
export const isDeno: boolean = globals.Bun === undefined && globals.Deno !== undefined;
