/**
 * Uses what differs between Deno, Bun and Node. All other code uses web standards and `node:` modules.
 *
 * @module
 */
import process from "node:process";
import { ConfigurationError } from "../errors.ts";

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
  /** Exists only with `--unstable-kv`. */
  openKv?(path: string): Promise<KvDatabase>;
}

/** The parts of `Bun` that are used here. */
interface BunNamespace {
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

const globals = globalThis as unknown as { Deno?: DenoNamespace; Bun?: BunNamespace };

/** The runtime's name and version, such as `deno 2.9.6`. */
export function runtimeName(): string {
  if (globals.Bun !== undefined) return `bun ${globals.Bun.version}`;
  if (globals.Deno !== undefined) return `deno ${globals.Deno.version.deno}`;
  return `node ${process.versions.node}`;
}

/** Whether the runtime's byte streams support BYOB readers, which fill the reader's own buffer. */
export const streamsFillMemory = globals.Bun === undefined;

/** Whether child processes ignore the signals that this process ignores. Bun resets them. */
export const childrenInheritIgnoredSignals = globals.Bun === undefined;

/** The variable that limits Bun's concurrent requests. Bun reads it once, when it starts. */
export const REQUESTS_VARIABLE = "BUN_CONFIG_MAX_HTTP_REQUESTS";

/** The largest value that Bun accepts for it. */
const MAX_REQUESTS = 65_535;

/** The maximum number of requests that the runtime sends at a time; more wait inside it. */
export function maxRequests(): number {
  if (globals.Bun === undefined) return Infinity;
  const value = Number(process.env[REQUESTS_VARIABLE]);
  return Number.isInteger(value) && value > 0 && value <= MAX_REQUESTS ? value : 256;
}

/**
 * Raises the runtime's limit to `count` concurrent requests.
 *
 * On Bun this may replace the process in place, with the same process id, terminal and standard
 * streams, so call it before anything is read or written. Bun on Windows cannot do that: there it has
 * no effect, and {@link maxRequests} remains the limit.
 */
export function allowRequests(count: number): void {
  const wanted = Math.min(count, MAX_REQUESTS);
  // After the restart this is false, so there is no second one.
  if (wanted <= maxRequests()) return;
  const { execve, execPath, argv0, argv, execArgv, env } = process as typeof process & {
    execve?: (file: string, args: string[], env: Record<string, string | undefined>) => void;
  };
  const args = globals.Bun?.isStandaloneExecutable
    ? argv.slice(2)
    : [...execArgv, ...argv.slice(1)];
  try {
    execve?.call(process, execPath, [argv0, ...args], {
      ...env,
      [REQUESTS_VARIABLE]: String(wanted),
    });
  } catch {
    // The run continues with the lower limit and prints a warning.
  }
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

/** An atomic operation of Deno KV: all of its changes are made, or none. */
export interface KvAtomic {
  set(key: KvKey, value: unknown): KvAtomic;
  delete(key: KvKey): KvAtomic;
  sum(key: KvKey, amount: bigint): KvAtomic;
  commit(): Promise<unknown>;
}

/** Opens a Deno KV database; `undefined` if this runtime has none. */
export const openKv: ((path: string) => Promise<KvDatabase>) | undefined = globals.Deno?.openKv
  ?.bind(globals.Deno);

let survivesFileSizeLimit = globals.Deno === undefined;

/**
 * Makes a write beyond the file size limit (`ulimit -f`) fail instead of killing the process. Only Deno
 * needs this: Bun and Node ignore the signal.
 */
export function surviveFileSizeLimit(): void {
  if (survivesFileSizeLimit || process.platform === "win32") return;
  survivesFileSizeLimit = true;
  process.on("SIGXFSZ", () => {});
}

/** Calls the global `fetch`, looked up for each request so that it can be replaced. */
export function defaultFetch(url: string, init: RequestInit): Promise<Response> {
  return fetch(url, init);
}

/** Handles one HTTP request. */
export type RequestHandler = (request: Request) => Response | Promise<Response>;

/** A running HTTP server. */
export interface HttpServer {
  /** The port it listens on. */
  port: number;
  /** Stops listening and closes all connections. */
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
    hint: "Check --host: 127.0.0.1 is this machine only, 0.0.0.0 is every interface.",
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
  // A mock may be configured to respond after minutes.
  const server = bun.serve({
    port,
    hostname,
    idleTimeout: 0,
    development: false,
    // By default Bun silently lets a second server use the same port.
    reusePort: false,
    fetch: handler,
    error: () => new Response("internal error", { status: 500 }),
  });
  return { port: server.port, close: () => server.stop(true) };
}

/**
 * Serves HTTP.
 *
 * @param port 0 for any free port
 * @throws {ConfigurationError} if it cannot listen there, or on Node, whose HTTP server takes no fetch
 *   handler
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
