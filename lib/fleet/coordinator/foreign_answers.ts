/**
 * Refuses to replace a job of the same name whose answers were not collected.
 *
 * @module
 */
import { ConfigurationError } from "../../errors.ts";
import type { RedisConnection } from "../../redis/redis_connection.ts";
import { GROUP, JobKeys } from "../job_keys.ts";
import type { JobSpec } from "../job_spec.ts";
import { readWorkers, SILENT } from "../read_fleet.ts";
import { isAnswered, resultGroup } from "../work_result.ts";

/** Groups of answers in one reply: each has up to 1 MB, or one large answer. */
const PAGE = 8;

/** The number of answers in a stream. */
async function countAnswers(connection: RedisConnection, stream: string): Promise<number> {
  let count = 0;
  for (let start = "-";;) {
    const page = ["XRANGE", stream, start, "+", "COUNT", PAGE] as const;
    const entries = await connection.command(page) as [id: string, fields: string[]][];
    for (const [id, fields] of entries) {
      count += resultGroup(id, fields).results.filter(isAnswered).length;
    }
    if (entries.length < PAGE) return count;
    start = `(${entries[entries.length - 1][0]}`;
  }
}

/** The number of records that workers have which may still answer them. */
async function countPending(
  connection: RedisConnection,
  id: string,
  stream: string,
): Promise<number> {
  const workers = await readWorkers(connection);
  if (!workers.some(({ job, age }) => job === id && age < SILENT)) return 0;
  try {
    const [count] = await connection.command(["XPENDING", stream, GROUP]) as [number];
    return count;
  } catch (error) {
    // Without the stream, there are none.
    if (String(error).includes("NOGROUP")) return 0;
    throw error;
  }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/**
 * Checks that a job of this name, with another input, result file or request, has left nothing to collect.
 *
 * @throws {ConfigurationError} if it has answers, or workers have its records
 * @throws {RedisUnavailableError} if the server cannot be used
 */
export async function refuseForeignAnswers(
  connection: RedisConnection,
  keys: JobKeys,
  { id, generation }: JobSpec,
): Promise<void> {
  const [stored, phase, text] = await connection.pipeline([
    ["HGET", keys.state, "generation"],
    ["HGET", keys.state, "phase"],
    ["GET", keys.spec],
  ]) as (string | null)[];
  if (stored === null || stored === generation || phase === "ended") return;
  const old = new JobKeys(connection, id, stored);
  const answers = await countAnswers(connection, old.done);
  const pending = await countPending(connection, id, old.work);
  if (answers + pending === 0) return;
  const { input, name, models = [] } = JSON.parse(text ?? "{}") as Partial<JobSpec>;
  const what = [input, name ?? models.join(", ")].filter((part) => part).join(" with ");
  const left = [
    ...answers > 0
      ? [`${counted(answers, "answer")} that ${answers === 1 ? "was" : "were"} not collected`]
      : [],
    ...pending > 0 ? [`${counted(pending, "record")} in progress at workers`] : [],
  ].join(", and ");
  throw new ConfigurationError(
    `job ${id} has ${left}, of a batch with other files or options${
      what === "" ? "" : ` (${what})`
    }`,
    {
      hint:
        "Run that batch again to collect them, or choose another name with --job. To discard them, delete " +
        `the key ${keys.state} in Redis; otherwise they are kept for a week.`,
    },
  );
}
