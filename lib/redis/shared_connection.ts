/**
 * Shares one connection per server among everything in a process that uses it.
 *
 * @module
 */
import type { RedisAddress } from "./redis_address.ts";
import { type ConnectionOptions, RedisConnection } from "./redis_connection.ts";

interface Shared {
  connection: Promise<RedisConnection>;
  users: number;
}

const shared = new Map<string, Shared>();

/** How to connect; `mayStartDown` counts for the first share. */
type ShareOptions = Pick<ConnectionOptions, "needsWrites" | "mayStartDown">;

function identityOf(address: RedisAddress, { needsWrites = true }: ShareOptions): string {
  const { host, port, tls, username, password, database, prefix } = address;
  return JSON.stringify([host, port, tls, username, password, database, prefix, needsWrites]);
}

/** A share of a connection, which is closed with the last share. */
export interface ConnectionShare extends AsyncDisposable {
  readonly connection: RedisConnection;
  /** Gives the share back. Only the first call has an effect. */
  release(): Promise<void>;
}

/**
 * Connects to a server, or uses the connection that this process has.
 *
 * @throws {ConfigurationError} if the server cannot be used
 */
export async function shareConnection(
  address: RedisAddress,
  options: ShareOptions = {},
): Promise<ConnectionShare> {
  const identity = identityOf(address, options);
  let entry = shared.get(identity);
  const isFirst = entry === undefined;
  if (entry === undefined) {
    entry = { connection: RedisConnection.open(address, options), users: 0 };
    shared.set(identity, entry);
  }
  const own = entry;
  own.users++;
  const leave = async () => {
    if (--own.users > 0) return;
    if (shared.get(identity) === own) shared.delete(identity);
    await own.connection.then((connection) => connection.close(), () => {});
  };
  let connection: RedisConnection;
  try {
    connection = await own.connection;
  } catch (error) {
    await leave();
    // It was opened for another part of the process, which needs the server.
    if (options.mayStartDown && !isFirst) return shareConnection(address, options);
    throw error;
  }
  let isReleased = false;
  const release = async () => {
    if (isReleased) return;
    isReleased = true;
    await leave();
  };
  return { connection, release, [Symbol.asyncDispose]: release };
}
