/**
 * The mock app behind a port.
 *
 * @module
 */
import { serve } from "../runtime.ts";
import { createMockApp } from "./mock_app.ts";
import type { MockOptions } from "./options.ts";

/** Where a mock server listens, beside what it does. */
export interface MockServerOptions extends MockOptions {
  /** Default 127.0.0.1: this machine only. */
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
  /** Stops listening and cuts what is open. */
  close(): Promise<void>;
}

/**
 * Starts a mock server on Deno or Bun.
 *
 * @throws {ConfigurationError} when an option is out of its range or the port cannot be taken
 */
export function startMockServer(options: MockServerOptions = {}): MockServer {
  const { hostname = "127.0.0.1", port = 0 } = options;
  const app = createMockApp(options);
  const server = serve(hostname, port, (request) => app.fetch(request));
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  return {
    port: server.port,
    baseUrl: `http://${host}:${server.port}/v1`,
    close: () => server.close(),
    [Symbol.asyncDispose]: () => server.close(),
  };
}
