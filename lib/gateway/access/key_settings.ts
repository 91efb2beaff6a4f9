/**
 * Checks the settings of virtual keys, teams and the whole gateway.
 *
 * @module
 */
import { ConfigurationError } from "../../errors.ts";
import type { KeyLimits, VirtualKey } from "../key_limits.ts";
import { BUDGET_PERIODS } from "../ledger/periods.ts";

/** The maximum length of a name: names are labels of metrics. */
const MAX_NAME = 64;

/** What can be set for a key. */
export interface KeySettings extends KeyLimits {
  /** The team whose limits also apply. */
  team?: string;
  /** Routes that the key may use; `*` at the end matches any ending. Absent for all. */
  models?: string[];
  /** When the key stops working, in milliseconds since 1970; absent for never. */
  expiresAt?: number;
}

/**
 * Checks a name of a key or a team.
 *
 * @throws {ConfigurationError} if it cannot be one
 */
export function checkName(what: "key" | "team", name: string): void {
  if (
    /^[^\p{Cc}\p{Cf}\p{Cs}\s](?:[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]*[^\p{Cc}\p{Cf}\p{Cs}\s])?$/u.test(
      name,
    )
  ) {
    if (name.length <= MAX_NAME) return;
    throw new ConfigurationError(
      `the name of a ${what} can have ${MAX_NAME} characters, got ${name.length}`,
    );
  }
  throw new ConfigurationError(`not a name for a ${what}: ${JSON.stringify(name)}`, {
    hint: "Use letters and digits, without spaces at the ends or line breaks.",
  });
}

function checkNumber(where: string, value: number | undefined, isWhole: boolean): void {
  if (value === undefined) return;
  if (value >= 0 && value < Infinity && (!isWhole || Number.isInteger(value))) return;
  const expected = isWhole ? "a whole number, 0 or more" : "USD, 0 or more";
  throw new ConfigurationError(`${where}: expected ${expected}, got ${value}`);
}

/**
 * Checks limits. `where` is put in front of the names of fields in messages, such as `teams.web.`.
 *
 * @throws {ConfigurationError} that names the field
 */
export function checkLimits(limits: KeyLimits, where = ""): void {
  for (const name of ["rpm", "tpm", "concurrent"] as const) {
    checkNumber(where + name, limits[name], true);
  }
  for (const period of BUDGET_PERIODS) {
    checkNumber(`${where}budget.${period}`, limits.budget?.[period], false);
  }
}

/**
 * Checks the settings of a key.
 *
 * @throws {ConfigurationError} that names the field
 */
export function checkSettings(settings: KeySettings): void {
  checkLimits(settings);
  if (settings.team !== undefined) checkName("team", settings.team);
  if (settings.models?.some((pattern) => /\*./.test(pattern) || pattern === "")) {
    throw new ConfigurationError("models: expected names, with * only at the end");
  }
  const { expiresAt } = settings;
  if (expiresAt !== undefined && !Number.isFinite(expiresAt)) {
    throw new ConfigurationError(`expiresAt: expected a time, got ${expiresAt}`);
  }
}

/** Whether one of the patterns matches a route. */
export function matchesRoute(patterns: readonly string[] | undefined, route: string): boolean {
  return patterns === undefined ||
    patterns.some((pattern) =>
      pattern.endsWith("*") ? route.startsWith(pattern.slice(0, -1)) : pattern === route
    );
}

/** Whether a key works at a time in milliseconds since 1970. */
export function stateOf(
  { disabledAt, expiresAt }: Pick<VirtualKey, "disabledAt" | "expiresAt">,
  now: number,
): "active" | "disabled" | "expired" {
  if (disabledAt !== undefined) return "disabled";
  return expiresAt !== undefined && now >= expiresAt ? "expired" : "active";
}
