/**
 * Describes the limits of virtual keys, teams and the whole gateway.
 *
 * @module
 */
import type { KeyLimits, VirtualKey } from "../../../lib/gateway/key_limits.ts";
import { DAY } from "../../../lib/gateway/ledger/periods.ts";
import { COUNT, dollars } from "../../terminal/format.ts";

/** The rates, such as `60 rpm, 5 concurrent`. */
export function describeRates({ rpm, tpm, concurrent }: KeyLimits): string {
  const parts = [
    rpm === undefined ? undefined : `${COUNT.format(rpm)} rpm`,
    tpm === undefined ? undefined : `${COUNT.format(tpm)} tpm`,
    concurrent === undefined ? undefined : `${COUNT.format(concurrent)} concurrent`,
  ];
  return parts.filter((part) => part !== undefined).join(", ");
}

/** When a key stops working: its last day if that is midnight, e.g. `2030-12-31`, else `2030-12-31 14:05 UTC`. */
export function expiryText(expiresAt: number): string {
  if (expiresAt % DAY === 0) return new Date(expiresAt - 1).toISOString().slice(0, 10);
  return `${new Date(expiresAt).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** All limits of a key in one line; empty if it has none. */
export function describeLimits(
  key: Pick<VirtualKey, "models" | "team" | "expiresAt" | keyof KeyLimits>,
): string {
  const { models, team, expiresAt, budget = {} } = key;
  const budgets = [
    budget.day === undefined ? undefined : `${dollars(budget.day)} a day`,
    budget.month === undefined ? undefined : `${dollars(budget.month)} a month`,
    budget.total === undefined ? undefined : `${dollars(budget.total)} in total`,
  ];
  const parts = [
    ...budgets,
    describeRates(key) || undefined,
    models === undefined ? undefined : `only ${models.join(", ")}`,
    team === undefined ? undefined : `team ${team}`,
    expiresAt === undefined ? undefined : `until ${expiryText(expiresAt)}`,
  ];
  return parts.filter((part) => part !== undefined).join(", ");
}
