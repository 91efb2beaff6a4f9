/** The wire formats with both of their sides, for tests that send one side's output to the other. */
import type { EncodedRequest } from "../../lib/transport/request.ts";
import { anthropic } from "../../lib/protocols/anthropic/anthropic.ts";
import { anthropicServer } from "../../lib/protocols/anthropic/serve.ts";
import { gemini } from "../../lib/protocols/gemini/gemini.ts";
import { geminiServer } from "../../lib/protocols/gemini/serve.ts";
import { openaiChat } from "../../lib/protocols/openai_chat/openai_chat.ts";
import { chatServer } from "../../lib/protocols/openai_chat/serve.ts";
import { openaiResponses } from "../../lib/protocols/openai_responses/openai_responses.ts";
import { responsesServer } from "../../lib/protocols/openai_responses/serve.ts";
import type { Endpoint, Protocol } from "../../lib/protocols/protocol.ts";
import type { ProtocolServer, RequestContext, ServerRequest } from "../../lib/protocols/serve.ts";
import { routePattern } from "../../lib/protocols/servers.ts";

/** One wire format. */
export interface Format {
  client: Protocol;
  server: ProtocolServer;
}

export const CHAT: Format = { client: openaiChat, server: chatServer };
export const RESPONSES: Format = { client: openaiResponses, server: responsesServer };
export const CLAUDE: Format = { client: anthropic, server: anthropicServer };
export const GEMINI: Format = { client: gemini, server: geminiServer };
export const FORMATS: readonly Format[] = [CHAT, RESPONSES, CLAUDE, GEMINI];

/** A server of no known service. */
export function endpoint(fields: Partial<Endpoint> = {}): Endpoint {
  return { baseUrl: "https://host/v1", apiKey: undefined, headers: {}, ...fields };
}

/** Routes a request to its operation, as a server does, and decodes it. */
export function receive({ server }: Format, { url, headers, body }: EncodedRequest): ServerRequest {
  const request = new Request(url, { method: "POST", headers, body });
  const path = decodeURIComponent(new URL(url).pathname).replace(/^\/v1/, "");
  for (const { path: template, operation, stream } of server.routes) {
    const match = routePattern(template).exec(path);
    if (match === null) continue;
    const model = match.groups?.model;
    const context: RequestContext = { operation, stream, model, ...server.context?.(request) };
    const parsed = JSON.parse(body!);
    const normalized = server.normalize?.(parsed, context) ?? parsed;
    const problem = server.validate(normalized, context);
    if (problem !== undefined) throw new Error(`rejected: ${problem.message}\n${body}`);
    return server.decodeRequest(normalized, context);
  }
  throw new Error(`no route for ${path}`);
}
