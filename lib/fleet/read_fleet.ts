/**
 * Reads which jobs and workers a fleet has.
 *
 * @module
 */
import type { RedisConnection } from "../redis/redis_connection.ts";
import { ACTIVE_JOBS, READ_WORKERS } from "./claim_scripts.ts";
import type { FleetStatus, JobStatus, WorkerStatus } from "./fleet_status.ts";
import { FleetKeys, JOB_TTL, JobKeys } from "./job_keys.ts";
import type { JobSpec } from "./job_spec.ts";

/** Seconds after which a silent worker counts as lost in listings. */
export const SILENT = 15;

/** Reads the reports of all workers, lost ones included for a while. */
export async function readWorkers(connection: RedisConnection): Promise<WorkerStatus[]> {
  const { workers, reports } = new FleetKeys(connection);
  const reply = await connection.run(READ_WORKERS, [workers, reports]) as string[];
  const found: WorkerStatus[] = [];
  for (let i = 0; i + 2 < reply.length; i += 3) {
    const report = JSON.parse(reply[i + 2]) as Omit<WorkerStatus, "age">;
    found.push({ ...report, age: Math.max(0, Number(reply[i + 1])) / 1000 });
  }
  return found;
}

/** Reads the specs of jobs that gave a sign of life within `seconds`; those that have ended are left out. */
export async function readJobs(
  connection: RedisConnection,
  seconds = JOB_TTL / 1000,
): Promise<JobSpec[]> {
  const { jobs } = new FleetKeys(connection);
  const ids = await connection.run(ACTIVE_JOBS, [jobs], [Math.round(seconds * 1000)]) as string[];
  const specs = await connection.pipeline(
    ids.map((id) => ["GET", connection.key("job", id, "spec")] as const),
  ) as (string | null)[];
  return specs.filter((spec) => spec !== null).map((spec) => JSON.parse(spec) as JobSpec);
}

/** Reads the specs of the jobs that have a coordinator which wants records to be sent. */
export async function readRunningJobs(connection: RedisConnection): Promise<JobSpec[]> {
  const specs = await readJobs(connection, SILENT);
  const states = await connection.pipeline(specs.flatMap(({ id, generation }) => {
    const { state, lock } = new JobKeys(connection, id, generation);
    return [["HGET", state, "phase"], ["EXISTS", lock]] as const;
  }));
  return specs.filter((_, i) => states[2 * i] === "running" && states[2 * i + 1] === 1);
}

/** What `XINFO GROUPS` says of a group. */
function infoOf(reply: unknown): Map<string, unknown> {
  const [group = []] = (reply ?? []) as unknown[][];
  const fields = new Map<string, unknown>();
  for (let i = 0; i + 1 < group.length; i += 2) fields.set(String(group[i]), group[i + 1]);
  return fields;
}

async function readJob(
  connection: RedisConnection,
  spec: JobSpec,
  workers: readonly WorkerStatus[],
): Promise<JobStatus> {
  const keys = new JobKeys(connection, spec.id, spec.generation);
  const [length, done, isLocked, finished] = await connection.pipeline([
    ["XLEN", keys.work],
    ["XLEN", keys.done],
    ["EXISTS", keys.lock],
    ["HGET", keys.state, "finished"],
  ]);
  const groups = await connection.command(["XINFO", "GROUPS", keys.work]).catch(() => []);
  const inFlight = Number(infoOf(groups).get("pending") ?? 0);
  return {
    id: spec.id,
    model: spec.name ?? spec.models.join(", "),
    host: spec.host,
    pid: spec.pid,
    version: spec.version,
    input: spec.input,
    total: spec.total,
    finished: finished === null ? undefined : Number(finished),
    isActive: isLocked === 1,
    waiting: Math.max(0, Number(length) - inFlight),
    inFlight,
    uncollected: Number(done),
    workers: workers.filter(({ job, age }) => job === spec.id && age < SILENT).map(({ id }) => id),
  };
}

/** Reads the jobs and workers of the fleet at `connection`. */
export async function readFleet(connection: RedisConnection): Promise<FleetStatus> {
  const [workers, specs] = await Promise.all([readWorkers(connection), readJobs(connection)]);
  const jobs = await Promise.all(specs.map((spec) => readJob(connection, spec, workers)));
  return { jobs, workers };
}
