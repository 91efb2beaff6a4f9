/**
 * The server sides of all wire formats, and which one a request is for.
 *
 * @module
 */
import { anthropicServer } from "./anthropic/serve.ts";
import { geminiServer } from "./gemini/serve.ts";
import { chatServer } from "./openai_chat/serve.ts";
import { responsesServer } from "./openai_responses/serve.ts";
import type { ProtocolServer } from "./serve.ts";

/** All of them. The last one claims every request that the others don't. */
export const PROTOCOL_SERVERS: readonly ProtocolServer[] = [
  geminiServer,
  anthropicServer,
  responsesServer,
  chatServer,
];

/** The format of a request whose path does not decide it, such as the model list. */
export function serverFor(request: Request): ProtocolServer {
  return PROTOCOL_SERVERS.find((server) => server.claims(request)) ?? chatServer;
}

/** The pattern of a route's path; its group `model` is the model. */
export function routePattern(path: string): RegExp {
  const [before, after] = path.split("{model}").map((part) =>
    part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
  );
  return new RegExp(after === undefined ? `^${before}$` : `^${before}(?<model>.+)${after}$`);
}
