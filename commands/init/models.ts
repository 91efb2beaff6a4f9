/**
 * What `flexllm init` finds out from a server about its models.
 *
 * @module
 */
import process from "node:process";
import { LLMClient } from "../../lib/client/client.ts";
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
import { say } from "../terminal/prompts.ts";

/** Seconds for each request that is made between the questions. */
export const TIMEOUT = 30;
/** Stands for a server that is not listed. */
export const OTHER = "other";

/** What is asked about a model. */
export interface Answers {
  provider: ProviderName | typeof OTHER;
  /** `undefined` for what is built in. */
  baseUrl: string | undefined;
  /** As it is written to the file. */
  apiKey: string | undefined;
  model: string;
}

/** The key itself; `undefined` for one that is not there yet. */
export function keyValue(apiKey: string | undefined): string | undefined {
  const variable = /^\$\{(\w+)\}$/.exec(apiKey ?? "")?.[1];
  return variable === undefined ? apiKey : process.env[variable] || undefined;
}

/** A client of the model that is being set up. */
export function clientOf({ provider, baseUrl, apiKey, model }: Answers): LLMClient {
  return new LLMClient({
    provider: provider === OTHER ? "auto" : provider,
    baseUrl,
    apiKey: keyValue(apiKey),
    model,
    timeout: TIMEOUT,
    retryTimes: 0,
  });
}

async function listModels(answers: Answers): Promise<string[]> {
  await using client = clientOf(answers);
  const models = await client.models();
  // Names with terminal control characters are not offered.
  return models.map(({ id }) => id).filter((id) => id !== "" && id === printable(id)).toSorted();
}

/** The models at `/v1`, which many leave out; `undefined` when it was not that. */
async function modelsAtV1(answers: Answers): Promise<string[] | undefined> {
  const { baseUrl = "" } = answers;
  if (/\/v\d/.test(baseUrl)) return undefined;
  const corrected = { ...answers, baseUrl: `${baseUrl.replace(/\/+$/, "")}/v1` };
  const models = await listModels(corrected).catch(() => []);
  if (models.length === 0) return undefined;
  answers.baseUrl = corrected.baseUrl;
  say(`They are at ${safeUrl(corrected.baseUrl)}: this is the base URL.`);
  return models;
}

/**
 * The names of the server's models; an empty list, and a word about it, when it does not tell. Puts the
 * base URL right when only its end is missing.
 */
export async function offeredModels(answers: Answers): Promise<string[]> {
  say("Asking the server for its models …");
  try {
    return await listModels(answers);
  } catch (error) {
    if (!(error instanceof FlexLLMError) || error instanceof AbortedError) throw error;
    if (error instanceof ConnectionError) throw error;
    const atV1 = error instanceof AuthenticationError ? undefined : await modelsAtV1(answers);
    if (atV1 !== undefined) return atV1;
    // 403: there are keys that may ask models, but not list them.
    if (error instanceof AuthenticationError && error.status === 401) throw error;
    say(`It does not list them: ${oneLineMessage(error)}`, "warn");
    return [];
  }
}
