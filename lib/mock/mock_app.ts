/**
 * The mock server as a fetch handler, which needs no port.
 *
 * @module
 */
import { ConfigurationError } from "../errors.ts";
import { Lazy } from "../runtime/lazy.ts";
import { withAccessLog } from "./access_log.ts";
import { type MockOptions, type MockSettings, mockSettings } from "./options.ts";

/** A mock server without a port. */
export interface MockApp {
  /** Answers one request. */
  fetch(request: Request): Promise<Response>;
}

/** A mock server that is loaded. */
export interface LoadedApp {
  fetch(request: Request): Response | Promise<Response>;
  /** The number of exchanges in the file that is recorded to or replayed. */
  exchanges?: number;
  /** Closes its file. */
  close(): void;
}

function checkedSettings(options: MockOptions): MockSettings {
  if (options.record !== undefined && options.replay !== undefined) {
    throw new ConfigurationError("record and replay cannot be combined");
  }
  return mockSettings(options);
}

async function loadAnswers(options: MockOptions, settings: MockSettings): Promise<LoadedApp> {
  const { loadServers } = await import("../protocols/servers.ts");
  const servers = await loadServers();
  const { record, replay } = options;
  let app: LoadedApp;
  if (record !== undefined || replay !== undefined) {
    const { openPlayer, openRecorder } = await import("./recording/open_recording.ts");
    app = record !== undefined ? openRecorder(record, servers) : openPlayer(replay!, servers);
  } else {
    const { loadGenerated } = await import("./generated_app.ts");
    app = await loadGenerated(settings, servers);
  }
  if (settings.apiKeys.length === 0) return app;
  const { withApiKeys } = await import("./api_keys.ts");
  return { ...app, fetch: withApiKeys(app.fetch, servers, settings.apiKeys) };
}

/**
 * Loads the web framework and the formats, and opens the recording if there is one. `guard` comes before
 * everything but the access log.
 *
 * @throws {ConfigurationError} if an option is out of range
 * @throws {InvalidInputError} if a recording cannot be read
 */
export async function loadMock(
  options: MockOptions,
  guard: (answer: LoadedApp["fetch"]) => LoadedApp["fetch"] = (answer) => answer,
): Promise<LoadedApp> {
  const app = await loadAnswers(options, checkedSettings(options));
  const answer = guard(app.fetch);
  const { onRequest } = options;
  return { ...app, fetch: onRequest === undefined ? answer : withAccessLog(answer, onRequest) };
}

/**
 * Creates a mock server for OpenAI Chat Completions, OpenAI Responses, Anthropic Messages and Gemini. It
 * supports plain and streamed answers, usage, required tool calls, structured output, model lists, and
 * the errors of each API, embeddings, and recorded traffic. The web framework is loaded, and a recording
 * opened, with the first request.
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
  checkedSettings(options);
  let app: LoadedApp | undefined;
  const loading = new Lazy(async () => app = await loadMock(options));
  const answer = async (app: LoadedApp, request: Request) => {
    const response = await app.fetch(request);
    // As `fetch` does.
    if (response.status === 499) request.signal.throwIfAborted();
    return response;
  };
  return {
    fetch(request) {
      if (app !== undefined) return answer(app, request);
      return loading.get().then((app) => answer(app, request));
    },
  };
}
