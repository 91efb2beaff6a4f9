/**
 * The wire formats that the gateway speaks with its clients.
 *
 * @module
 */
import type { Protocol } from "../../protocols/protocol.ts";
import { DEFAULT_PROTOCOL, PROTOCOLS } from "../../protocols/registry.ts";
import type { ProtocolServer } from "../../protocols/serve.ts";

/** A wire format and its server side. */
export interface ClientFormat {
  readonly protocol: Protocol;
  readonly server: ProtocolServer;
}

/**
 * Loads the formats that have a server side. The default format comes last, since it claims every request
 * that no other format does.
 */
export async function loadFormats(): Promise<readonly ClientFormat[]> {
  const others = PROTOCOLS.filter((protocol) => protocol !== DEFAULT_PROTOCOL);
  const loaded = await Promise.all([...others, DEFAULT_PROTOCOL].map(async (protocol) => {
    const server = await protocol.serve?.();
    return server === undefined ? [] : [{ protocol, server }];
  }));
  return loaded.flat();
}

/** The format of a request whose path does not decide it, such as the model list or an unknown path. */
export function formatOf(formats: readonly ClientFormat[], request: Request): ClientFormat {
  return formats.find(({ server }) => server.claims(request)) ?? formats.at(-1)!;
}
