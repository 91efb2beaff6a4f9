/**
 * The only module that knows which runtime this is. Everything else uses web standards and `node:`
 * built-ins.
 *
 * @module
 */
import process from "node:process";
import { ConfigurationError } from "./errors.ts";

/** The parts of `Deno` that are used here. */
interface DenoNamespace {
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
  /** Only there with `--unstable-kv`. */
  openKv?(path: string): Promise<KvDatabase>;
}

/** The parts of `Bun` that are used here. */
interface BunNamespace {
  version: string;
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

const globals = globalThis as unknown as { Deno?: DenoNamespace; Bun?: BunNamespace };

/** The runtime's name and version, e.g. `deno 2.9.6`. */
export function runtimeName(): string {
  if (globals.Bun !== undefined) return `bun ${globals.Bun.version}`;
  if (globals.Deno !== undefined) return `deno ${globals.Deno.version.deno}`;
  return `node ${process.versions.node}`;
}

/** Whether the runtime's own streams of bytes can fill memory that the reader brings along. */
export const streamsFillMemory = globals.Bun === undefined;

/** The variable with which Bun is told how many requests it may have in flight. */
export const REQUESTS_VARIABLE = "BUN_CONFIG_MAX_HTTP_REQUESTS";

/** How many requests the runtime has in flight at most; more wait in it. */
export function mostRequests(): number {
  if (globals.Bun === undefined) return Infinity;
  return Number(process.env[REQUESTS_VARIABLE]) || 256;
}

/** A key of Deno KV. */
export type KvKey = readonly (string | number)[];

/** The parts of a `Deno.Kv` that are used here. */
export interface KvDatabase {
  /** At most 10 keys. */
  getMany(keys: readonly KvKey[]): Promise<{ value: unknown }[]>;
  list(
    selector: { prefix: KvKey },
    options: { batchSize: number },
  ): AsyncIterable<{ key: KvKey; value: unknown }>;
  atomic(): KvAtomic;
  close(): void;
}

/** Changes that Deno KV makes all at once, or not at all. */
export interface KvAtomic {
  set(key: KvKey, value: unknown): KvAtomic;
  delete(key: KvKey): KvAtomic;
  sum(key: KvKey, amount: bigint): KvAtomic;
  commit(): Promise<unknown>;
}

/** What opens a Deno KV database; `undefined` where this runtime has none. */
export const openKv: ((path: string) => Promise<KvDatabase>) | undefined = globals.Deno?.openKv
  ?.bind(globals.Deno);

let survivesFileSizeLimit = globals.Deno === undefined;

/**
 * Makes a write beyond the limit of a file's size (`ulimit -f`) fail instead of ending the process. Bun
 * and Node do so by themselves, Deno dies of the signal.
 */
export function surviveFileSizeLimit(): void {
  if (survivesFileSizeLimit || process.platform === "win32") return;
  survivesFileSizeLimit = true;
  process.on("SIGXFSZ", () => {});
}

/** The runtime's own `fetch`, whatever it is when a request is sent. */
export function defaultFetch(url: string, init: RequestInit): Promise<Response> {
  return fetch(url, init);
}

/** Answers one HTTP request. */
export type RequestHandler = (request: Request) => Response | Promise<Response>;

/** A running HTTP server. */
export interface HttpServer {
  /** The port it listens on. */
  port: number;
  /** Stops listening and cuts what is open. */
  close(): Promise<void>;
}

function listenProblem(error: unknown, hostname: string, port: number): ConfigurationError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const text = `${code} ${error instanceof Error ? `${error.name} ${error.message}` : error}`;
  const where = `${hostname}:${port}`;
  if (/EADDRINUSE|AddrInUse|in use/i.test(text)) {
    return new ConfigurationError(`${where} is in use by another program`, {
      cause: error,
      hint: "Choose another port with --port, or 0 for any free one.",
    });
  }
  if (/EACCES|PermissionDenied|permission/i.test(text)) {
    return new ConfigurationError(`no permission to listen on ${where}`, {
      cause: error,
      hint: "Choose a port above 1023.",
    });
  }
  return new ConfigurationError(`cannot listen on ${where}: ${text.trim()}`, {
    cause: error,
    hint: "Check --host; 127.0.0.1 is this machine only, 0.0.0.0 every interface.",
  });
}

function serveOnDeno(deno: DenoNamespace, hostname: string, port: number, handler: RequestHandler) {
  const closing = new AbortController();
  const server = deno.serve(
    {
      port,
      hostname,
      signal: closing.signal,
      onListen: () => {},
      onError: () => new Response("internal error", { status: 500 }),
    },
    handler,
  );
  return {
    port: server.addr.port,
    close() {
      closing.abort();
      return server.finished;
    },
  };
}

function serveOnBun(bun: BunNamespace, hostname: string, port: number, handler: RequestHandler) {
  // No idle timeout: a mock may be told to think for minutes.
  const server = bun.serve({
    port,
    hostname,
    idleTimeout: 0,
    development: false,
    // Outside of development Bun lets a second server take the same port without a word.
    reusePort: false,
    fetch: handler,
    error: () => new Response("internal error", { status: 500 }),
  });
  return { port: server.port, close: () => server.stop(true) };
}

/**
 * Serves HTTP on `hostname` and `port`; port 0 takes any free one.
 *
 * @throws {ConfigurationError} when it cannot listen there, or the runtime has no HTTP server of
 *   this kind (Node)
 */
export function serve(hostname: string, port: number, handler: RequestHandler): HttpServer {
  try {
    if (globals.Bun !== undefined) return serveOnBun(globals.Bun, hostname, port, handler);
    if (globals.Deno !== undefined) return serveOnDeno(globals.Deno, hostname, port, handler);
  } catch (error) {
    throw listenProblem(error, hostname, port);
  }
  throw new ConfigurationError("the mock server needs Deno or Bun", {
    hint: "On Node, let app be createMockApp(), and give clients this as their fetch option: " +
      "(url, init) => app.fetch(new Request(url, init))",
  });
}
