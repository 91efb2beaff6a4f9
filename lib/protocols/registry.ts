/**
 * Lists the wire formats, and finds the one that a name or a base URL selects.
 *
 * Everything else reads this list: connecting, cache keys, rate-limit headers, configuration and help.
 *
 * @module
 */
import { anthropic } from "./anthropic/anthropic.ts";
import { gemini } from "./gemini/gemini.ts";
import { openaiChat } from "./openai_chat/openai_chat.ts";
import { openaiResponses } from "./openai_responses/openai_responses.ts";
import type { OfficialProtocol, Protocol } from "./protocol.ts";
import { COMMON_RATE_LIMITS, type RateLimitHeaders } from "./rate_limit_headers.ts";

/** Providers whose API has its own wire format: Anthropic Messages and Gemini. */
export type OfficialProvider = "claude" | "gemini";

/** The wire formats of OpenAI-compatible services: Chat Completions and Responses. */
export type ApiName = "chat" | "responses";

const BUILT_IN:
  & { [Name in ApiName]: Protocol<Name> }
  & { [Name in OfficialProvider]: OfficialProtocol<Name> } = {
    chat: openaiChat,
    responses: openaiResponses,
    claude: anthropic,
    gemini,
  };

const registered: Protocol[] = [];

/** All wire formats; earlier ones win where several recognize the same base URL or answer. */
export const PROTOCOLS: readonly Protocol[] = registered;

/** The format of servers that nothing else is known about. */
export const DEFAULT_PROTOCOL: Protocol = openaiChat;

/**
 * Adds a wire format to the list.
 *
 * @throws {TypeError} when another format has its name, which would mix up their cached answers
 */
export function registerProtocol(protocol: Protocol): void {
  if (protocolNamed(protocol.name) !== undefined) {
    throw new TypeError(`a protocol named "${protocol.name}" is already registered`);
  }
  registered.push(protocol);
}

Object.values(BUILT_IN).forEach(registerProtocol);

/** The format called `name`. */
export function protocolNamed(name: string): Protocol | undefined {
  return registered.find((protocol) => protocol.name === name);
}

/** Whether a format has an official API. */
export function isOfficial(protocol: Protocol): protocol is OfficialProtocol {
  return protocol.official !== undefined;
}

/** The format whose official API is called `name`. */
export function officialNamed(name: string): OfficialProtocol | undefined {
  const protocol = protocolNamed(name);
  return protocol !== undefined && isOfficial(protocol) ? protocol : undefined;
}

/** The format whose official API is at the host of `baseUrl`. */
export function officialAt(baseUrl: string): OfficialProtocol | undefined {
  const { hostname } = new URL(baseUrl);
  return registered.filter(isOfficial).find(({ official }) =>
    new URL(official.baseUrl).hostname === hostname
  );
}

/** The format that a base URL is known to speak: by a marker in its path, or else by its host. */
export function protocolOfUrl(baseUrl: string): Protocol | undefined {
  const { pathname } = new URL(baseUrl);
  return registered.find(({ pathMarker }) => pathMarker?.test(pathname)) ?? officialAt(baseUrl);
}

/** The rate-limit headers of all formats: gateways also pass on those of the API behind them. */
export function allRateLimitHeaders(): RateLimitHeaders[] {
  const own = registered.flatMap(({ rateLimitHeaders }) => rateLimitHeaders);
  return [...new Set([...own, ...COMMON_RATE_LIMITS])];
}
