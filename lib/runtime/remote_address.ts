/**
 * Finds the address of a client in what the HTTP servers of Deno, Bun and Node tell a fetch handler about its
 * connection.
 *
 * @module
 */

/**
 * The second argument of a handler: our own `Peer`, on Deno the connection, on Bun the server, on Node
 * Hono's bindings.
 */
interface Connection {
  address?(): unknown;
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
  // As methods: Bun's servers need their `this`, and have an `address` of their own that is no function.
  const { requestIP, address } = connection as Connection;
  if (typeof requestIP === "function") return requestIP.call(connection, request)?.address;
  const own = typeof address === "function" ? address.call(connection) : undefined;
  return typeof own === "string" ? own : undefined;
}
