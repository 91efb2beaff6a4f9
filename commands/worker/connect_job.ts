/**
 * Creates the clients with which a worker sends the records of jobs.
 *
 * @module
 */
import process from "node:process";
import { completionsOf } from "../../lib/client/client.ts";
import type { Config } from "../../lib/config/load.ts";
import { resolveBatchCache } from "../../lib/config/resolve_cache.ts";
import type { ConnectJob } from "../../lib/fleet/job_spec.ts";
import { CostTracker } from "../../lib/pricing/cost_tracker.ts";
import { shareBudget } from "../../lib/pricing/share_budget.ts";
import type { RedisConnection } from "../../lib/redis/redis_connection.ts";
import type { RedisSettings } from "../../lib/redis/redis_settings.ts";
import { clientSettings } from "../batch/client_settings.ts";
import { connectBatch } from "../batch/connect.ts";
import { withCacheWarnings } from "../connect.ts";
import { jobConnection } from "./job_model.ts";
import type { WorkerFlags } from "./worker_flags.ts";

/** What {@link jobConnector} needs. */
export interface JobConnectorOptions {
  config: Config;
  flags: WorkerFlags;
  redis: RedisSettings;
  connection: RedisConnection;
}

/** Creates a function that connects to the model of a job, or refuses the job. */
export function jobConnector(
  { config, flags, redis, connection }: JobConnectorOptions,
): ConnectJob {
  return async (spec) => {
    const { budget } = spec;
    const { model, baseUrl, apiKey } = jobConnection(config, process.env, flags, spec);
    const costTracker = new CostTracker({
      limit: budget?.limit,
      allowUnpriced: budget?.allowUnpriced,
    });
    const [{ client, requireKeys }] = connectBatch(config, { ...flags, model, baseUrl, apiKey }, {
      ...clientSettings(flags, config.value.batch ?? {}),
      costTracker,
      cache: withCacheWarnings(config, resolveBatchCache(config, flags), redis),
    });
    try {
      requireKeys();
      const share = budget && await shareBudget(connection, costTracker, {
        name: budget.name,
        onStoreLoss: redis.onStoreLoss.budget,
      });
      const close = async () => {
        await client.close();
        // What is not reported keeps counting as spent.
        await share?.close().catch(() => {});
      };
      return { completions: completionsOf(client), close };
    } catch (error) {
      await client.close();
      throw error;
    }
  };
}
