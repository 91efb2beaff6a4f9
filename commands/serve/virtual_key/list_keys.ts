/**
 * Lists virtual keys with their limits and spending.
 *
 * @module
 */
import type { ListedKey } from "../../../lib/gateway/access/open_key_store.ts";
import { dollars } from "../../terminal/format.ts";
import { writeJson, writeOutput } from "../../terminal/output.ts";
import { writeSentences } from "../../terminal/sentences.ts";
import { type Cell, table } from "../../terminal/table.ts";
import { describeRates, expiryText } from "./describe_key.ts";
import type { KeyCommandFlags } from "./key_flags.ts";
import { sharedStore, withKeys } from "./open_keys.ts";

/** The amount and its budget. */
function spending(spent: number, budget: number | undefined): Cell {
  const text = budget === undefined ? dollars(spent) : `${dollars(spent)} of ${dollars(budget)}`;
  return budget !== undefined && spent >= budget ? { text, style: "red" } : text;
}

function stateCell({ state }: ListedKey): Cell {
  return state === "active" ? state : { text: state, style: "yellow" };
}

function timeText(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}

function keyJson(key: ListedKey) {
  const { id, name, prefix, team, models, rpm, tpm, concurrent, budget, state, spent } = key;
  return {
    name,
    id,
    prefix,
    state,
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

/** The columns of the table. */
const COLUMNS: readonly { title: string; align?: "right"; cell: (key: ListedKey) => Cell }[] = [
  { title: "name", cell: ({ name }) => name },
  { title: "state", cell: stateCell },
  { title: "key", cell: ({ prefix }) => `${prefix}…` },
  { title: "team", cell: ({ team }) => team ?? "" },
  { title: "models", cell: ({ models }) => models?.join(", ") ?? "" },
  { title: "limits", cell: describeRates },
  { title: "today", align: "right", cell: ({ budget, spent }) => spending(spent.day, budget?.day) },
  {
    title: "month",
    align: "right",
    cell: ({ budget, spent }) => spending(spent.month, budget?.month),
  },
  {
    title: "total",
    align: "right",
    cell: ({ budget, spent }) => spending(spent.total, budget?.total),
  },
  {
    title: "until",
    cell: ({ expiresAt }) => expiresAt === undefined ? "" : expiryText(expiresAt),
  },
];

/** The keys as a table; columns without values are left out. */
function keyLines(keys: readonly ListedKey[]): string[] {
  const rows = keys.map((key) => COLUMNS.map(({ cell }) => cell(key)));
  const used = COLUMNS.map((_, i) => rows.some((row) => row[i] !== ""));
  return table(
    COLUMNS.filter((_, i) => used[i]).map(({ title, align }) => ({ title, align })),
    rows.map((row) => row.filter((_, i) => used[i])),
  );
}

/** The keys with what they have spent: at all gateways, if they share them. */
async function readKeys(flags: KeyCommandFlags): Promise<ListedKey[]> {
  const redis = sharedStore(flags);
  if (redis !== undefined) {
    const { listSharedKeys } = await import("../../../lib/gateway/access/shared_keys.ts");
    const shared = await listSharedKeys(redis);
    if (shared !== undefined) return shared;
  }
  return await withKeys(flags, (store) => store.listWithSpending());
}

/** Prints the keys. */
export async function listKeys(flags: KeyCommandFlags): Promise<void> {
  const keys = await readKeys(flags);
  if (flags.json) return writeJson(keys.map(keyJson));
  if (keys.length === 0) {
    return writeSentences("No virtual keys. To create one: flexllm serve virtual-key create NAME");
  }
  writeOutput(`${keyLines(keys).join("\n")}\n`);
}
