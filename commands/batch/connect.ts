/**
 * Creates the client of a batch: for one model, or a pool of the configured endpoints.
 *
 * @module
 */
import { DEFAULTS } from "../../lib/client/defaults.ts";
import process from "node:process";
import type { Sampling } from "../../lib/chat/sampling_fields.ts";
import type { LLMClient } from "../../lib/client/client.ts";
import type { ClientOptions, EndpointOptions } from "../../lib/client/client_options.ts";
import { LLMClientPool } from "../../lib/client/pool.ts";
import { overrides } from "../../lib/config/effective.ts";
import type { Config } from "../../lib/config/load.ts";
import { requireKey } from "../../lib/config/missing_key.ts";
import {
  hasEndpoints,
  resolveEndpoints,
  usesEndpoints,
} from "../../lib/config/resolve_endpoints.ts";
import type { ModelFlags } from "../../lib/config/resolve_model.ts";
import type { PriceRow } from "../../lib/pricing/price.ts";
import { baseUrlOf } from "../../lib/services/providers.ts";
import {
  attachmentOptions,
  type ConnectionFlags,
  connectModel,
  describeEndpoint,
  printConnection,
  userPrices,
  warnAboutCleartext,
} from "../connect.ts";
import { writeWarning } from "../terminal/output.ts";

/** A model at a server, with the user's prices for it. */
export interface PricedModel {
  model: string;
  baseUrl: string;
  prices: readonly PriceRow[];
}

/** The client of a batch. */
export interface BatchConnection {
  client: LLMClient;
  /** The ids of the models, separated by commas. */
  model: string;
  /** The models and servers that requests may go to. */
  targets: PricedModel[];
  /** The model's default sampling options, from the configuration. */
  options: Sampling;
  /**
   * Checks that no server would get a request without the key that it requires.
   *
   * @throws {ConfigurationError} naming what sets the key
   */
  requireKeys(): void;
}

type BatchClientOptions = Omit<ClientOptions, "model">;

function pricedModel(
  { model = "", baseUrl, provider = "auto", prices = [] }: EndpointOptions & { model?: string },
): PricedModel {
  return { model, baseUrl: baseUrl ?? baseUrlOf(provider)!, prices };
}

/** The maximum number of concurrent requests of a batch, over all of its endpoints. */
export function batchConcurrency(config: Config, flags: ModelFlags, limit?: number): number {
  const perEndpoint = limit ?? DEFAULTS.concurrency;
  if (!usesEndpoints(config, process.env, flags)) return perEndpoint;
  const endpoints = config.value.batch?.endpoints ?? [];
  return endpoints.reduce(
    (sum, { concurrency_limit }) => sum + (concurrency_limit ?? perEndpoint),
    0,
  );
}

/** Warns if the configured endpoints are not used because the environment names a server. */
function warnAboutUnusedEndpoints(config: Config, { model, baseUrl }: ModelFlags): void {
  if (!hasEndpoints(config) || model !== undefined || baseUrl !== undefined) return;
  const { source } = overrides(process.env).baseUrl!;
  writeWarning(`using the server from ${source} instead of the configured batch endpoints`);
}

function connectPool(
  config: Config,
  flags: ConnectionFlags,
  { concurrencyLimit, ...shared }: BatchClientOptions,
): BatchConnection {
  const batch = config.value.batch!;
  const prices = userPrices(config);
  const resolved = resolveEndpoints(config, process.env);
  const endpoints = resolved.map(({ keySource: _, ...endpoint }) => ({
    ...endpoint,
    prices: [...endpoint.prices ?? [], ...prices],
    concurrencyLimit: endpoint.concurrencyLimit ?? concurrencyLimit,
  }));
  if (flags.verbose) {
    printConnection(config, resolved.map((each) => `endpoint: ${describeEndpoint(each)}`));
  }
  warnAboutCleartext(endpoints);
  const client = new LLMClientPool({
    ...shared,
    attachments: attachmentOptions(config, flags),
    endpoints,
    loadBalance: batch.load_balance ?? undefined,
    fallback: batch.fallback ?? undefined,
    failureThreshold: batch.failure_threshold ?? undefined,
    recoveryTime: batch.recovery_time ?? undefined,
  });
  const models = new Set(endpoints.map(({ model }) => model));
  return {
    client,
    model: [...models].join(", "),
    targets: endpoints.map(pricedModel),
    options: {},
    requireKeys() {
      // Answers from the cache need no key.
      if (shared.cache) return;
      for (const [i, endpoint] of endpoints.entries()) {
        requireKey(endpoint, config.locate(["batch", "endpoints", i]));
      }
    },
  };
}

/**
 * Creates the client of a batch.
 *
 * @throws {ConfigurationError} if the model or an endpoint cannot be used
 */
export function connectBatch(
  config: Config,
  flags: ConnectionFlags,
  settings: BatchClientOptions,
): BatchConnection {
  if (usesEndpoints(config, process.env, flags)) return connectPool(config, flags, settings);
  warnAboutUnusedEndpoints(config, flags);
  const { client, model, endpoint, options } = connectModel(config, flags, settings);
  const requireKeys = () => {
    if (!settings.cache) requireKey(endpoint);
  };
  return { client, model, targets: [pricedModel({ ...endpoint, model })], options, requireKeys };
}
