/**
 * Loads the server sides of all wire formats, and finds the one that a request is for.
 *
 * @module
 */
import { DEFAULT_PROTOCOL, PROTOCOLS } from "./registry.ts";
import type { ProtocolServer } from "./serve.ts";

/**
 * Loads the server sides of the registered formats. The default format comes last, since it claims every
 * request that no other format does.
 */
export async function loadServers(): Promise<ProtocolServer[]> {
  const others = PROTOCOLS.filter((protocol) => protocol !== DEFAULT_PROTOCOL);
  const servers = await Promise.all([...others, DEFAULT_PROTOCOL].map(({ serve }) => serve?.()));
  return servers.filter((server) => server !== undefined);
}

/** The format of a request whose path does not decide it, such as the model list. */
export function serverFor(servers: readonly ProtocolServer[], request: Request): ProtocolServer {
  return servers.find((server) => server.claims(request)) ?? servers.at(-1)!;
}

/** The pattern of a route's path; its group `model` is the model. */
export function routePattern(path: string): RegExp {
  const [before, after] = path.split("{model}").map((part) =>
    part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
  );
  return new RegExp(after === undefined ? `^${before}$` : `^${before}(?<model>.+)${after}$`);
}
