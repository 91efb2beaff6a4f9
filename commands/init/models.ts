/**
 * Lists the models of the server that `flexllm init` is setting up.
 *
 * @module
 */
import process from "node:process";
import { LLMClient } from "../../lib/client/client.ts";
import { soleKey, soleVariable } from "../../lib/config/references.ts";
import type { Environment } from "../../lib/files/paths.ts";
import type { StoreName } from "../../lib/keys/key_file.ts";
import { keyedService, keyNameOf } from "../../lib/keys/key_names.ts";
import { listKeys, readKey } from "../../lib/keys/key_store.ts";
import { normalizeBaseUrl } from "../../lib/services/base_url.ts";
import type { ProviderName } from "../../lib/services/providers.ts";
import {
  AbortedError,
  AuthenticationError,
  ConnectionError,
  FlexLLMError,
} from "../../lib/errors.ts";
import { safeUrl } from "../../lib/redact.ts";
import { oneLineMessage } from "../errors/groups.ts";
import { printable } from "../terminal/sanitize.ts";
import { showMessage } from "../terminal/prompts.ts";

/** Timeout of each request between the prompts, in seconds. */
export const TIMEOUT = 30;
/** A server without a provider name. */
export const OTHER = "other";

/** A model that is being set up. */
export interface ModelDraft {
  provider: ProviderName | typeof OTHER;
  /** `undefined` for the built-in mock. */
  baseUrl: string | undefined;
  /** The key or `${NAME}` reference to write to the file. */
  apiKey: string | undefined;
  /** Where to store the key; default in the configuration file. */
  storeAs?: { name: string; store: StoreName };
  model: string;
}

/** Resolves a key or reference; `undefined` if the variable is not set or the key is not stored. */
export function keyValue(apiKey: string | undefined): string | undefined {
  const name = soleKey(apiKey);
  if (name !== undefined) return readKey(process.env, name);
  const variable = soleVariable(apiKey);
  return variable === undefined ? apiKey : process.env[variable] || undefined;
}

/** A name for the key of the server at `baseUrl`: that of the service, otherwise one that is free. */
export function newKeyName(baseUrl: string, env: Environment): string {
  const service = keyNameOf(normalizeBaseUrl(baseUrl));
  if (service !== undefined) return service;
  const { hostname } = new URL(baseUrl);
  const isAddress = /^[\d.]+$|:/.test(hostname);
  const label = isAddress ? "local" : hostname.replace(/^(api|www)\./, "").split(".")[0];
  const taken = new Set(listKeys(env).map(({ name }) => name));
  let name = label;
  for (let i = 2; taken.has(name) || keyedService(name) !== undefined; i++) name = `${label}-${i}`;
  return name;
}

/** Creates a client for the model. */
export function clientOf({ provider, baseUrl, apiKey, model }: ModelDraft): LLMClient {
  return new LLMClient({
    provider: provider === OTHER ? "auto" : provider,
    baseUrl,
    apiKey: keyValue(apiKey),
    model,
    timeout: TIMEOUT,
    retryTimes: 0,
  });
}

async function listModels(draft: ModelDraft): Promise<string[]> {
  await using client = clientOf(draft);
  const models = await client.models();
  // Ids with control characters are not suggested.
  return models.map(({ id }) => id).filter((id) => id !== "" && id === printable(id)).toSorted();
}

/** Retries with `/v1` appended, which users often omit; completes the base URL if that lists models. */
async function modelsAtV1(draft: ModelDraft): Promise<string[] | undefined> {
  const { baseUrl = "" } = draft;
  if (/\/v\d/.test(baseUrl)) return undefined;
  const corrected = { ...draft, baseUrl: `${baseUrl.replace(/\/+$/, "")}/v1` };
  const models = await listModels(corrected).catch(() => []);
  if (models.length === 0) return undefined;
  draft.baseUrl = corrected.baseUrl;
  showMessage(`Found the models at ${safeUrl(corrected.baseUrl)}: using that base URL.`);
  return models;
}

/**
 * Lists the ids of the server's models, to suggest them. Returns none, with a message, if the server
 * cannot list them. Completes the draft's base URL if only `/v1` is missing.
 *
 * @throws {ConnectionError} if the server is unreachable
 * @throws {AuthenticationError} if the server rejects the key
 */
export async function suggestedModels(draft: ModelDraft): Promise<string[]> {
  showMessage("Fetching the list of models …");
  try {
    return await listModels(draft);
  } catch (error) {
    if (!(error instanceof FlexLLMError) || error instanceof AbortedError) throw error;
    if (error instanceof ConnectionError) throw error;
    const atV1 = error instanceof AuthenticationError ? undefined : await modelsAtV1(draft);
    if (atV1 !== undefined) return atV1;
    // With status 403, the key may be valid for completions but not for listing models.
    if (error instanceof AuthenticationError && error.status === 401) throw error;
    showMessage(`The server does not list its models: ${oneLineMessage(error)}`, "warn");
    return [];
  }
}
