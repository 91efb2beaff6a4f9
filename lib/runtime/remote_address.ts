/**
 * Finds the address of a client in what the HTTP servers of Deno, Bun and Node tell a fetch handler about its
 * connection.
 *
 * @module
 */

/** The second argument of a handler: on Deno the connection, on Bun the server, on Node Hono's bindings. */
interface Connection {
  remoteAddr?: { hostname?: string };
  requestIP?(request: Request): { address: string } | null;
  incoming?: { socket?: { remoteAddress?: string } };
}

/** The client's address; `undefined` if `connection` does not have it. */
export function remoteAddress(connection: unknown, request: Request): string | undefined {
  if (typeof connection !== "object" || connection === null) return undefined;
  const { remoteAddr, incoming } = connection as Connection;
  if (remoteAddr !== undefined) return remoteAddr.hostname;
  if (incoming !== undefined) return incoming.socket?.remoteAddress;
  // As a method: Bun's servers need their `this`.
  return (connection as Connection).requestIP?.(request)?.address;
}
