/**
 * The flags for the limits of a virtual key.
 *
 * @module
 */
import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import type { KeySettings } from "../../../lib/gateway/access/key_settings.ts";
import type { KeyChanges } from "../../../lib/gateway/access/key_store.ts";
import { collectText, duration, integer, numberWithin } from "../../flags/parse.ts";

/** A limit, or none of that kind. */
type OrNone = number | "none";

/** The flags of all subcommands. */
export interface KeyCommandFlags {
  model?: string[];
  rpm?: OrNone;
  tpm?: OrNone;
  concurrent?: OrNone;
  budgetDay?: OrNone;
  budgetMonth?: OrNone;
  budgetTotal?: OrNone;
  /** Milliseconds since 1970. */
  expires?: OrNone;
  team?: string;
  name?: string;
  /** Seconds. */
  grace?: number;
  json?: true;
  database?: string;
  redis?: string;
  config?: string;
}

/** Longest time until a key expires, in seconds: a century. */
const MAX_LIFETIME = 100 * 366 * 86_400;
const DAY = 86_400_000;

/**
 * Parses when a key expires: after a duration such as `30d`, or at the end of a day such as `2030-12-31`, UTC.
 *
 * @param now milliseconds since 1970
 * @returns milliseconds since 1970
 */
export function expiryTime(text: string, now = Date.now()): number {
  const value = text.trim();
  if (/^\d{4}-\d\d-\d\d/.test(value)) {
    const isDay = value.length === 10;
    const time = Date.parse(value);
    const isReal = !Number.isNaN(time) &&
      (!isDay || new Date(time).toISOString().startsWith(value));
    if (!isReal) throw new InvalidArgumentError("Expected a date such as 2030-12-31.");
    const end = isDay ? time + DAY : time;
    if (end <= now) throw new InvalidArgumentError("Expected a date in the future.");
    return end;
  }
  if (!/[smhd]$/i.test(value)) {
    throw new InvalidArgumentError(
      "Expected a duration such as 30d, or a date such as 2030-12-31.",
    );
  }
  const seconds = duration(MAX_LIFETIME)(value);
  if (seconds === 0) throw new InvalidArgumentError("Expected a time in the future.");
  return now + seconds * 1000;
}

/** Makes a parser that also takes `none`. Commander would replace `null` with an empty text. */
function orNone(parse: (text: string) => number): (text: string) => OrNone {
  return (text) => text.trim().toLowerCase() === "none" ? "none" : parse(text);
}

/** The number of a limit; `undefined` if there is none. */
function numberOf(value: OrNone | undefined): number | undefined {
  return value === "none" ? undefined : value;
}

/** The change of a field: `null` removes it. */
function changeOf(value: OrNone | undefined): number | null | undefined {
  return value === "none" ? null : value;
}

function limit(flags: string, description: string, parse: (text: string) => number): Option {
  return new Option(flags, description).argParser(orNone(parse)) as Option;
}

const usd = numberWithin(0, 1e9);

/** The flags for limits, in the order of the help. */
export function limitFlags(): Option[] {
  return [
    new Option(
      "--model <route>",
      "model that the key may use; * at the end matches any ending (repeatable; default: all)",
    ).argParser(collectText) as Option,
    limit("--rpm <number>", "maximum requests per minute", integer(1)),
    limit("--tpm <number>", "maximum tokens per minute, input + output", integer(1)),
    limit("--concurrent <number>", "maximum requests in flight", integer(1)),
    limit("--budget-day <usd>", "maximum spending per day", usd),
    limit("--budget-month <usd>", "maximum spending per month", usd),
    limit("--budget-total <usd>", "maximum spending altogether", usd),
    limit("--expires <when>", "when it stops working, e.g. 30d or 2030-12-31", expiryTime),
    new Option("--team <name>", "team whose limits in the configuration also apply"),
  ];
}

/** The settings of a new key. */
export function settingsOf(flags: KeyCommandFlags): KeySettings {
  const { rpm, tpm, concurrent, budgetDay, budgetMonth, budgetTotal, expires, team } = flags;
  const budget = {
    day: numberOf(budgetDay),
    month: numberOf(budgetMonth),
    total: numberOf(budgetTotal),
  };
  const hasBudget = Object.values(budget).some((usd) => usd !== undefined);
  return {
    rpm: numberOf(rpm),
    tpm: numberOf(tpm),
    concurrent: numberOf(concurrent),
    budget: hasBudget ? budget : undefined,
    models: modelsOf(flags) ?? undefined,
    expiresAt: numberOf(expires),
    team: team?.toLowerCase() === "none" ? undefined : team,
  };
}

/** The models of the flags; `null` for `none`, which removes the restriction. */
function modelsOf({ model }: KeyCommandFlags): string[] | null | undefined {
  return model?.length === 1 && model[0].toLowerCase() === "none" ? null : model;
}

/** The changes of a key with these budgets. */
export function changesOf(
  flags: KeyCommandFlags,
  budget: KeySettings["budget"] = {},
): KeyChanges {
  const { name, rpm, tpm, concurrent, budgetDay, budgetMonth, budgetTotal, expires, team } = flags;
  const periods = { day: budgetDay, month: budgetMonth, total: budgetTotal };
  const given = Object.entries(periods).filter(([, usd]) => usd !== undefined);
  const merged = Object.fromEntries(
    Object.entries({ ...budget, ...Object.fromEntries(given) }).filter(([, usd]) =>
      typeof usd === "number"
    ),
  );
  const changes: KeyChanges = {
    name,
    rpm: changeOf(rpm),
    tpm: changeOf(tpm),
    concurrent: changeOf(concurrent),
    budget: given.length === 0 ? undefined : Object.keys(merged).length === 0 ? null : merged,
    models: modelsOf(flags),
    expiresAt: changeOf(expires),
    team: team?.toLowerCase() === "none" ? null : team,
  };
  return Object.fromEntries(
    Object.entries(changes).filter(([, value]) => value !== undefined),
  );
}
