/**
 * Runs a worker until it is stopped or has nothing left to do.
 *
 * @module
 */
import process from "node:process";
import { REDIS_VARIABLE, resolveRedis } from "../../lib/config/resolve_redis.ts";
import type { Config } from "../../lib/config/load.ts";
import { ConfigurationError } from "../../lib/errors.ts";
import { FleetWorker } from "../../lib/fleet/worker/worker.ts";
import type { RedisSettings } from "../../lib/redis/redis_settings.ts";
import { warnAboutEviction } from "../../lib/redis/eviction.ts";
import { shareConnection } from "../../lib/redis/shared_connection.ts";
import { allowRequests } from "../../lib/runtime/runtime.ts";
import { clientSettings } from "../batch/client_settings.ts";
import { batchConcurrency } from "../batch/connect.ts";
import { ErrorKinds } from "../errors/groups.ts";
import { EXIT } from "../exit_codes.ts";
import { printWarnings, readConfigSilently } from "../read_config.ts";
import { stopOnSignals } from "../signals.ts";
import { colored, writeNote } from "../terminal/output.ts";
import { writeSentences, writeWarning } from "../terminal/sentences.ts";
import { jobConnector } from "./connect_job.ts";
import type { WorkerFlags } from "./worker_flags.ts";
import { showWorker, workerSummary } from "./worker_progress.ts";

/**
 * The Redis server that flags, environment or configuration name.
 *
 * @throws {ConfigurationError} if they name none
 */
export function requireRedis(
  config: Config,
  flags: { redis?: string; onStoreLoss?: string },
): RedisSettings {
  const redis = resolveRedis(config, process.env, flags);
  if (redis !== undefined) return redis;
  throw new ConfigurationError("no Redis server is named", {
    hint: `Add --redis URL, set ${REDIS_VARIABLE}, or set redis in the configuration.`,
  });
}

/** What the notes of a worker begin with: the address, and what it waits for. */
function startText(server: string, { job }: WorkerFlags): string {
  const work = job === undefined ? "jobs" : `job ${job}`;
  return `Worker at ${server}: waiting for ${work}. Press Ctrl-C to stop.`;
}

/**
 * Runs a worker. Returns the exit code.
 *
 * @throws {ConfigurationError} if Redis cannot be used, or the only job cannot be sent from this machine
 */
export async function runWorker(flags: WorkerFlags): Promise<number> {
  const config = readConfigSilently(flags.config);
  const redis = requireRedis(config, flags);
  const { concurrencyLimit } = clientSettings(flags, config.value.batch ?? {});
  const { model, ...others } = flags;
  const connectionFlags = { ...others, model: model === undefined ? undefined : [model] };
  // May restart the process, so this runs before anything is printed.
  allowRequests(batchConcurrency(config, connectionFlags, concurrencyLimit));
  printWarnings(config);
  await using share = await shareConnection(redis.address);
  const { connection } = share;
  warnAboutEviction(connection, writeWarning);
  const note = flags.quiet ? () => {} : (text: string) => writeSentences(text);
  const retries = new ErrorKinds();
  const worker = new FleetWorker({
    connection,
    connect: jobConnector({ config, flags, redis }),
    concurrency: flags.concurrency,
    job: flags.job,
    name: flags.name,
    exitWhenDone: flags.exitWhenDone,
    idleExit: flags.idleExit,
    onNote: (text) => writeSentences(text),
    onLoss: writeWarning,
    onRetry({ error }) {
      const kind = retries.count(error);
      if (kind !== undefined) note(colored("dim", `retrying: ${kind.first}`));
    },
  });
  note(startText(redis.address.shown, flags));
  const stopDisplay = flags.quiet ? () => {} : showWorker(() => worker.status);
  let isAborted = false;
  const signals = stopOnSignals({
    stop: () => worker.stop(),
    abort() {
      isAborted = true;
      worker.abort();
    },
  }, writeNote);
  try {
    await worker.run();
  } finally {
    stopDisplay();
    signals.release();
    note(workerSummary(worker.status));
  }
  return isAborted ? EXIT.interrupted : EXIT.ok;
}
