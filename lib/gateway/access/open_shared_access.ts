/**
 * Opens virtual keys, limits and budgets that several gateways share through Redis.
 *
 * @module
 */
import { systemClock } from "../../runtime/clock.ts";
import type { RedisSettings } from "../../redis/redis_settings.ts";
import { openSharedLedger } from "../ledger/shared/open_shared_ledger.ts";
import { type AccessOptions, checkConfigured } from "./access_settings.ts";
import { KeyAccess } from "./key_access.ts";
import { SharedRates } from "./shared/shared_rates.ts";

/** Options of {@link openSharedAccess}. */
export interface SharedAccessOptions extends AccessOptions {
  /** The server, and what happens while it cannot be used. */
  redis: RedisSettings;
  /**
   * Whether the keys in `database` are those of all gateways. Otherwise the file is used if it exists and no other
   * gateway publishes keys.
   *
   * @default false
   */
  isDatabaseRequired?: boolean;
  /**
   * Seconds for which money is spent while the server cannot be used.
   *
   * @default 10
   */
  maxStoreLoss?: number;
}

/**
 * Opens keys, limits and budgets that all gateways with the same server share.
 *
 * @throws {ConfigurationError} if the server or the database cannot be used, or the keys of the other gateways
 * come from another database
 */
export async function openSharedAccess(options: SharedAccessOptions): Promise<KeyAccess> {
  checkConfigured(options);
  const { redis, database, isDatabaseRequired, clock = systemClock, onWarning = () => {} } =
    options;
  const { maxStoreLoss } = options;
  const opened = await openSharedLedger({
    ...{ redis, database, isDatabaseRequired, maxStoreLoss, clock, onWarning },
  });
  const { ledger, member, connection, isPublisher } = opened;
  const rates = new SharedRates({
    connection,
    member,
    onStoreLoss: redis.onStoreLoss.rates,
    clock,
    onWarning,
  });
  const { now = () => ledger.now() } = options;
  return new KeyAccess(ledger, { ...options, now }, {
    rates,
    store: () => ({
      address: redis.address.shown,
      up: connection.isUp,
      downFor: Math.round(connection.downFor / 1000),
      gateways: member.size,
      publishesKeys: isPublisher,
    }),
  });
}
