/**
 * Reserves money while Redis cannot be used: an equal part of what is left, and for some seconds only.
 *
 * @module
 */
import type { RedisConnection } from "../../../redis/redis_connection.ts";
import type { RedisUnavailableError } from "../../../redis/redis_error.ts";
import type { StoreLossPolicy } from "../../../redis/redis_settings.ts";
import { GatewayError } from "../../gateway_error.ts";
import type { LedgerReservation, ReserveOutcome } from "../ledger.ts";
import type { FleetMember } from "./fleet_member.ts";
import type { OwnReservations } from "./own_reservations.ts";
import type { SharedBalances } from "./shared_balances.ts";

/** Seconds after which clients may try again while the server cannot be used. */
const RETRY_AFTER = 5;

/** What reservations without Redis depend on. */
export interface OutageParts {
  connection: RedisConnection;
  member: FleetMember;
  balances: SharedBalances;
  reservations: OwnReservations;
  onStoreLoss: Required<StoreLossPolicy>;
  /** Seconds for which money is spent without the server. */
  maxStoreLoss: number;
  onWarning: (message: string) => void;
}

/** Decides about money while the server cannot be used, and reports that once. */
export class OutageReserve {
  readonly #parts: OutageParts;
  #hasWarned = false;

  constructor(parts: OutageParts) {
    this.#parts = parts;
  }

  /**
   * Reserves by what was known when the server was last seen.
   *
   * @param mayExist whether the server may have made the reservation, although it has not replied
   * @throws {GatewayError} if the server has been down for too long
   */
  reserve(reservation: LedgerReservation, mayExist: boolean): ReserveOutcome {
    const { connection, member, balances, reservations, onStoreLoss, maxStoreLoss } = this.#parts;
    const { request, amount } = reservation;
    const isLate = connection.downFor >= maxStoreLoss * 1000;
    if (isLate && onStoreLoss.budget === "stop") {
      if (mayExist) reservations.discard(reservation);
      throw budgetUnavailable("it cannot be used");
    }
    const gateways = isLate ? 1 : member.size;
    const shortage = balances.shortage(request.budgets, request.day, amount, gateways);
    if (shortage !== undefined) {
      if (mayExist) reservations.discard(reservation);
      return { shortage };
    }
    balances.add("r", request, request.day, amount);
    reservations.addAlone(reservation);
    return { reservation };
  }

  /** Warns about an outage, unless it is known. */
  began({ message }: RedisUnavailableError): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    const { member: { size }, onStoreLoss: { rates, budget }, maxStoreLoss, onWarning } =
      this.#parts;
    const limits = {
      divide: size > 1 ? `this gateway keeps to 1/${size} of each rate limit` : "rate limits stay",
      full: "this gateway uses each rate limit in full",
      stop: "requests under a rate limit are refused",
    };
    const money = budget === "stop"
      ? `after ${maxStoreLoss} seconds requests under a budget are refused`
      : "this gateway counts budgets by itself";
    onWarning(`${message}. Until it can be used again, ${limits[rates]}, and ${money}`);
  }

  /** Reports the end of an outage. */
  ended(): void {
    const { connection, onWarning } = this.#parts;
    if (!connection.isUp || !this.#hasWarned) return;
    this.#hasWarned = false;
    onWarning(
      `Redis at ${connection.address.shown} can be used again; limits and budgets are shared`,
    );
  }
}

/** The refusal of a request whose budget cannot be checked. */
export function budgetUnavailable(reason: string): GatewayError {
  return new GatewayError(
    503,
    `the gateway cannot check budgets: Redis, through which gateways share them, is down (${reason}).`,
    {
      reason: "store_unavailable",
      retryAfter: RETRY_AFTER,
      hint: "Try again later. The operator can choose what happens then with --on-store-loss.",
    },
  );
}
