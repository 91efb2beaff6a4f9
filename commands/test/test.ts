/**
 * Implements `flexllm test`, which tests the connection, key, completion and streaming of models.
 *
 * @module
 */
import { Command } from "@commander-js/extra-typings";
import process from "node:process";
import pLimit from "p-limit";
import { baseUrlOf } from "../../lib/services/connect.ts";
import type { Config } from "../../lib/config/load.ts";
import { noModel } from "../../lib/config/missing_model.ts";
import { modelNames } from "../../lib/config/models.ts";
import { ConfigurationError, FlexLLMError } from "../../lib/errors.ts";
import { probeModel, type Step } from "../../lib/probe/probe_model.ts";
import type { ModelInfo } from "../../lib/protocols/protocol.ts";
import { maskKey, shownUrl } from "../../lib/redact.ts";
import { defaultFetch } from "../../lib/runtime/runtime.ts";
import { connectEndpoint, connectModel, type ModelConnection } from "../connect.ts";
import { EXIT } from "../exit_codes.ts";
import { modelFlags } from "../flags/model.ts";
import { addExamples, commonFlags } from "../flags/shared_options.ts";
import { readConfig } from "../read_config.ts";
import { nextStep, stepCell, stepLine } from "./probe_report.ts";
import { table } from "../terminal/table.ts";
import { colored, writeJson, writeNote, writeOutput } from "../terminal/output.ts";

/** Models tested in parallel. */
const CONCURRENCY = 4;

/** The flags that select what to test. */
interface TestFlags {
  model?: string;
  baseUrl?: string;
  apiKey?: string;
  timeout?: number;
  verbose?: true;
}

/** The result of testing a model. */
interface TestResult {
  /** The model's name for `-m`. */
  name: string;
  baseUrl: string;
  steps: Step[];
  ok: boolean;
  /** The error of the failed step, or of the configuration. */
  error?: FlexLLMError;
  /** What to do about the error. */
  hint?: string;
}

/** Tests a model. Calls `onStart` with a description of it, and `onStep` after each step. */
async function testModel(
  config: Config,
  flags: TestFlags,
  onStart: (line: string) => void = () => {},
  onStep: (step: Step) => void = () => {},
): Promise<TestResult> {
  const { timeout = 30 } = flags;
  const connected = connectModel(config, flags, { timeout, retryTimes: 0 });
  return await testConnected(connected, flags.model, timeout, onStart, onStep);
}

async function testConnected(
  { client, model, endpoint }: ModelConnection,
  name: string | undefined,
  timeout: number,
  onStart: (line: string) => void = () => {},
  onStep: (step: Step) => void = () => {},
): Promise<TestResult> {
  await using _ = client;
  const { provider = "auto", apiKey } = endpoint;
  const isBuiltIn = provider === "mock" && endpoint.baseUrl === undefined;
  const url = isBuiltIn ? undefined : endpoint.baseUrl ?? baseUrlOf(provider);
  const baseUrl = url === undefined ? "built in" : shownUrl(url);
  const key = apiKey === undefined ? "no key" : `key ${maskKey(apiKey)}`;
  onStart(url === undefined ? `${model}, built in` : `${model} at ${baseUrl}, ${key}`);
  const steps: Step[] = [];
  for await (const step of probeModel({ client, baseUrl: url, fetch: defaultFetch, timeout })) {
    steps.push(step);
    onStep(step);
  }
  const error = steps.find((step) => step.error !== undefined)?.error;
  const tested = { name: name ?? model, baseUrl, steps };
  if (error === undefined) return { ...tested, ok: true };
  const failedToAnswer = steps.some(({ name, state }) => name === "answer" && state === "failed");
  const offered = failedToAnswer ? await client.models().catch(() => [] as ModelInfo[]) : [];
  return { ...tested, ok: false, error, hint: nextStep(error, baseUrl, offered) };
}

async function testAll(config: Config, flags: TestFlags): Promise<TestResult[]> {
  const { timeout = 30 } = flags;
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
  if (process.stderr.isTTY) writeNote(colored("dim", `Testing ${tests.length} models …`));
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

function toJson({ name, baseUrl, steps, ok, error, hint }: TestResult) {
  const round = (value: number | undefined) => value && Math.round(value * 1000) / 1000;
  return {
    name,
    base_url: baseUrl,
    ok,
    steps: steps.map((step) => ({
      name: step.name,
      state: step.state,
      seconds: round(step.seconds),
      first_token_seconds: round(step.firstToken),
      content: step.result?.content,
      prompt_tokens: step.result?.usage?.promptTokens,
      completion_tokens: step.result?.usage?.completionTokens,
      cost: step.result?.cost ?? undefined,
    })),
    error: error && { code: error.code, message: error.message },
    hint,
  };
}

function failureLines({ name, error, hint }: TestResult): string[] {
  if (error === undefined) return [];
  return [`${name}: ${error.message}`, ...hint === undefined ? [] : [`  ${hint}`]];
}

function summaryLines(all: readonly TestResult[]): string[] {
  const titles = ["name", "server", "connection", "key", "answer", "first token"];
  const rows = all.map(({ name, baseUrl, steps }) => {
    const cell = (wanted: Step["name"]) => stepCell(steps.find((step) => step.name === wanted));
    const [key, answer] = [cell("authentication"), cell("answer")];
    return [name, baseUrl, cell("connection"), key, answer, cell("streaming")];
  });
  const failed = all.filter(({ ok }) => !ok);
  return [
    ...table(titles.map((title) => ({ title })), rows),
    ...failed.length === 0 ? [] : ["", ...failed.flatMap(failureLines)],
    "",
    `${all.length - failed.length} of ${all.length} models work.`,
  ];
}

/** Creates the command. */
export function testCommand() {
  const command = new Command("test")
    .addOption(modelFlags.model)
    .option("--all", "test all configured models and endpoints, in parallel")
    .option("--json", "print JSON")
    .addOption(modelFlags.baseUrl)
    .addOption(modelFlags.apiKey)
    .addOption(modelFlags.shortTimeout)
    .addOption(commonFlags.config)
    .addOption(commonFlags.verbose)
    .action(async ({ all, json, config: file, ...flags }) => {
      const config = readConfig(file);
      if (all) {
        if (flags.model !== undefined || flags.baseUrl !== undefined) {
          throw new ConfigurationError("--all cannot be combined with --model or --base-url");
        }
        const tested = await testAll(config, flags);
        if (json) writeJson(tested.map(toJson));
        else writeOutput(`${summaryLines(tested).join("\n")}\n`);
        if (tested.some(({ ok }) => !ok)) process.exitCode = EXIT.failed;
        return;
      }
      const write = (line: string) => json || writeOutput(`${line}\n`);
      const tested = await testModel(config, flags, write, (step) => write(stepLine(step)));
      if (json) writeJson(toJson(tested));
      else if (tested.hint !== undefined) writeOutput(`${tested.hint}\n`);
      if (!tested.ok) process.exitCode = EXIT.failed;
    });
  return addExamples(command, [
    "flexllm test",
    "flexllm test -m local-ollama",
    "flexllm test --all",
    "flexllm test -m mock --json",
  ]);
}
