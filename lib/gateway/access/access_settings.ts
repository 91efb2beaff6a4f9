/**
 * Defines and checks the settings of virtual keys, limits and budgets.
 *
 * @module
 */
import { ConfigurationError } from "../../errors.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { ConfiguredLimits } from "./accounts.ts";
import { checkLimits, checkName } from "./key_settings.ts";

/** Settings of an access that can change while it is used. */
export interface AccessSettings extends ConfiguredLimits {
  /**
   * Whether calls without a key are accepted as long as no key exists.
   *
   * @default false
   */
  allowAnonymous?: boolean;
  /**
   * Whether models without a known price can be used under a budget. Their answers then cost nothing.
   *
   * @default false
   */
  allowUnpriced?: boolean;
  /**
   * How long a call waits while other calls hold the rest of a budget, in seconds.
   *
   * @default 10
   */
  maxBudgetWait?: number;
}

/** Options of {@link openAccess}. */
export interface AccessOptions extends AccessSettings {
  /**
   * The path of the database with keys and spending; one gateway at a time can use it.
   *
   * @default in memory
   */
  database?: string;
  /** Another store of keys and spending. */
  ledger?: Ledger;
  /** Called with what the operator should know, such as that spending cannot be stored. */
  onWarning?: (message: string) => void;
  /**
   * The clock of rates and waits.
   *
   * @default the system's
   */
  clock?: Clock;
  /**
   * The time of day in milliseconds since 1970, for budgets and expiry.
   *
   * @default Date.now
   */
  now?: () => number;
}

/**
 * Checks settings.
 *
 * @throws {ConfigurationError} if one is wrong
 */
export function checkConfigured(
  { teams = {}, limits = {}, maxBudgetWait = 0 }: AccessSettings,
): void {
  checkLimits(limits, "limits.");
  for (const [name, team] of Object.entries(teams)) {
    checkName("team", name);
    checkLimits(team, `teams.${name}.`);
  }
  if (!(maxBudgetWait >= 0)) {
    throw new ConfigurationError(`maxBudgetWait: expected seconds, got ${maxBudgetWait}`);
  }
}
