/**
 * Serves HTTP on Deno, Bun and Node.
 *
 * @module
 */
import process from "node:process";
import { ConfigurationError } from "../errors.ts";
import { type BunNamespace, type DenoNamespace, globals, type RequestHandler } from "./globals.ts";

/** A running HTTP server. */
export interface HttpServer {
  /** The port it listens on. */
  port: number;
  /** Stops listening and closes all connections. */
  close(): Promise<void>;
}

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

/** Loads Hono's adapter, since Node's own HTTP server takes no fetch handler. */
async function serveOnNode(
  hostname: string,
  port: number,
  handler: RequestHandler,
): Promise<HttpServer> {
  const { createAdaptorServer } = await import("@hono/node-server");
  const server = createAdaptorServer({ fetch: handler });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, hostname, () => resolve());
  });
  const address = server.address() as { port: number };
  return {
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        if ("closeAllConnections" in server) server.closeAllConnections();
      }),
  };
}

/**
 * Serves HTTP on an address.
 *
 * @param port 0 for any free port
 * @throws {ConfigurationError} if it cannot listen there
 */
export async function serve(
  hostname: string,
  port: number,
  handler: RequestHandler,
): Promise<HttpServer> {
  try {
    if (globals.Bun !== undefined) return serveOnBun(globals.Bun, hostname, port, handler);
    if (globals.Deno !== undefined) return serveOnDeno(globals.Deno, hostname, port, handler);
    return await serveOnNode(hostname, port, handler);
  } catch (error) {
    throw listenProblem(error, hostname, port);
  }
}
