/**
 * From flags to a client: what `ask` and `batch` begin with.
 *
 * @module
 */
import { join } from "node:path";
import process from "node:process";
import type { AttachmentOptions } from "../lib/transport/load_file.ts";
import { LLMClient } from "../lib/client/client.ts";
import type { CacheOptions } from "../lib/cache/options.ts";
import type { ClientOptions } from "../lib/client/client_options.ts";
import { baseUrlOf } from "../lib/services/connect.ts";
import type { EndpointOptions } from "../lib/client/client_options.ts";
import { LLMClientPool } from "../lib/client/pool.ts";
import { configuredPrices } from "../lib/config/configured_prices.ts";
import { cleartextWarning, type KeyedServer } from "../lib/config/cleartext.ts";
import { type Config, loadConfig } from "../lib/config/load.ts";
import { overrides } from "../lib/config/effective.ts";
import {
  hasEndpoints,
  resolveEndpoint,
  resolveEndpoints,
  usesEndpoints,
} from "../lib/config/resolve_endpoints.ts";
import { type ModelFlags, resolveModel } from "../lib/config/resolve_model.ts";
import { requireApproval } from "../lib/config/trust.ts";
import { homeFolder } from "../lib/files/paths.ts";
import type { PriceRow } from "../lib/pricing/price.ts";
import { readPriceFile } from "../lib/pricing/price_file.ts";
import { maskKey, shownUrl } from "../lib/redact.ts";
import { colored, writeNote } from "./terminal/output.ts";

/** Reads the configuration without printing anything. */
export function readConfigSilently(file: string | undefined): Config {
  return loadConfig(process.env, process.cwd(), file);
}

/** Prints the warnings about a configuration. */
export function printWarnings({ warnings }: Config): void {
  for (const warning of warnings) writeNote(`${colored("yellow", "warning:")} ${warning}`);
}

/** Reads the configuration and prints its warnings. */
export function readConfig(file: string | undefined): Config {
  const config = readConfigSilently(file);
  printWarnings(config);
  return config;
}

const given = new Set<string>();

/** Says, once for each host, that a key is sent over the network as it is. */
export function warnOfCleartext(servers: readonly KeyedServer[]): void {
  for (const warning of servers.map(cleartextWarning)) {
    if (warning === undefined || given.has(warning)) continue;
    given.add(warning);
    writeNote(`${colored("yellow", "warning:")} ${warning}`);
  }
}

/**
 * A cache that warns when it cannot be used.
 *
 * @throws {ConfigurationError} when it is on a server that the user has not approved
 */
export function withWarning(config: Config, cache: false | CacheOptions): false | CacheOptions {
  if (cache === false) return false;
  requireApproval(config, ["cache"]);
  const onWarning = (text: string) => writeNote(`${colored("yellow", "warning:")} ${text}`);
  return { ...cache, onWarning };
}

/** The prices in the configuration, then those in the user's folder. */
function ownPrices(config: Config): PriceRow[] {
  return [
    ...configuredPrices(config.value, process.env),
    ...readPriceFile(join(homeFolder(process.env), "pricing.json")),
  ];
}

/** The connection flags. */
type ConnectFlags = ModelFlags & { allowPrivateUrls?: true; verbose?: true };

/** How attachments are downloaded. */
function attachmentsOf(config: Config, flags: ConnectFlags): AttachmentOptions {
  return { allowPrivateUrls: flags.allowPrivateUrls ?? config.value.allow_private_urls ?? false };
}

/** A model that is connected to. */
export interface ConnectedModel {
  client: LLMClient;
  model: string;
  resolved: EndpointOptions;
}

/** Makes the client of the model that flags, environment and configuration mean. */
export function connectModel(
  config: Config,
  flags: ConnectFlags,
  settings: Omit<ClientOptions, "model">,
): ConnectedModel {
  const model = resolveModel(config, process.env, flags);
  if (flags.verbose) {
    const server = model.baseUrl ? shownUrl(model.baseUrl) : `provider ${model.provider}`;
    const key = model.apiKey === undefined ? "no key" : `key ${maskKey(model.apiKey)}`;
    writeNote(colored("dim", `configuration: ${config.file ?? "none"}`));
    writeNote(colored("dim", `model: ${model.model} at ${server}, ${key}`));
  }
  warnOfCleartext([model]);
  const prices = [...model.prices ?? [], ...ownPrices(config)];
  const resolved = { ...model, prices };
  const attachments = attachmentsOf(config, flags);
  const client = new LLMClient({ ...resolved, attachments, ...settings });
  return { client, model: model.model, resolved };
}

/** Makes the client of one of the endpoints in the file, which is asked once. */
export function connectEndpoint(config: Config, i: number, timeout: number): ConnectedModel {
  const endpoint = resolveEndpoint(config, process.env, i);
  warnOfCleartext([endpoint]);
  const resolved = { ...endpoint, prices: [...endpoint.prices ?? [], ...ownPrices(config)] };
  const client = new LLMClient({ ...resolved, timeout, retryTimes: 0 });
  return { client, model: endpoint.model, resolved };
}

/** A model at a server, and what the user knows of its prices. */
export interface PricedModel {
  model: string;
  baseUrl: string;
  prices: readonly PriceRow[];
}

function pricedModel(
  { model = "", baseUrl, provider = "auto", prices = [] }: EndpointOptions & { model?: string },
): PricedModel {
  return { model, baseUrl: baseUrl ?? baseUrlOf(provider)!, prices };
}

/** How many requests a batch may have in flight, on all of its endpoints together. */
export function batchConcurrency(config: Config, flags: ModelFlags, limit = 10): number {
  if (!usesEndpoints(config, process.env, flags)) return limit;
  const endpoints = config.value.batch?.endpoints ?? [];
  return endpoints.reduce((sum, { concurrency_limit }) => sum + (concurrency_limit ?? limit), 0);
}

/** Makes the client of a batch: the model that is meant, or the pool of the endpoints in the file. */
export function connectBatch(
  config: Config,
  flags: ConnectFlags,
  settings: Omit<ClientOptions, "model">,
): { client: LLMClient; model: string; targets: PricedModel[] } {
  if (!usesEndpoints(config, process.env, flags)) {
    if (hasEndpoints(config) && flags.model === undefined && flags.baseUrl === undefined) {
      const variable = overrides(process.env).baseUrl!.source;
      writeNote(
        `${colored("yellow", "warning:")} the server of ${variable} is asked, ` +
          "not the endpoints of the configuration",
      );
    }
    const { client, model, resolved } = connectModel(config, flags, settings);
    return { client, model, targets: [pricedModel({ ...resolved, model })] };
  }
  const { concurrencyLimit, ...shared } = settings;
  const batch = config.value.batch!;
  const own = ownPrices(config);
  const endpoints = resolveEndpoints(config, process.env).map((endpoint) => ({
    ...endpoint,
    prices: [...endpoint.prices ?? [], ...own],
    concurrencyLimit: endpoint.concurrencyLimit ?? concurrencyLimit,
  }));
  if (flags.verbose) {
    writeNote(colored("dim", `configuration: ${config.file}`));
    for (const { model, baseUrl, provider, apiKey } of endpoints) {
      const server = baseUrl ? shownUrl(baseUrl) : `provider ${provider}`;
      const key = apiKey === undefined ? "no key" : `key ${maskKey(apiKey)}`;
      writeNote(colored("dim", `endpoint: ${model} at ${server}, ${key}`));
    }
  }
  warnOfCleartext(endpoints);
  const client = new LLMClientPool({
    ...shared,
    attachments: attachmentsOf(config, flags),
    endpoints,
    loadBalance: batch.load_balance ?? undefined,
    fallback: batch.fallback ?? undefined,
    failureThreshold: batch.failure_threshold ?? undefined,
    recoveryTime: batch.recovery_time ?? undefined,
  });
  const targets = endpoints.map(pricedModel);
  return { client, targets, model: [...new Set(endpoints.map(({ model }) => model))].join(", ") };
}
