/**
 * Serves the mock app on a port.
 *
 * @module
 */
import { serve } from "../runtime/http_server.ts";
import { isLoopback, loopbackCheck } from "./loopback.ts";
import { createMockApp, type MockApp } from "./mock_app.ts";
import type { MockOptions } from "./options.ts";

/** The options of {@link startMockServer}. */
export interface MockServerOptions extends MockOptions {
  /**
   * The address to listen on. On a loopback address, requests to other host names are rejected.
   *
   * @default "127.0.0.1"
   */
  hostname?: string;
  /**
   * The port to listen on; 0 picks a free port.
   *
   * @default 0
   */
  port?: number;
}

/** A running mock server. */
export interface MockServer extends AsyncDisposable {
  /** The port that it listens on. */
  port: number;
  /** The base URL for clients, e.g. `http://127.0.0.1:8001/v1`. */
  baseUrl: string;
  /** Stops listening and closes open connections. */
  close(): Promise<void>;
}

/** Rejects requests whose `Host` header does not name this machine. */
function guarded(app: MockApp): (request: Request) => Response | Promise<Response> {
  const isLocal = loopbackCheck();
  return (request) => {
    const host = request.headers.get("host");
    if (isLocal(host)) return app.fetch(request);
    const message =
      `The mock server only accepts local requests, not requests to the host "${host}". ` +
      "Use localhost or 127.0.0.1, or start it with --host 0.0.0.0 to accept any host.";
    return Response.json({ error: { message, type: "forbidden_host" } }, { status: 403 });
  };
}

/**
 * Starts a mock server.
 *
 * @example
 * ```ts
 * import { LLMClient, startMockServer } from "@flexllm/flexllm";
 *
 * await using server = await startMockServer({ errorRate: 0.1 });
 * await using client = new LLMClient({ baseUrl: server.baseUrl, model: "any" });
 * await client.chatCompletions([{ role: "user", content: "Hello!" }]);
 * ```
 *
 * @throws {ConfigurationError} if an option is out of range or the port is in use
 */
export async function startMockServer(options: MockServerOptions = {}): Promise<MockServer> {
  const { hostname = "127.0.0.1", port = 0 } = options;
  const app = createMockApp(options);
  const answer = isLoopback(hostname) ? guarded(app) : (request: Request) => app.fetch(request);
  const server = await serve(hostname, port, answer);
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  return {
    port: server.port,
    baseUrl: `http://${host}:${server.port}/v1`,
    close: () => server.close(),
    [Symbol.asyncDispose]: () => server.close(),
  };
}
