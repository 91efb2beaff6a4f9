/**
 * Shows the jobs and workers of a fleet for `flexllm worker status`.
 *
 * @module
 */
import type { JobStatus, WorkerStatus } from "../../lib/fleet/fleet_status.ts";
import { readFleet } from "../../lib/fleet/read_fleet.ts";
import { shareConnection } from "../../lib/redis/shared_connection.ts";
import { readConfig } from "../read_config.ts";
import { writeJson, writeOutput } from "../terminal/output.ts";
import { requireRedis } from "./run_worker.ts";
import { statusLines } from "./status_table.ts";

/** The flags of `flexllm worker status`. */
export interface StatusFlags {
  redis?: string;
  json?: true;
  config?: string;
}

function jobJson(job: JobStatus) {
  return {
    id: job.id,
    model: job.model,
    active: job.isActive,
    total: job.total ?? null,
    finished: job.finished ?? null,
    waiting: job.waiting,
    in_flight: job.inFlight,
    uncollected: job.uncollected,
    workers: job.workers,
    input: job.input ?? null,
    host: job.host,
    pid: job.pid,
    version: job.version,
  };
}

function workerJson(worker: WorkerStatus) {
  return {
    id: worker.id,
    name: worker.name,
    state: worker.state,
    job: worker.job ?? null,
    concurrency: worker.concurrency,
    in_flight: worker.inFlight,
    done: worker.done,
    failed: worker.failed,
    rate: worker.rate,
    cost: worker.cost,
    last_error: worker.lastError ?? null,
    refusals: worker.refusals ?? {},
    embedded: worker.isEmbedded,
    host: worker.host,
    pid: worker.pid,
    version: worker.version,
    seconds_since_report: Math.round(worker.age * 10) / 10,
  };
}

/** Prints the jobs and workers. */
export async function showStatus({ config: file, json, redis }: StatusFlags): Promise<void> {
  const config = readConfig(file);
  const settings = requireRedis(config, { redis });
  await using share = await shareConnection(settings.address, { needsWrites: false });
  const fleet = await readFleet(share.connection);
  if (json) {
    writeJson({ jobs: fleet.jobs.map(jobJson), workers: fleet.workers.map(workerJson) });
  } else writeOutput(`${statusLines(fleet, settings.address.shown).join("\n")}\n`);
}
