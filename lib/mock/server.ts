/**
 * The mock app behind a port.
 *
 * @module
 */
import { serve } from "../runtime/runtime.ts";
import { isLoopback, loopbackCheck } from "./loopback.ts";
import { createMockApp, type MockApp } from "./mock_app.ts";
import type { MockOptions } from "./options.ts";

/** Where a mock server listens, in addition to what it does. */
export interface MockServerOptions extends MockOptions {
  /** Default 127.0.0.1: this machine only, and only under its own names. */
  hostname?: string;
  /** Default 0: any free port. */
  port?: number;
}

/** A running mock server. */
export interface MockServer extends AsyncDisposable {
  /** The port it listens on. */
  port: number;
  /** The base URL for clients, e.g. `http://127.0.0.1:8001/v1`. */
  baseUrl: string;
  /** Stops listening and closes open connections. */
  close(): Promise<void>;
}

/** Refuses requests that reach this machine under a name that is not its own. */
function guarded(app: MockApp): (request: Request) => Response | Promise<Response> {
  const isOurs = loopbackCheck();
  return (request) => {
    const host = request.headers.get("host");
    if (isOurs(host)) return app.fetch(request);
    const message =
      `The mock listens on this machine only and does not answer to the host "${host}". ` +
      "Use localhost or 127.0.0.1, or start it with --host 0.0.0.0 to answer to any name.";
    return Response.json({ error: { message, type: "forbidden_host" } }, { status: 403 });
  };
}

/**
 * Starts a mock server. Needs Deno or Bun.
 *
 * @example
 * ```ts
 * import { LLMClient, startMockServer } from "@flexllm/flexllm";
 *
 * await using server = startMockServer({ errorRate: 0.1 });
 * await using client = new LLMClient({ baseUrl: server.baseUrl, model: "any" });
 * await client.chatCompletions([{ role: "user", content: "Hello!" }]);
 * ```
 *
 * @throws {ConfigurationError} if an option is out of range or the port is in use
 */
export function startMockServer(options: MockServerOptions = {}): MockServer {
  const { hostname = "127.0.0.1", port = 0 } = options;
  const app = createMockApp(options);
  const answer = isLoopback(hostname) ? guarded(app) : (request: Request) => app.fetch(request);
  const server = serve(hostname, port, answer);
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  return {
    port: server.port,
    baseUrl: `http://${host}:${server.port}/v1`,
    close: () => server.close(),
    [Symbol.asyncDispose]: () => server.close(),
  };
}
