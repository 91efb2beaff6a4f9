/**
 * Follows what other gateways do, and restores what the server has lost or has given up for dead.
 *
 * @module
 */
import type { RedisConnection } from "../../../redis/redis_connection.ts";
import type { FleetMember, Tick } from "./fleet_member.ts";
import { type LedgerExchange, SETTLE_DELAY } from "./ledger_exchange.ts";
import type { OwnReservations } from "./own_reservations.ts";
import type { OwnSpend } from "./own_spend.ts";
import { FORGET_ENDED, RECOVERY_TIME, RESTORE } from "./recovery_scripts.ts";
import type { SharedBalances } from "./shared_balances.ts";
import type { SharedKeys } from "./shared_keys.ts";

/** What is restored, and how. */
export interface RecoveryParts {
  connection: RedisConnection;
  member: FleetMember;
  keys: SharedKeys;
  /** Whether the gateway's spending is stored in a file. */
  hasFile: boolean;
  own: OwnSpend;
  balances: SharedBalances;
  reservations: OwnReservations;
  exchange: LedgerExchange;
  onWarning: (message: string) => void;
}

/** Keeps one gateway in step with the others. All of its methods are called from the queue of the exchange. */
export class LedgerRecovery {
  /** Reservations of killed gateways that this one has recorded as spent, in nanodollars. */
  readonly recovered = { requests: 0, cost: 0 };
  /** Called with scopes of which money has become free. */
  onRelease: (scopes: readonly string[]) => void = () => {};
  readonly #parts: RecoveryParts;
  #hasLostData = false;
  /** What was known before, until everything is restored: the running gateways, and what ended ones had spent. */
  #before: { alive: readonly string[]; ended: string } | undefined;

  constructor(parts: RecoveryParts) {
    this.#parts = parts;
  }

  /** The server has lost data, or may have: everything is reported again with the next tick. */
  noteLoss(): void {
    this.#hasLostData = true;
  }

  /** Learns what others have done. Returns whether there is more to learn. */
  async tick(): Promise<boolean> {
    const { member, keys, balances } = this.#parts;
    const tick = await member.tick();
    if (tick.hasLostData || this.#hasLostData) {
      await this.#recover();
      return true;
    }
    if (!tick.wasKnown) this.#rejoin();
    if (tick.recovered > 0) this.#noteRecovered(tick);
    const freed = tick.balances.filter(([scope, sums]) => balances.load(scope, sums));
    await keys.tick(tick.keysVersion);
    if (freed.length > 0) this.onRelease(freed.map(([scope]) => scope));
    return tick.hasMore;
  }

  /** Reports everything that has happened while the server could not be used. */
  async catchUp(): Promise<void> {
    const { exchange } = this.#parts;
    if (this.#hasLostData) await this.#recover();
    while (exchange.hasWork && await exchange.run()) { /* The rest. */ }
    await this.tick();
  }

  #noteRecovered({ recovered, recoveredCost }: Tick): void {
    this.recovered.requests += recovered;
    this.recovered.cost += recoveredCost;
    this.#parts.onWarning(
      `another gateway was killed during ${recovered} ${
        recovered === 1 ? "request" : "requests"
      }; ` +
        `their reserved $${(recoveredCost / 1e9).toFixed(4)} count as spent`,
    );
  }

  /** The others count this gateway as dead: its reservations count as spent until it reports them. */
  #rejoin(): void {
    const { member, hasFile, own, reservations, exchange } = this.#parts;
    reservations.restoreAll();
    if (!hasFile && member.hasTicked) {
      member.renewSource();
      own.restart();
    }
    exchange.soon(SETTLE_DELAY);
  }

  /** The server has lost data: reports everything again before any gateway grants money. */
  async #recover(): Promise<void> {
    this.#hasLostData = true;
    const { connection, member, keys, own, balances, reservations, exchange } = this.#parts;
    const base = connection.key("gateway");
    await connection.command(["SET", `${base}:recovering`, "1", "PX", RECOVERY_TIME]);
    const { alive, ended } = this.#before ??= {
      alive: member.instances,
      ended: JSON.stringify(balances.ended()),
    };
    await member.tick();
    const { instance } = member;
    const order = { instance, alive, open: reservations.amounts, run: connection.runId };
    await connection.run(FORGET_ENDED, [base], [JSON.stringify(order)]);
    own.forgetShared();
    reservations.restoreAll();
    while (reservations.hasChanges || !own.isShared) {
      if (!await exchange.run(true)) return;
    }
    await connection.run(RESTORE, [base], [ended]);
    member.forgetChanges();
    await member.tick();
    member.forgetChanges();
    await keys.restore();
    this.#before = undefined;
    this.#hasLostData = false;
  }
}
