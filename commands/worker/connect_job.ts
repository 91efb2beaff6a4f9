/**
 * Creates the clients with which a worker sends the records of jobs.
 *
 * @module
 */
import process from "node:process";
import { completionsOf } from "../../lib/client/client.ts";
import type { Config } from "../../lib/config/load.ts";
import { type CacheSettings, resolveBatchCache } from "../../lib/config/resolve_cache.ts";
import type { ConnectJob, JobRequest } from "../../lib/fleet/job_spec.ts";
import { CostTracker } from "../../lib/pricing/cost_tracker.ts";
import type { RedisSettings } from "../../lib/redis/redis_settings.ts";
import { clientSettings } from "../batch/client_settings.ts";
import { connectBatch } from "../batch/connect.ts";
import { attachmentOptions, withCacheWarnings, withRedisWarnings } from "../connect.ts";
import { jobConnection } from "./job_model.ts";
import type { WorkerFlags } from "./worker_flags.ts";

/** What {@link jobConnector} needs. */
export interface JobConnectorOptions {
  config: Config;
  flags: WorkerFlags;
  redis: RedisSettings;
}

/** The lower one of two limits, either of which may be missing. */
function lower(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? a ?? b : Math.min(a, b);
}

/** The cache for a job: as the batch says, unless the flags of the worker do. */
function jobCache(
  config: Config,
  flags: Pick<WorkerFlags, "cache">,
  cache: JobRequest["cache"],
): false | CacheSettings {
  if (flags.cache !== undefined || cache === undefined) return resolveBatchCache(config, flags);
  if (cache === false) return false;
  return resolveBatchCache(config, { cache: true, cacheTtl: cache.ttl });
}

/** Creates a function that connects to the model of a job, or refuses the job. */
export function jobConnector(
  { config, flags, redis }: JobConnectorOptions,
): ConnectJob {
  return async (spec) => {
    const { budget, limits = {} } = spec;
    const own = clientSettings(flags, config.value.batch ?? {});
    const { model, baseUrl, apiKey } = jobConnection(config, process.env, flags, spec);
    const costTracker = new CostTracker({
      limit: budget?.limit,
      allowUnpriced: budget?.allowUnpriced,
    });
    const [{ client, requireKeys }] = connectBatch(config, { ...flags, model, baseUrl, apiKey }, {
      ...own,
      maxQps: lower(own.maxQps, limits.maxQps),
      maxTpm: lower(own.maxTpm, limits.maxTpm),
      maxInFlight: lower(own.maxInFlight, limits.maxInFlight),
      costTracker,
      redis: withRedisWarnings(redis, budget?.name),
      cache: withCacheWarnings(config, jobCache(config, flags, spec.cache), redis),
      // The batch sends the content of local files: a path would choose one of this machine.
      attachments: { ...attachmentOptions(config, flags), allowLocalFiles: false },
    });
    try {
      requireKeys();
    } catch (error) {
      await client.close();
      throw error;
    }
    return { completions: completionsOf(client), close: () => client.close() };
  };
}
