/**
 * Reads and publishes the virtual keys that gateways share through Redis, without being a gateway.
 *
 * @module
 */
import { hostname } from "node:os";
import { realpathSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { ConfigurationError } from "../../errors.ts";
import type { RedisSettings } from "../../redis/redis_settings.ts";
import { shareConnection } from "../../redis/shared_connection.ts";
import { keyScope, type StoredKey } from "../ledger/ledger.ts";
import { toDollars } from "../ledger/money.ts";
import { dayOf } from "../ledger/periods.ts";
import { SharedBalances } from "../ledger/shared/shared_balances.ts";
import { keysOwner, publishKeys } from "../ledger/shared/shared_keys.ts";
import { stateOf } from "./key_settings.ts";
import type { KeyFile, ListedKey } from "./open_key_store.ts";

/**
 * The keys of all gateways that share a server, with what they have spent at all of them; `undefined` if no
 * gateway has published keys.
 *
 * @throws {ConfigurationError} if the server cannot be used
 */
export async function listSharedKeys(
  { address }: RedisSettings,
): Promise<ListedKey[] | undefined> {
  await using share = await shareConnection(address);
  const { connection } = share;
  const [[seconds], stored] = await connection.pipeline([
    ["TIME"],
    ["HGET", connection.key("gateway", "keys"), "keys"],
  ]) as [string[], string | null];
  if (stored === null) return undefined;
  const keys = JSON.parse(stored) as StoredKey[];
  const balances = new SharedBalances();
  const sums = await connection.pipeline(
    keys.map(({ id }) => ["HGETALL", connection.key("gateway", "balance", keyScope(id))]),
  ) as (string[] | Record<string, string>)[];
  const now = Number(seconds) * 1000;
  return keys.map(({ hash: _, oldHash: _old, oldUntil: _until, ...key }, i) => {
    const scope = keyScope(key.id);
    const entries = sums[i];
    balances.load(scope, Array.isArray(entries) ? entries : Object.entries(entries).flat());
    const { spent, reserved, requests } = balances.get(scope, dayOf(now));
    return {
      ...key,
      state: stateOf(key, now),
      spent: {
        day: toDollars(spent.day + reserved.day),
        month: toDollars(spent.month + reserved.month),
        total: toDollars(spent.total + reserved.total),
      },
      requests,
    };
  });
}

/**
 * Checks that the keys of the gateways are those of `file`, or that none are published yet.
 *
 * @throws {ConfigurationError} if they come from another database, or the server cannot be used
 */
export async function requireOwnKeys(file: KeyFile, { address }: RedisSettings): Promise<void> {
  await using share = await shareConnection(address);
  const owner = await keysOwner(share.connection);
  if (owner === undefined || owner.ledger === file.id) return;
  throw new ConfigurationError(
    `the gateways at ${address.shown} take their keys from another database: ${owner.place}`,
    { hint: "Change the keys on that machine, with --database." },
  );
}

/**
 * Publishes the keys of `file`, so that all gateways use them within a second.
 *
 * @throws {ConfigurationError} if the server cannot be used
 */
export async function publishFile(file: KeyFile, { address }: RedisSettings): Promise<void> {
  await using share = await shareConnection(address);
  const place = `${hostname()}:${realpathSync(file.path)}`;
  const owner = { ledger: file.id, place };
  await publishKeys(share.connection, file.storedKeys(), owner, randomUUID(), true);
}
