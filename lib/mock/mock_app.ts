/**
 * The mock server as a fetch handler, which needs no port.
 *
 * @module
 */
import { type MockOptions, type MockSettings, mockSettings } from "./options.ts";

/** A mock server without a port. */
export interface MockApp {
  /** Answers one request. */
  fetch(request: Request): Promise<Response>;
}

type App = { fetch(request: Request): Response | Promise<Response> };

/** Loads Hono and the formats on the first request: clients that never use the mock don't pay for it. */
async function loadApp(settings: MockSettings): Promise<App> {
  const [{ buildMockApp }, { loadServers }] = await Promise.all([
    import("./app.ts"),
    import("../protocols/servers.ts"),
  ]);
  return buildMockApp(settings, await loadServers());
}

/**
 * Creates a mock server for OpenAI Chat Completions, OpenAI Responses, Anthropic Messages and Gemini. It
 * supports plain and streamed answers, usage, required tool calls, structured output, model lists, and
 * the errors of each API. The web framework is loaded with the first request.
 *
 * @example
 * ```ts
 * import { createMockApp, LLMClient } from "@flexllm/flexllm";
 *
 * const app = createMockApp({ responses: [{ match: "ping", text: "pong" }] });
 * await using client = new LLMClient({
 *   baseUrl: "http://mock.invalid/v1",
 *   model: "any",
 *   fetch: (url, init) => app.fetch(new Request(url, init)),
 * });
 * const { content } = await client.chatCompletions([{ role: "user", content: "ping" }]);
 * console.log(content); // pong
 * ```
 *
 * @throws {ConfigurationError} if an option is out of range
 */
export function createMockApp(options: MockOptions = {}): MockApp {
  const settings = mockSettings(options);
  let app: App | undefined;
  let loading: Promise<App> | undefined;
  return {
    fetch(request) {
      if (app !== undefined) return Promise.resolve(app.fetch(request));
      loading ??= loadApp(settings).then((loaded) => app = loaded);
      return loading.then((app) => app.fetch(request));
    },
  };
}
