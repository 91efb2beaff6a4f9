/**
 * Decides which model and server a worker uses for a job.
 *
 * A job in Redis says what it wants, but not where keys go: the server is one that this machine's flags,
 * environment or configuration name, or that of a known service whose own key this machine has.
 *
 * @module
 */
import { overrides } from "../../lib/config/effective.ts";
import { serviceKey } from "../../lib/config/entry_key.ts";
import type { Config } from "../../lib/config/load.ts";
import { missingKeyHint } from "../../lib/config/missing_key.ts";
import { findModel, modelId } from "../../lib/config/models.ts";
import { resolveEndpoints, usesEndpoints } from "../../lib/config/resolve_endpoints.ts";
import type { ModelFlags } from "../../lib/config/resolve_model.ts";
import { ConfigurationError } from "../../lib/errors.ts";
import type { Environment } from "../../lib/files/paths.ts";
import type { JobRequest } from "../../lib/fleet/job_spec.ts";
import { safeUrl, shownUrl } from "../../lib/redact.ts";
import { normalizeBaseUrl } from "../../lib/services/base_url.ts";
import { isPrivateHost } from "../../lib/services/private_host.ts";
import { baseUrlOf, keyVariableOf, PROVIDER_NAMES } from "../../lib/services/providers.ts";

/** What a job says about its models. */
export type JobModel = Pick<JobRequest, "name" | "models" | "baseUrls">;

/** The flags with which the client of a job is created, as `flexllm batch` does. */
export interface JobConnectionFlags {
  model?: string[];
  baseUrl?: string;
  apiKey?: string;
}

const BUILT_IN_MOCK = baseUrlOf("mock")!;
const OPENAI = baseUrlOf("openai")!;

function refuse(message: string, hint: string): never {
  throw new ConfigurationError(message, { hint });
}

function listed(names: Iterable<string>): string {
  return [...new Set(names)].join(", ");
}

/** A URL in the form in which servers are compared. */
function identityOf(baseUrl: string): string {
  try {
    return shownUrl(normalizeBaseUrl(baseUrl));
  } catch {
    return baseUrl;
  }
}

/** The flags for the configured endpoints; `undefined` if one of them has a model that the job does not use. */
function poolFlags(
  config: Config,
  env: Environment,
  flags: ModelFlags,
  { name, models }: JobModel,
): JobConnectionFlags | undefined {
  if (!usesEndpoints(config, env, flags)) return undefined;
  const others = resolveEndpoints(config, env).filter(({ model }) => !models.includes(model));
  if (others.length === 0) return {};
  if (name !== undefined) return undefined;
  return refuse(
    `the job uses ${listed(models)}, but batch.endpoints has ${
      listed(others.map(({ model }) => model))
    }`,
    "Use the same models on all machines, or start the worker with -m.",
  );
}

/** The name of the job's model on this machine: its name if it is configured here, otherwise its id. */
function localName(config: Config, flags: ModelFlags, { name, models }: JobModel): string {
  const { model } = flags;
  if (model !== undefined && model !== name) {
    if (models.includes(modelId(config.value, model))) return model;
    return refuse(
      `the job uses ${name ?? listed(models)}, but this worker has -m ${model}`,
      "Start a worker with the job's model, or without -m.",
    );
  }
  if (name !== undefined && findModel(config.value, name) !== undefined) return name;
  const [id = name, ...others] = new Set(models);
  if (id !== undefined && others.length === 0) return id;
  return refuse(
    `the job uses several models (${listed(models)}), and no batch.endpoints are configured here`,
    "Configure batch.endpoints, or start the worker with -m and one of the models.",
  );
}

/** Whether this machine names the server of the model, rather than falling back to OpenAI or the built-in mock. */
function namesServer(config: Config, env: Environment, flags: ModelFlags, name: string): boolean {
  if (flags.baseUrl !== undefined || findModel(config.value, name) !== undefined) return true;
  return name !== "mock" && overrides(env).baseUrl !== undefined;
}

/** The base URL of the known service at `baseUrl`, from our own table; `undefined` if it is another server. */
function knownService(baseUrl: string): string | undefined {
  return PROVIDER_NAMES.filter((name) => name !== "mock").map(baseUrlOf).find((known) =>
    known !== undefined && identityOf(known) === identityOf(baseUrl) &&
    keyVariableOf(known) !== undefined && !isPrivateHost(new URL(known).hostname)
  );
}

/** The flags for a server that only the job names: that of a known service, which gets its own key. */
function serviceFlags(
  env: Environment,
  flags: ModelFlags,
  model: string,
  baseUrl: string,
): JobConnectionFlags {
  const known = knownService(baseUrl);
  // These keys are not bound to a service: a job must not choose who gets them.
  const hasGeneralKey = flags.apiKey !== undefined || !!env.FLEXLLM_API_KEY;
  if (known === undefined || hasGeneralKey) {
    const shown = safeUrl(baseUrl);
    return refuse(
      `the job's server ${shown} is not named on this machine`,
      `Start the worker with --base-url ${shown}, or configure the model "${model}" here.`,
    );
  }
  if (serviceKey(known, env) !== undefined) return { model: [model], baseUrl: known };
  return refuse(
    `there is no API key for ${new URL(known).host} on this machine`,
    missingKeyHint(known) ?? "",
  );
}

/**
 * Decides which model and server this machine uses for a job.
 *
 * @returns flags for `connectBatch`
 * @throws {ConfigurationError} if this machine does not have the model, or does not name its server
 */
export function jobConnection(
  config: Config,
  env: Environment,
  flags: ModelFlags,
  job: JobModel,
): JobConnectionFlags {
  const pool = poolFlags(config, env, flags, job);
  if (pool !== undefined) return pool;
  const name = localName(config, flags, job);
  const own = { model: [name], baseUrl: flags.baseUrl, apiKey: flags.apiKey };
  if (namesServer(config, env, flags, name)) return own;
  const servers = job.baseUrls.map(identityOf);
  if (name === "mock" && servers.includes(BUILT_IN_MOCK)) return own;
  // A batch without a key or a server, which only --workers-only allows, leaves the server to its workers.
  const isOpenAI = servers.length === 0 || servers.includes(OPENAI);
  if (isOpenAI && serviceKey(OPENAI, env) !== undefined) return own;
  const [server] = job.baseUrls;
  if (server !== undefined) return serviceFlags(env, flags, name, server);
  return refuse(
    `neither the job nor this machine names a server for ${name}`,
    `Start the worker with --base-url URL, set OPENAI_API_KEY, or configure the model "${name}" here.`,
  );
}
