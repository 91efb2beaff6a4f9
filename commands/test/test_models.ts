/**
 * Tests configured models and batch endpoints for `flexllm test`.
 *
 * @module
 */
import process from "node:process";
import pLimit from "p-limit";
import type { Config } from "../../lib/config/load.ts";
import { requireKey } from "../../lib/config/missing_key.ts";
import { noModel } from "../../lib/config/missing_model.ts";
import { modelNames } from "../../lib/config/models.ts";
import { FlexLLMError } from "../../lib/errors.ts";
import { probeModel, type Step } from "../../lib/probe/probe_model.ts";
import type { ModelInfo } from "../../lib/protocols/protocol.ts";
import { shownUrl } from "../../lib/redact.ts";
import { defaultFetch } from "../../lib/transport/default_fetch.ts";
import { baseUrlOf } from "../../lib/services/providers.ts";
import { connectEndpoint, connectModel, describeKey, type ModelConnection } from "../connect.ts";
import { SHORT_TIMEOUT } from "../flags/model.ts";
import { counted } from "../terminal/format.ts";
import { colored, writeNote } from "../terminal/output.ts";
import { nextStep } from "./probe_report.ts";

/** Models tested in parallel. */
const CONCURRENCY = 4;

/** The flags that select what to test. */
export interface TestFlags {
  model?: string;
  baseUrl?: string;
  apiKey?: string;
  timeout?: number;
  verbose?: true;
}

/** The result of testing a model. */
export interface TestResult {
  /** The model's name for `-m`. */
  name: string;
  baseUrl: string;
  /** Where the key comes from; `undefined` without one. */
  keySource?: string;
  steps: Step[];
  ok: boolean;
  /** The error of the failed step, or of the configuration. */
  error?: FlexLLMError;
  /** What to do about the error. */
  hint?: string;
}

/** Tests a model. Calls `onStart` with a description of it, and `onStep` after each step. */
export async function testModel(
  config: Config,
  flags: TestFlags,
  onStart: (line: string) => void = () => {},
  onStep: (step: Step) => void = () => {},
): Promise<TestResult> {
  const { timeout = SHORT_TIMEOUT } = flags;
  const connected = connectModel(config, flags, { timeout, retryTimes: 0 });
  return await testConnected(connected, flags.model, timeout, onStart, onStep);
}

async function testConnected(
  { client, model, endpoint, keySource }: ModelConnection,
  name: string | undefined,
  timeout: number,
  onStart: (line: string) => void = () => {},
  onStep: (step: Step) => void = () => {},
): Promise<TestResult> {
  await using _ = client;
  requireKey(endpoint);
  const { provider = "auto", apiKey } = endpoint;
  const isBuiltIn = provider === "mock" && endpoint.baseUrl === undefined;
  const url = isBuiltIn ? undefined : endpoint.baseUrl ?? baseUrlOf(provider);
  const baseUrl = url === undefined ? "built in" : shownUrl(url);
  const key = describeKey(apiKey, keySource);
  onStart(url === undefined ? `${model}, built in` : `${model} at ${baseUrl}, ${key}`);
  const steps: Step[] = [];
  for await (const step of probeModel({ client, baseUrl: url, fetch: defaultFetch, timeout })) {
    steps.push(step);
    onStep(step);
  }
  const error = steps.find((step) => step.error !== undefined)?.error;
  const tested = { name: name ?? model, baseUrl, keySource: apiKey ? keySource : undefined, steps };
  if (error === undefined) return { ...tested, ok: true };
  const failedToAnswer = steps.some(({ name, state }) => name === "answer" && state === "failed");
  const offered = failedToAnswer ? await client.models().catch(() => [] as ModelInfo[]) : [];
  return { ...tested, ok: false, error, hint: nextStep(error, baseUrl, offered) };
}

/** Tests all configured models and endpoints, in parallel. An error of one becomes its result. */
export async function testAll(config: Config, flags: TestFlags): Promise<TestResult[]> {
  const { timeout = SHORT_TIMEOUT } = flags;
  const endpoints = config.value.batch?.endpoints ?? [];
  const tests = [
    ...modelNames(config.value).map((name) => ({
      name,
      run: () => testModel(config, { ...flags, model: name }),
    })),
    ...endpoints.map(({ model = "" }, i) => ({
      name: model,
      run: () => testConnected(connectEndpoint(config, i, timeout), undefined, timeout),
    })),
  ];
  if (tests.length === 0) throw noModel(config);
  if (process.stderr.isTTY) {
    writeNote(colored("dim", `Testing ${counted(tests.length, "model")} …`));
  }
  const limit = pLimit(CONCURRENCY);
  return await Promise.all(tests.map(({ name, run }) =>
    limit(async () => {
      try {
        return await run();
      } catch (error) {
        if (!(error instanceof FlexLLMError)) throw error;
        return { name, baseUrl: "", steps: [], ok: false, error, hint: error.hint };
      }
    })
  ));
}
