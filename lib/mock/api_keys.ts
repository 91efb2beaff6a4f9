/**
 * Requires an API key, and rejects requests without a valid one as each provider does.
 *
 * Sources: error bodies of OpenAI's, Anthropic's and Google's APIs as their users report them.
 *
 * @module
 */
import type { ProtocolServer } from "../protocols/serve.ts";
import { serverFor } from "../protocols/servers.ts";
import { errorResponse, type MockServerError } from "./error_response.ts";

/** Paths that need no key: those a script waits for, and signed URLs of the batch APIs. */
const OPEN_PATH = /^\/($|health$|__mock\/signed\/)/;

function bearer(headers: Headers): string | undefined {
  return /^Bearer +(.+)$/i.exec(headers.get("authorization") ?? "")?.[1].trim();
}

/** The first characters and the last four, as OpenAI shows a key. */
function masked(key: string): string {
  return key.length < 12 ? "*".repeat(key.length) : `${key.slice(0, 4)}****${key.slice(-4)}`;
}

function openaiProblem(key: string | undefined): MockServerError {
  const page = "https://platform.openai.com/account/api-keys";
  if (key !== undefined) {
    const message = `Incorrect API key provided: ${
      masked(key)
    }. You can find your API key at ${page}.`;
    return { status: 401, message };
  }
  return {
    status: 401,
    message:
      "You didn't provide an API key. You need to provide your API key in an Authorization " +
      "header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY), or as the password field " +
      "(with blank username) if you're accessing the API from your browser and are prompted for a " +
      `username and password. You can obtain an API key from ${page}.`,
    code: null,
  };
}

function googleProblem(key: string | undefined): MockServerError {
  if (key !== undefined) {
    const message = "API key not valid. Please pass a valid API key.";
    return { status: 400, message, reason: "API_KEY_INVALID" };
  }
  return {
    status: 403,
    message: "Method doesn't allow unregistered callers (callers without established identity). " +
      "Please use API Key or other form of API consumer identity to call this API.",
  };
}

/** How one API takes a key, and how it rejects a wrong one. */
interface KeyRules {
  keyOf(request: Request): string | undefined;
  problem(key: string | undefined): MockServerError;
}

const ANTHROPIC: KeyRules = {
  keyOf: ({ headers }) => headers.get("x-api-key") ?? bearer(headers),
  problem: (key) => ({
    status: 401,
    message: key === undefined ? "x-api-key header is required" : "invalid x-api-key",
  }),
};
const GOOGLE: KeyRules = {
  keyOf: ({ headers, url }) =>
    headers.get("x-goog-api-key") ?? new URL(url).searchParams.get("key") ?? bearer(headers),
  problem: googleProblem,
};
const OPENAI: KeyRules = {
  // Azure's clients send `api-key`.
  keyOf: ({ headers }) => bearer(headers) ?? headers.get("api-key") ?? undefined,
  problem: openaiProblem,
};

function rulesOf(server: ProtocolServer): KeyRules {
  const hasRoute = (pattern: RegExp) => server.routes.some(({ path }) => pattern.test(path));
  if (hasRoute(/^\/messages$/)) return ANTHROPIC;
  return hasRoute(/:generateContent$/) ? GOOGLE : OPENAI;
}

/** Makes `answer` reject requests without one of `keys`. */
export function withApiKeys(
  answer: (request: Request) => Response | Promise<Response>,
  servers: readonly ProtocolServer[],
  keys: readonly string[],
): (request: Request) => Response | Promise<Response> {
  if (keys.length === 0) return answer;
  let rejected = 0;
  return (request) => {
    const isOpen = request.method === "HEAD" || request.method === "OPTIONS" ||
      OPEN_PATH.test(new URL(request.url).pathname);
    if (isOpen) return answer(request);
    const server = serverFor(servers, request);
    const { keyOf, problem } = rulesOf(server);
    const key = keyOf(request);
    if (key !== undefined && keys.includes(key)) return answer(request);
    const requestId = `req_mock_key_${++rejected}`;
    const headers = server.headers(requestId);
    return errorResponse({ request, server, requestId, headers }, problem(key));
  };
}
