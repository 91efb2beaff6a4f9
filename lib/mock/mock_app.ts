/**
 * The mock server as something that answers requests, with or without a port.
 *
 * @module
 */
import { type MockOptions, mockSettings } from "./options.ts";

/** Something that answers HTTP requests: a server without a port. */
export interface MockApp {
  /** Answers one request, as the server would. */
  fetch(request: Request): Promise<Response>;
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
  type App = { fetch(request: Request): Response | Promise<Response> };
  let app: App | undefined;
  let loading: Promise<App> | undefined;
  return {
    fetch(request) {
      if (app !== undefined) return Promise.resolve(app.fetch(request));
      loading ??= import("./app.ts").then(({ buildMockApp }) => app = buildMockApp(settings));
      return loading.then((app) => app.fetch(request));
    },
  };
}
