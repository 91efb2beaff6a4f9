/**
 * Names the limits that processes share.
 *
 * @module
 */
import { hash } from "node:crypto";
import type { RedisConnection } from "../../redis/redis_connection.ts";

/** What a limit holds for. */
export interface LimitSubject {
  /** The base URL of the server. */
  baseUrl: string;
  /** The API key; only its hash leaves this process. */
  apiKey: string | undefined;
  /** The model; services limit each one by itself. */
  model: string | undefined;
}

/** The name of a limit; the same in all processes, and without the key. */
export function limitGroup(subjects: readonly LimitSubject[]): string {
  const parts = subjects.map(({ baseUrl, apiKey = "", model = "" }) =>
    JSON.stringify([baseUrl.replace(/\/+$/, ""), apiKey, model])
  );
  return hash("sha256", JSON.stringify([...new Set(parts)].sort())).slice(0, 32);
}

/** The keys of a limit: its state, and the processes that share it. */
export type LimitKeys = [state: string, members: string];

/** The keys of the limit of a group. */
export function limitKeys(
  connection: RedisConnection,
  group: string,
  kind: "rate" | "tokens" | "slots",
): LimitKeys {
  return [
    connection.key("limits", group, kind),
    connection.key("limits", group, kind, "processes"),
  ];
}

/** What is stored of each process. */
const FIELDS = ["limit", "number", "run", "held", "used", "flow", "want", "turn"];

/** Removes a process from those that share a limit, so that the others need not keep a part for it. Never rejects. */
export async function leave(
  connection: RedisConnection,
  [state, members]: LimitKeys,
  id: string,
): Promise<void> {
  if (!connection.isUp) return;
  await connection.pipeline([
    ["ZREM", members, id],
    ["HDEL", state, ...FIELDS.map((field) => `${field}:${id}`), "recount"],
  ]).catch(() => {});
}
