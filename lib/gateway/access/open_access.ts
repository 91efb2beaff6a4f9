/**
 * Opens the virtual keys, limits and budgets of a gateway.
 *
 * @module
 */
import { MemoryLedger } from "../ledger/memory_ledger.ts";
import { Calendar } from "../ledger/periods.ts";
import { openSqliteLedger } from "../ledger/sqlite_ledger.ts";
import { type AccessOptions, checkConfigured } from "./access_settings.ts";
import { KeyAccess } from "./key_access.ts";

/**
 * Opens virtual keys, limits and budgets for a gateway: pass the result as `access` to
 * {@link createGatewayApp}. Close it when the gateway has closed.
 *
 * Rates are token buckets that hold a minute's worth and refill continuously. Budgets are hard: each call
 * reserves its maximum cost in its key, its team and the whole gateway before it is sent. A reservation is stored
 * before the call goes out, so that a budget also holds when the process is killed.
 *
 * @throws {ConfigurationError} if a setting is wrong, another gateway uses the database, or it cannot be used
 *
 * @example
 * ```ts
 * import { openAccess } from "@flexllm/flexllm";
 *
 * await using access = await openAccess({ database: "gateway.db", limits: { budget: { day: 20 } } });
 * const { secret } = await access.keys.create("alice", { rpm: 60, budget: { month: 5 } });
 * console.log(secret);
 * ```
 */
export async function openAccess(options: AccessOptions = {}): Promise<KeyAccess> {
  checkConfigured(options);
  const { database, now = Date.now, onWarning } = options;
  const ledger = options.ledger ??
    (database === undefined
      ? new MemoryLedger()
      : await openSqliteLedger(database, new Calendar(now).today(), onWarning));
  return new KeyAccess(ledger, options);
}
