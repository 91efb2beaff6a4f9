/**
 * The options of the client library, so that no command hangs or is sent twice.
 *
 * @module
 */
import { isIP } from "node:net";
import type { RedisOptions } from "ioredis";
import type { RedisAddress } from "./redis_address.ts";

/** Seconds for the first connection. */
export const CONNECT_TIMEOUT = 5;
/** Milliseconds for which a connection that is closed may still be sending. */
const DISCONNECT_TIMEOUT = 500;

/** The options for a server. `reconnectDelay` returns milliseconds, or `null` to give up. */
export function clientOptions(
  { host, port, username, password, database, tls }: RedisAddress,
  reconnectDelay: () => number | null,
): RedisOptions {
  return {
    host,
    port,
    username,
    password,
    db: database,
    // A name for an address is not allowed; its certificate is checked for the address.
    tls: tls ? { servername: isIP(host) > 0 ? undefined : host } : undefined,
    lazyConnect: true,
    // Commands fail at once while there is no connection: callers continue without Redis.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: CONNECT_TIMEOUT * 1000,
    disconnectTimeout: DISCONNECT_TIMEOUT,
    retryStrategy: reconnectDelay,
    // A server that has become a replica: connect again, perhaps to the new primary server.
    reconnectOnError: (error) => error.message.startsWith("READONLY"),
  };
}
