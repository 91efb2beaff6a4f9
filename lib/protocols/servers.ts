/**
 * Loads the server sides of all wire formats, and finds the one that a request is for.
 *
 * @module
 */
import type { Protocol } from "./protocol.ts";
import { DEFAULT_PROTOCOL, PROTOCOLS } from "./registry.ts";
import type { ProtocolServer } from "./serve.ts";

/** A wire format and its server side. */
export interface ServedFormat {
  readonly protocol: Protocol;
  readonly server: ProtocolServer;
}

/**
 * Loads the registered formats that have a server side. The default format comes last, since it claims every
 * request that no other format does.
 */
export async function loadFormats(): Promise<ServedFormat[]> {
  const others = PROTOCOLS.filter((protocol) => protocol !== DEFAULT_PROTOCOL);
  const loaded = await Promise.all([...others, DEFAULT_PROTOCOL].map(async (protocol) => {
    const server = await protocol.serve?.();
    return server === undefined ? [] : [{ protocol, server }];
  }));
  return loaded.flat();
}

/** Loads the server sides of the formats, in the order of {@link loadFormats}. */
export async function loadServers(): Promise<ProtocolServer[]> {
  return (await loadFormats()).map(({ server }) => server);
}

/** The format of a request whose path does not decide it, such as the model list or an unknown path. */
export function formatOf(formats: readonly ServedFormat[], request: Request): ServedFormat {
  return formats.find(({ server }) => server.claims(request)) ?? formats.at(-1)!;
}

/** The server side of {@link formatOf}. */
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
