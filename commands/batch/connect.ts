/**
 * Creates the clients of a batch: one for each model, or a pool of the configured endpoints.
 *
 * @module
 */
import { DEFAULTS } from "../../lib/client/defaults.ts";
import process from "node:process";
import { type Sampling, samplingFromFields } from "../../lib/chat/sampling_fields.ts";
import { LLMClient } from "../../lib/client/client.ts";
import type { ClientOptions, EndpointOptions } from "../../lib/client/client_options.ts";
import { LLMClientPool } from "../../lib/client/pool.ts";
import { overrides } from "../../lib/config/effective.ts";
import type { Config } from "../../lib/config/load.ts";
import { requireKey } from "../../lib/config/missing_key.ts";
import { findModel, nameOf } from "../../lib/config/models.ts";
import { ConfigurationError } from "../../lib/errors.ts";
import {
  hasEndpoints,
  resolveEndpoints,
  usesEndpoints,
} from "../../lib/config/resolve_endpoints.ts";
import { type ModelFlags, requestedModel } from "../../lib/config/resolve_model.ts";
import type { PriceRow } from "../../lib/pricing/price.ts";
import { baseUrlOf } from "../../lib/services/providers.ts";
import { callListeners } from "../call_log.ts";
import {
  attachmentOptions,
  type ConnectionFlags,
  connectModel,
  describeEndpoint,
  printConnection,
  userPrices,
  warnAboutCleartext,
} from "../connect.ts";
import { writeWarning } from "../terminal/sentences.ts";

/** A model at a server, with the user's prices for it. */
export interface PricedModel extends Pick<EndpointOptions, "provider" | "api"> {
  model: string;
  baseUrl: string;
  prices: readonly PriceRow[];
}

/** The client of a batch for one model, or for the configured endpoints. */
export interface BatchConnection {
  /** The name that identifies the model's results; `undefined` for the configured endpoints. */
  name: string | undefined;
  client: LLMClient;
  /** The ids of the models, separated by commas. */
  model: string;
  /** The models and servers that requests may go to. */
  targets: PricedModel[];
  /** The model's default sampling options, from the configuration. */
  options: Sampling;
  /**
   * Whether workers may use any server that has the model, since this process names none.
   *
   * @default false
   */
  isAnywhere?: boolean;
  /**
   * Checks that no server would get a request without the key that it requires.
   *
   * @throws {ConfigurationError} naming what sets the key
   */
  requireKeys(): void;
}

type BatchClientOptions = Omit<ClientOptions, "model">;

function pricedModel(
  { model = "", baseUrl, provider = "auto", api, prices = [] }: EndpointOptions & {
    model?: string;
  },
): PricedModel {
  return { model, baseUrl: baseUrl ?? baseUrlOf(provider)!, provider, api, prices };
}

/** The connection flags of a batch, which can have several models. */
export type BatchConnectionFlags = Omit<ConnectionFlags, "model"> & { model?: readonly string[] };

/** The flags with one of the models. */
function flagsOf(flags: BatchConnectionFlags, model: string | undefined): ConnectionFlags {
  return { ...flags, model };
}

/** The maximum number of concurrent requests of a batch, over all of its models and endpoints. */
export function batchConcurrency(
  config: Config,
  flags: BatchConnectionFlags,
  limit?: number,
): number {
  const perEndpoint = limit ?? DEFAULTS.concurrency;
  const { model: models = [] } = flags;
  if (!usesEndpoints(config, process.env, flagsOf(flags, models[0]))) {
    return perEndpoint * Math.max(1, models.length);
  }
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
  { concurrencyLimit, maxInFlight, ...shared }: BatchClientOptions,
): BatchConnection {
  const batch = config.value.batch!;
  const prices = userPrices(config);
  const resolved = resolveEndpoints(config, process.env);
  const endpoints = resolved.map(({ keySource: _, ...endpoint }) => ({
    ...endpoint,
    prices: [...endpoint.prices ?? [], ...prices],
    concurrencyLimit: endpoint.concurrencyLimit ?? concurrencyLimit,
    maxInFlight: endpoint.maxInFlight ?? maxInFlight,
  }));
  if (flags.verbose) {
    printConnection(config, resolved.map((each) => `endpoint: ${describeEndpoint(each)}`));
  }
  warnAboutCleartext(endpoints);
  const client = new LLMClientPool({
    ...shared,
    ...callListeners(flags),
    attachments: shared.attachments ?? attachmentOptions(config, flags),
    endpoints,
    loadBalance: batch.load_balance ?? undefined,
    fallback: batch.fallback ?? undefined,
    failureThreshold: batch.failure_threshold ?? undefined,
    recoveryTime: batch.recovery_time ?? undefined,
  });
  const models = new Set(endpoints.map(({ model }) => model));
  return {
    name: undefined,
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

function connectOne(
  config: Config,
  flags: ConnectionFlags,
  settings: BatchClientOptions,
): BatchConnection {
  const { client, model, endpoint, options } = connectModel(config, flags, settings);
  const name = resultName(config, requestedModel(config, process.env, flags) ?? model);
  const requireKeys = () => {
    if (!settings.cache) requireKey(endpoint);
  };
  const targets = [pricedModel({ ...endpoint, model })];
  return { name, client, model, targets, options, requireKeys };
}

/**
 * Describes a model that only workers send requests to, if this process cannot: it may have neither a key nor a
 * server for it.
 */
function connectByName(
  config: Config,
  flags: ConnectionFlags,
  settings: BatchClientOptions,
): BatchConnection {
  try {
    return connectOne(config, flags, settings);
  } catch (error) {
    const requested = requestedModel(config, process.env, flags);
    if (!(error instanceof ConfigurationError) || !requested) throw error;
    const entry = findModel(config.value, requested)?.[0];
    const model = entry?.id ?? requested;
    const baseUrl = baseUrlOf("openai")!;
    return {
      name: resultName(config, requested),
      client: new LLMClient({ ...settings, model, baseUrl, cache: false }),
      model,
      targets: [pricedModel({ model, baseUrl })],
      options: entry?.options ? samplingFromFields(entry.options) : {},
      isAnywhere: true,
      requireKeys() {},
    };
  }
}

/** Describes the configured endpoints, if only workers have the keys for them. */
function connectPoolByName(
  config: Config,
  flags: ConnectionFlags,
  settings: BatchClientOptions,
): BatchConnection {
  try {
    return connectPool(config, flags, settings);
  } catch (error) {
    const endpoints = config.value.batch?.endpoints ?? [];
    const models = new Set(
      endpoints.map(({ model }) => model ?? requestedModel(config, process.env, {})),
    );
    const ids = [...models].filter((model) => model !== undefined);
    if (!(error instanceof ConfigurationError) || ids.length < models.size) throw error;
    const baseUrl = baseUrlOf("openai")!;
    return {
      name: undefined,
      client: new LLMClient({ ...settings, model: ids[0], baseUrl, cache: false }),
      model: ids.join(", "),
      targets: ids.map((model) => pricedModel({ model, baseUrl })),
      options: {},
      isAnywhere: true,
      requireKeys() {},
    };
  }
}

/** The name that identifies the results of a model, whether it was requested by name or by id. */
function resultName({ value }: Config, requested: string): string {
  const found = findModel(value, requested);
  return found === undefined ? requested : nameOf(found[0]);
}

/**
 * Checks that each model is given only once.
 *
 * @throws {ConfigurationError} if one is not
 */
function checkDistinct(config: Config, models: readonly string[]): void {
  const given = new Map<string, string>();
  for (const model of models) {
    const name = resultName(config, model);
    const other = given.get(name);
    if (other !== undefined) {
      const problem = other === model
        ? `-m ${model} is given twice`
        : `-m ${other} and -m ${model} are the same model`;
      throw new ConfigurationError(problem, {
        hint: "To send each record several times, use several output files.",
      });
    }
    given.set(name, model);
  }
}

/**
 * Creates the clients of a batch: one for each model that is given.
 *
 * @param sendsNothing whether workers send all requests, so that this process needs neither keys nor servers
 * @throws {ConfigurationError} if a model or an endpoint cannot be used, or a model is given twice
 */
export function connectBatch(
  config: Config,
  flags: BatchConnectionFlags,
  settings: BatchClientOptions,
  { sendsNothing = false } = {},
): BatchConnection[] {
  const { model: models = [undefined] } = flags;
  const [first] = models;
  if (usesEndpoints(config, process.env, flagsOf(flags, first))) {
    const connect = sendsNothing ? connectPoolByName : connectPool;
    return [connect(config, flagsOf(flags, undefined), settings)];
  }
  warnAboutUnusedEndpoints(config, flagsOf(flags, first));
  checkDistinct(config, flags.model ?? []);
  const connect = sendsNothing ? connectByName : connectOne;
  return models.map((model) => connect(config, flagsOf(flags, model), settings));
}
