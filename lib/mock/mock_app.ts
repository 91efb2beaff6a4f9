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
 * Makes a mock server that speaks OpenAI Chat Completions and Responses, Anthropic Messages and Gemini:
 * plain and streamed answers, usage, tool calls where they are required, structured output, lists of
 * models, and each API's own errors. Its web framework is loaded with the first request.
 *
 * @throws {ConfigurationError} when an option is out of its range
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
