/**
 * Prepares a batch from its flags and the `batch` section of the configuration.
 *
 * @module
 */
import type { RequestTemplate } from "../../lib/batch/executors/live.ts";
import type { BatchRunOptions } from "../../lib/batch/run.ts";
import type { CacheSettings } from "../../lib/config/resolve_cache.ts";
import type { JobRequest } from "../../lib/fleet/job_spec.ts";
import { samplingFromFields } from "../../lib/chat/sampling_fields.ts";
import { withExtraBody } from "../../lib/chat/extra_body.ts";
import { ConfigurationError } from "../../lib/errors.ts";
import { allowRequests } from "../../lib/runtime/runtime.ts";
import type { BatchConnection } from "./connect.ts";
import type { BatchFleet } from "./fleet/batch_fleet.ts";
import { type FleetSettings, fleetSettings } from "./fleet/fleet_settings.ts";
import type { BatchFlags } from "./flags.ts";
import { clientSettings } from "./client_settings.ts";
import { type SendingMode, sendingMode } from "./jobs/job_settings.ts";
import { samplingOf } from "../flags/sampling.ts";
import { schemaOptions } from "../flags/schema.ts";

/** A model of a batch, with the options of its requests. */
export type PreparedModel = BatchConnection & { request: RequestTemplate };

/** Connects a batch to its models. Flags take precedence over the configuration. */
export async function prepareBatch(flags: BatchFlags) {
  const { CostTracker } = await import("../../lib/pricing/cost_tracker.ts");
  const costTracker = new CostTracker({
    limit: flags.budget,
    allowUnpriced: flags.allowUnpriced,
  });
  const [
    { batchConcurrency, connectBatch },
    { withCacheWarnings, withRedisWarnings },
    { printWarnings, readConfigSilently },
    { resolveBatchCache },
    { resolveRedis },
  ] = await Promise.all([
    import("./connect.ts"),
    import("../connect.ts"),
    import("../read_config.ts"),
    import("../../lib/config/resolve_cache.ts"),
    import("../../lib/config/resolve_redis.ts"),
  ]);
  const config = readConfigSilently(flags.config);
  const section = config.value.batch ?? {};
  const mode = sendingMode(flags, section);
  const redis = resolveRedis(config, process.env, flags);
  const shares = fleetSettings(flags, mode, redis);
  const requests = clientSettings(flags, section);
  // May restart the process, so this runs before anything is printed.
  if (!flags.estimate) allowRequests(batchConcurrency(config, flags, requests.concurrencyLimit));
  printWarnings(config);
  const recordCost = flags.trackCost ?? section.track_cost ?? true;
  if (flags.budget !== undefined && !recordCost) {
    throw new ConfigurationError("--budget needs the costs of earlier runs in the result file", {
      hint: "Remove --no-track-cost, or track_cost: false from the configuration.",
    });
  }
  const cache = resolveBatchCache(config, flags);
  const connections = connectBatch(config, flags, {
    ...requests,
    costTracker,
    cache: withCacheWarnings(config, cache, redis),
    redis: withRedisWarnings(redis),
  }, { sendsNothing: shares?.workersOnly });
  const { schemaRetries, ...format } = await schemaOptions(flags);
  const shared: RequestTemplate = {
    ...samplingFromFields(section),
    ...samplingOf(flags),
    extraBody: withExtraBody(section.extra_body, flags.extraBody),
    ...format,
    schemaRetries: jobSchemaRetries(mode, flags, schemaRetries),
  };
  const models = connections.map((connection): PreparedModel => ({
    ...connection,
    request: { ...connection.options, ...shared },
  }));
  const run: BatchRunOptions = {
    rerunChanged: flags.rerunChanged,
    recordUsage: flags.returnUsage ?? section.return_usage ?? true,
    recordCost,
  };
  const fleet = shares && await openFleet(shares);
  const { maxQps, maxTpm, maxInFlight } = requests;
  const limits = { maxQps, maxTpm, maxInFlight };
  return {
    models,
    run,
    costTracker,
    mode,
    fleet,
    limits,
    cache: jobCache(cache, flags),
    requests,
    schemaRetries,
    recordsEvents: flags.events ?? section.events ?? true,
  };
}

/** What a job says about the cache; see {@link JobRequest.cache}. */
function jobCache(
  cache: false | CacheSettings,
  flags: Pick<BatchFlags, "cache">,
): JobRequest["cache"] {
  if (cache === false) return flags.cache === false ? false : undefined;
  return { ttl: cache.ttl };
}

/** Connects to the server that a batch shares with its workers. */
async function openFleet(settings: FleetSettings): Promise<BatchFleet> {
  const { BatchFleet } = await import("./fleet/batch_fleet.ts");
  return await BatchFleet.open(settings);
}

/**
 * The retries of answers that don't match the schema. A retry needs the answer, so jobs have none; those that the
 * user asks for are refused later, unless they are for the records that are sent live at the deadline.
 */
function jobSchemaRetries(
  mode: SendingMode,
  flags: Pick<BatchFlags, "schemaRetries">,
  live: number | undefined,
): number | undefined {
  if (mode.via === "live") return live;
  return mode.settings.afterDeadline === "live" ? undefined : flags.schemaRetries;
}

/** A batch that is connected to its models. */
export type PreparedBatch = Awaited<ReturnType<typeof prepareBatch>>;
