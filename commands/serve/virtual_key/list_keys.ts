/**
 * Lists virtual keys with their limits and spending.
 *
 * @module
 */
import { stateOf } from "../../../lib/gateway/access/key_settings.ts";
import type { KeySpending } from "../../../lib/gateway/access/key_store.ts";
import type { VirtualKey } from "../../../lib/gateway/key_limits.ts";
import { dollars } from "../../terminal/format.ts";
import { writeJson, writeOutput } from "../../terminal/output.ts";
import { writeSentences } from "../../terminal/sentences.ts";
import { type Cell, table } from "../../terminal/table.ts";
import { describeRates, expiryDay } from "./describe_key.ts";
import type { KeyCommandFlags } from "./key_flags.ts";
import { withKeys } from "./open_keys.ts";

/** USD spent in the current day, month and altogether, by UTC. */
export interface KeySpent {
  day: number;
  month: number;
  total: number;
}

/** Sums the spending of one key. */
export function spentBy(id: string, rows: readonly KeySpending[], now: number): KeySpent {
  const today = new Date(now).toISOString().slice(0, 10);
  const spent = { day: 0, month: 0, total: 0 };
  for (const { key, day, cost } of rows) {
    if (key !== id) continue;
    spent.total += cost;
    if (day.slice(0, 7) === today.slice(0, 7)) spent.month += cost;
    if (day === today) spent.day += cost;
  }
  return spent;
}

/** The amount and its budget. */
function spending(spent: number, budget: number | undefined): Cell {
  const text = budget === undefined ? dollars(spent) : `${dollars(spent)} of ${dollars(budget)}`;
  return budget !== undefined && spent >= budget ? { text, style: "red" } : text;
}

function stateCell(state: ReturnType<typeof stateOf>): Cell {
  return state === "active" ? state : { text: state, style: "yellow" };
}

function timeText(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}

function keyJson(key: VirtualKey, spent: KeySpent, now: number) {
  const { id, name, prefix, team, models, rpm, tpm, concurrent, budget } = key;
  return {
    name,
    id,
    prefix,
    state: stateOf(key, now),
    team: team ?? null,
    models: models ?? null,
    rpm: rpm ?? null,
    tpm: tpm ?? null,
    concurrent: concurrent ?? null,
    budget: budget ?? null,
    spent,
    created_at: timeText(key.createdAt),
    expires_at: timeText(key.expiresAt),
    disabled_at: timeText(key.disabledAt),
  };
}

/** The keys as a table; columns without values are left out. */
export function keyLines(
  keys: readonly (readonly [VirtualKey, KeySpent])[],
  now: number,
): string[] {
  const columns: {
    title: string;
    align?: "right";
    cell: (key: VirtualKey, s: KeySpent) => Cell;
  }[] = [
    { title: "name", cell: ({ name }) => name },
    { title: "state", cell: (key) => stateCell(stateOf(key, now)) },
    { title: "key", cell: ({ prefix }) => `${prefix}…` },
    { title: "team", cell: ({ team }) => team ?? "" },
    { title: "models", cell: ({ models }) => models?.join(", ") ?? "" },
    { title: "limits", cell: describeRates },
    { title: "today", align: "right", cell: ({ budget }, { day }) => spending(day, budget?.day) },
    {
      title: "month",
      align: "right",
      cell: ({ budget }, { month }) => spending(month, budget?.month),
    },
    {
      title: "total",
      align: "right",
      cell: ({ budget }, { total }) => spending(total, budget?.total),
    },
    {
      title: "until",
      cell: ({ expiresAt }) => expiresAt === undefined ? "" : expiryDay(expiresAt),
    },
  ];
  const rows = keys.map(([key, spent]) => columns.map(({ cell }) => cell(key, spent)));
  const used = columns.map((_, i) => rows.some((row) => row[i] !== ""));
  return table(
    columns.filter((_, i) => used[i]).map(({ title, align }) => ({ title, align })),
    rows.map((row) => row.filter((_, i) => used[i])),
  );
}

/** Prints the keys. */
export async function listKeys(flags: KeyCommandFlags): Promise<void> {
  await withKeys(flags, async (store) => {
    const now = Date.now();
    const rows = await store.spending();
    const keys = store.list().map((key) => [key, spentBy(key.id, rows, now)] as const);
    if (flags.json) return writeJson(keys.map(([key, spent]) => keyJson(key, spent, now)));
    if (keys.length === 0) {
      return writeSentences(
        "No virtual keys. To create one: flexllm serve virtual-key create NAME",
      );
    }
    writeOutput(`${keyLines(keys, now).join("\n")}\n`);
  });
}
