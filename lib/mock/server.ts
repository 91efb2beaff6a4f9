/**
 * Serves the mock app on a port.
 *
 * @module
 */
import { type HttpServer, serve } from "../runtime/http_server.ts";
import { addFacts } from "./access_log.ts";
import { isLoopback, loopbackCheck } from "../transport/loopback.ts";
import { type LoadedApp, loadMock } from "./mock_app.ts";
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
  /**
   * The base URL for clients, e.g. `http://127.0.0.1:8001/v1`. While recording, its path is that of the real
   * server's URL.
   */
  baseUrl: string;
  /** The number of exchanges that the recording had at the start; `undefined` without one. */
  exchanges?: number;
  /** Stops listening and closes open connections. */
  close(): Promise<void>;
}

/** The path of the base URL. */
function basePath({ record }: MockOptions): string {
  return record === undefined ? "/v1" : new URL(record.url).pathname.replace(/\/$/, "");
}

/** Rejects requests whose `Host` header does not name this machine. */
function localOnly(answer: LoadedApp["fetch"]): LoadedApp["fetch"] {
  const isLocal = loopbackCheck();
  return (request) => {
    const host = request.headers.get("host");
    if (isLocal(host)) return answer(request);
    const message =
      `The mock server only accepts local requests, not requests to the host "${host}". ` +
      "Use localhost or 127.0.0.1, or start it with --host 0.0.0.0 to accept any host.";
    addFacts(request, { error: `the host "${host}" is not allowed` });
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
 * @throws {InvalidInputError} if a recording cannot be read
 */
export async function startMockServer(options: MockServerOptions = {}): Promise<MockServer> {
  const { hostname = "127.0.0.1", port = 0 } = options;
  const app = await loadMock(options, isLoopback(hostname) ? localOnly : undefined);
  let server: HttpServer;
  try {
    server = await serve(hostname, port, app.fetch);
  } catch (error) {
    app.close();
    throw error;
  }
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  let closing: Promise<void> | undefined;
  const close = () => closing ??= server.close().then(() => app.close());
  return {
    port: server.port,
    baseUrl: `http://${host}:${server.port}${basePath(options)}`,
    exchanges: app.exchanges,
    close,
    [Symbol.asyncDispose]: close,
  };
}
