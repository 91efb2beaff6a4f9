/**
 * Opens a ledger that several gateways share through Redis.
 *
 * @module
 */
import { existsSync, realpathSync } from "node:fs";
import { hostname } from "node:os";
import { ConfigurationError } from "../../../errors.ts";
import { type Clock, systemClock } from "../../../runtime/clock.ts";
import { warnAboutEviction } from "../../../redis/eviction.ts";
import { entriesOf } from "../../../redis/hash_entries.ts";
import type { RedisConnection } from "../../../redis/redis_connection.ts";
import type { RedisSettings } from "../../../redis/redis_settings.ts";
import { shareConnection } from "../../../redis/shared_connection.ts";
import { dayOf, firstKeptDay } from "../periods.ts";
import { openSqliteLedger, type SqliteLedger } from "../sqlite_ledger.ts";
import { FleetMember, INSTANCE_TTL } from "./fleet_member.ts";
import { PRUNE } from "./ledger_scripts.ts";
import { OwnSpend, rowOf } from "./own_spend.ts";
import { claimKeys, FollowedKeys, keysOwner, PublishedKeys } from "./shared_keys.ts";
import { SharedLedger } from "./shared_ledger.ts";

/** Options of {@link openSharedLedger}. */
export interface SharedLedgerOptions {
  redis: RedisSettings;
  /** The file of this gateway. */
  database?: string;
  /**
   * Whether the file must be used, and its keys are those of all gateways. Otherwise it is used if it exists and
   * no other gateway publishes keys.
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
  onWarning?: (message: string) => void;
  clock?: Clock;
}

/** A ledger, and what the limits of a gateway need to know about the other ones. */
export interface OpenedSharedLedger {
  ledger: SharedLedger;
  member: FleetMember;
  connection: RedisConnection;
  /** The keys come from this gateway's file. */
  isPublisher: boolean;
}

/** Milliseconds between two attempts to claim the keys. */
const CLAIM_INTERVAL = 500;

/** Opens the file whose keys this gateway publishes; `undefined` if it follows another gateway. */
async function openFile(
  connection: RedisConnection,
  { database, isDatabaseRequired = false, onWarning }: SharedLedgerOptions,
  day: string,
): Promise<SqliteLedger | undefined> {
  if (database === undefined) return undefined;
  if (isDatabaseRequired) return await openSqliteLedger(database, day, onWarning);
  if (!existsSync(database)) return undefined;
  let file: SqliteLedger;
  try {
    file = await openSqliteLedger(database, day, onWarning);
  } catch (error) {
    // Another gateway on this machine uses it.
    if (error instanceof ConfigurationError && /^another gateway/.test(error.message)) {
      return undefined;
    }
    throw error;
  }
  const owner = await keysOwner(connection);
  if (owner === undefined ? file.currentKeys().length > 0 : owner.ledger === file.id) return file;
  await file.close();
  return undefined;
}

/** Claims the keys, and waits for the lease of a gateway that was killed on another machine. */
async function claim(
  connection: RedisConnection,
  file: SqliteLedger,
  member: FleetMember,
  clock: Clock,
): Promise<PublishedKeysOwner> {
  const place = `${hostname()}:${realpathSync(file.location)}`;
  const owner = { ledger: file.id, place };
  const deadline = clock.now() + INSTANCE_TTL + 2 * CLAIM_INTERVAL;
  while (true) {
    const other = await claimKeys(connection, owner, member.instance);
    if (other === undefined) return owner;
    if (other.ledger !== file.id) {
      throw new ConfigurationError(
        `the gateways at Redis ${connection.address.shown} take their keys from another database: ${other.place}`,
        {
          hint:
            "Start this one without --database and serve.database to use those keys, stop the other gateway, " +
            "or set redis.prefix to share nothing with it.",
        },
      );
    }
    if (clock.now() >= deadline) {
      throw new ConfigurationError(
        `another gateway uses a copy of the database ${file.location}: ${other.place}`,
        { hint: "Stop it, or start this one without --database and serve.database." },
      );
    }
    await clock.sleep(CLAIM_INTERVAL);
  }
}

type PublishedKeysOwner = { ledger: string; place: string };

/** What this gateway has spent: in its file, and as far as an earlier process has reported it. */
async function ownSpend(
  connection: RedisConnection,
  file: SqliteLedger | undefined,
  day: string,
): Promise<OwnSpend> {
  const base = connection.key("gateway");
  await connection.run(PRUNE, [base], ["ended", firstKeptDay(day)]);
  if (file === undefined) return new OwnSpend(undefined);
  const own = new OwnSpend((row) => file.commit(row));
  for (const row of await file.spend()) own.load(row);
  await connection.run(PRUNE, [base], [file.id, firstKeptDay(day)]);
  const reported = await connection.command(["HGETALL", `${base}:rows:${file.id}`]);
  for (const [field, sums] of entriesOf(reported)) own.merge(rowOf(field, sums));
  return own;
}

/**
 * Opens the ledger, joins the other gateways, and reports what this gateway has spent.
 *
 * @throws {ConfigurationError} if the server or the file cannot be used, or the keys come from another file
 */
export async function openSharedLedger(options: SharedLedgerOptions): Promise<OpenedSharedLedger> {
  const { redis, onWarning = () => {}, clock = systemClock, maxStoreLoss = 10 } = options;
  const share = await shareConnection(redis.address);
  const { connection } = share;
  let file: SqliteLedger | undefined;
  let ledger: SharedLedger | undefined;
  try {
    const day = dayOf(await serverTime(connection));
    file = await openFile(connection, options, day);
    const member = new FleetMember(connection, file?.id);
    const keys = file === undefined ? new FollowedKeys(connection) : new PublishedKeys(
      connection,
      file,
      await claim(connection, file, member, clock),
      member.instance,
      onWarning,
    );
    const own = await ownSpend(connection, file, day);
    const { onStoreLoss } = redis;
    const { release } = share;
    ledger = new SharedLedger({
      ...{ connection, member, keys, file, own, onStoreLoss, maxStoreLoss, onWarning, release },
    });
    if (file !== undefined) Object.assign(ledger.recovered, file.recovered);
    await ledger.start();
    warnAboutEviction(connection, onWarning);
    return { ledger, member, connection, isPublisher: file !== undefined };
  } catch (error) {
    if (ledger !== undefined) await ledger.close();
    else {
      await file?.close();
      await share.release();
    }
    throw error;
  }
}

/** The server's time in milliseconds since 1970. */
async function serverTime(connection: RedisConnection): Promise<number> {
  const [seconds] = await connection.command(["TIME"]) as [string, string];
  return Number(seconds) * 1000;
}
