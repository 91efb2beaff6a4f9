/**
 * Serves HTTP on Deno, Bun and Node.
 *
 * @module
 */
import process from "node:process";
import { clearInterval, clearTimeout, setInterval, setTimeout } from "node:timers";
import { ConfigurationError } from "../errors.ts";
import { type BunNamespace, type DenoNamespace, globals, type RequestHandler } from "./globals.ts";

/** A running HTTP server. */
export interface HttpServer {
  /** The port it listens on. */
  port: number;
  /** Stops listening, and resolves when all responses have been sent and the connections are closed. */
  stop(): Promise<void>;
  /** Stops listening and closes all connections; after {@link HttpServer.stop}, Deno only waits for them. */
  close(): Promise<void>;
}

/** Options of {@link serve}. */
export interface ServeOptions {
  /**
   * Maximum size of a request body in bytes that the handler still gets, at least. Where the runtime has
   * a limit of its own, it answers larger ones with 413.
   */
  maxBodyBytes?: number;
}

/** Interval in milliseconds at which a stopping server on Node closes idle connections. */
const IDLE_CHECK = 50;

/** Bun's own default of the largest request body, in bytes. */
const BUN_BODY_BYTES = 128 * 2 ** 20;

/** Seconds that Node keeps an idle connection open: longer than the proxies in front of it, which reuse them. */
const NODE_KEEP_ALIVE = 75;

/** Milliseconds until Deno listens again after it could not accept a connection. */
const LISTEN_AGAIN = 100;

/** The command that shows which program listens on a port. */
function findCommand(port: number): string {
  if (process.platform === "win32") return `netstat -ano | findstr :${port}`;
  return process.platform === "linux" ? `ss -ltnp 'sport = :${port}'` : `lsof -i :${port}`;
}

function listenProblem(error: unknown, hostname: string, port: number): ConfigurationError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const message = error instanceof Error ? error.message : String(error);
  const text = `${code} ${error instanceof Error ? error.name : ""} ${message}`;
  const where = `${hostname}:${port}`;
  if (/EADDRINUSE|AddrInUse|in use/i.test(text)) {
    return new ConfigurationError(`${where} is in use by another program`, {
      cause: error,
      hint: "Choose another port with --port, or 0 for any free one. " +
        `To see which program uses it: ${findCommand(port)}`,
    });
  }
  if (/EACCES|PermissionDenied|permission/i.test(text)) {
    return new ConfigurationError(`no permission to listen on ${where}`, {
      cause: error,
      hint: "Choose a port above 1023.",
    });
  }
  return new ConfigurationError(`cannot listen on ${where}: ${message}`, {
    cause: error,
    hint: "Check --host: 127.0.0.1 is this machine only, 0.0.0.0 is every interface.",
  });
}

function serveOnDeno(
  deno: DenoNamespace,
  hostname: string,
  port: number,
  handler: RequestHandler,
): HttpServer {
  const closing = new AbortController();
  const listen = (port: number) =>
    deno.serve(
      {
        port,
        hostname,
        signal: closing.signal,
        onListen: () => {},
        onError: () => new Response("internal error", { status: 500 }),
      },
      (request, info) => handler(request, { address: () => info.remoteAddr.hostname }),
    );
  let server = listen(port);
  const { port: bound } = server.addr;
  let isStopping = false;
  let waiting: ReturnType<typeof setTimeout> | undefined;
  /** Deno stops listening if it cannot accept a connection, as when too many files are open. */
  const onFailure = () => {
    if (isStopping || closing.signal.aborted) return;
    waiting = setTimeout(() => {
      waiting = undefined;
      try {
        server = listen(bound);
        server.finished.catch(onFailure);
      } catch {
        onFailure();
      }
    }, LISTEN_AGAIN);
  };
  server.finished.catch(onFailure);
  return {
    port: bound,
    async stop() {
      isStopping = true;
      clearTimeout(waiting);
      if (waiting === undefined) await server.shutdown();
    },
    async close() {
      clearTimeout(waiting);
      // Deno cannot abort a server that is stopping.
      if (!isStopping) closing.abort();
      if (waiting === undefined) await server.finished;
    },
  };
}

function serveOnBun(
  bun: BunNamespace,
  hostname: string,
  port: number,
  handler: RequestHandler,
  { maxBodyBytes = 0 }: ServeOptions,
): HttpServer {
  const server = bun.serve({
    port,
    hostname,
    // By default Bun cuts a response that is silent for 10 seconds.
    idleTimeout: 0,
    maxRequestBodySize: Math.max(BUN_BODY_BYTES, 2 * maxBodyBytes),
    development: false,
    // By default Bun silently lets a second server use the same port.
    reusePort: false,
    fetch: (request, server) =>
      handler(request, { address: () => server.requestIP(request)?.address }),
    error: () => new Response("internal error", { status: 500 }),
  });
  return { port: server.port, stop: () => server.stop(false), close: () => server.stop(true) };
}

/** The connection of a request on Node, as Hono's adapter passes it on. */
interface NodeBindings {
  incoming: { socket: { remoteAddress?: string } };
}

/** Loads Hono's adapter, since Node's own HTTP server takes no fetch handler. */
async function serveOnNode(
  hostname: string,
  port: number,
  handler: RequestHandler,
): Promise<HttpServer> {
  const { createAdaptorServer } = await import("@hono/node-server");
  const server = createAdaptorServer({
    fetch: (request: Request, env: unknown) => {
      const { incoming } = env as NodeBindings;
      return handler(request, { address: () => incoming.socket.remoteAddress });
    },
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, hostname, () => resolve());
  });
  if ("keepAliveTimeout" in server) server.keepAliveTimeout = NODE_KEEP_ALIVE * 1000;
  const address = server.address() as { port: number };
  const stop = () =>
    new Promise<void>((resolve) => {
      // Node itself closes only the connections that are idle when it stops.
      const timer = setInterval(() => {
        if ("closeIdleConnections" in server) server.closeIdleConnections();
      }, IDLE_CHECK);
      server.close(() => {
        clearInterval(timer);
        resolve();
      });
    });
  return {
    port: address.port,
    stop,
    close() {
      const stopped = stop();
      if ("closeAllConnections" in server) server.closeAllConnections();
      return stopped;
    },
  };
}

/**
 * Serves HTTP on an address. When the client leaves, the request's `signal` aborts and the response's body is
 * cancelled.
 *
 * @param port 0 for any free port
 * @throws {ConfigurationError} if it cannot listen there
 */
export async function serve(
  hostname: string,
  port: number,
  handler: RequestHandler,
  options: ServeOptions = {},
): Promise<HttpServer> {
  try {
    if (globals.Bun !== undefined) return serveOnBun(globals.Bun, hostname, port, handler, options);
    if (globals.Deno !== undefined) return serveOnDeno(globals.Deno, hostname, port, handler);
    return await serveOnNode(hostname, port, handler);
  } catch (error) {
    throw listenProblem(error, hostname, port);
  }
}
