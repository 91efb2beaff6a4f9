/**
 * Types the parts of the `Deno` and `Bun` globals that are used.
 *
 * @module
 */

/** Handles one HTTP request. */
export type RequestHandler = (request: Request) => Response | Promise<Response>;

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
    handler: RequestHandler,
  ): { addr: { port: number }; finished: Promise<void> };
  /** Exists only with `--unstable-kv`. */
  openKv?(path: string): Promise<unknown>;
}

/** The parts of `Bun` that are used here. */
export interface BunNamespace {
  version: string;
  /** Whether this is a binary of `bun build --compile`. */
  isStandaloneExecutable?: boolean;
  serve(
    options: {
      port: number;
      hostname: string;
      idleTimeout: number;
      development: boolean;
      reusePort: boolean;
      fetch: RequestHandler;
      error: () => Response;
    },
  ): { port: number; stop(force: boolean): Promise<void> };
}

/** The runtime's global; Node has neither. */
export const globals = globalThis as unknown as { Deno?: DenoNamespace; Bun?: BunNamespace };
