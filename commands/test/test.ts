/**
 * `flexllm test`
 *
 * @module
 */
import { Command } from "@commander-js/extra-typings";
import process from "node:process";
import pLimit from "p-limit";
import { baseUrlOf } from "../../lib/services/providers.ts";
import type { Config } from "../../lib/config/load.ts";
import { noModel } from "../../lib/config/resolve_model.ts";
import { ConfigurationError, FlexLLMError } from "../../lib/errors.ts";
import { probeModel, type Step } from "../../lib/probe/probe_model.ts";
import type { ModelInfo } from "../../lib/protocols/protocol.ts";
import { maskKey, shownUrl } from "../../lib/redact.ts";
import { defaultFetch } from "../../lib/runtime/runtime.ts";
import { type ConnectedModel, connectEndpoint, connectModel, readConfig } from "../connect.ts";
import { EXIT } from "../exit_codes.ts";
import { addExamples, commonFlags, modelFlags } from "../flags/shared_options.ts";
import { nextStep, stepCell, stepLine } from "./probe_report.ts";
import { table } from "../terminal/table.ts";
import { colored, writeJson, writeNote, writeOutput } from "../terminal/output.ts";

/** Models that are tested at the same time. */
const AT_ONCE = 4;

/** The flags that say what to test. */
export interface TestFlags {
  model?: string;
  baseUrl?: string;
  apiKey?: string;
  timeout?: number;
  verbose?: true;
}

/** How a model did. */
export interface Tested {
  /** What `-m` calls it. */
  name: string;
  baseUrl: string;
  steps: Step[];
  ok: boolean;
  /** Why it failed; with an error before the first step, that of the configuration. */
  error?: FlexLLMError;
  /** What to do then. */
  hint?: string;
}

/** Tests one model; `onBegin` is told which, `onStep` each step. */
export async function testModel(
  config: Config,
  flags: TestFlags,
  onBegin: (line: string) => void = () => {},
  onStep: (step: Step) => void = () => {},
): Promise<Tested> {
  const { timeout = 30 } = flags;
  const connected = connectModel(config, flags, { timeout, retryTimes: 0 });
  return await testConnected(connected, flags.model, timeout, onBegin, onStep);
}

/** Tests a model that is connected to, called `name` if it has one. */
async function testConnected(
  { client, model, resolved }: ConnectedModel,
  name: string | undefined,
  timeout: number,
  onBegin: (line: string) => void = () => {},
  onStep: (step: Step) => void = () => {},
): Promise<Tested> {
  await using _ = client;
  const { provider = "auto", apiKey } = resolved;
  const isBuiltIn = provider === "mock" && resolved.baseUrl === undefined;
  const url = isBuiltIn ? undefined : resolved.baseUrl ?? baseUrlOf(provider);
  const baseUrl = url === undefined ? "built in" : shownUrl(url);
  const key = apiKey === undefined ? "no key" : `key ${maskKey(apiKey)}`;
  onBegin(url === undefined ? `${model}, built in` : `${model} at ${baseUrl}, ${key}`);
  const steps: Step[] = [];
  for await (const step of probeModel({ client, baseUrl: url, fetch: defaultFetch, timeout })) {
    steps.push(step);
    onStep(step);
  }
  const error = steps.find((step) => step.error !== undefined)?.error;
  const tested = { name: name ?? model, baseUrl, steps };
  if (error === undefined) return { ...tested, ok: true };
  const isAnswer = steps.some(({ name, state }) => name === "answer" && state === "failed");
  const offered = isAnswer ? await client.models().catch(() => [] as ModelInfo[]) : [];
  return { ...tested, ok: false, error, hint: nextStep(error, baseUrl, offered) };
}

async function testAll(config: Config, flags: TestFlags): Promise<Tested[]> {
  const { timeout = 30 } = flags;
  const names = (config.value.models ?? []).map(({ id, name = id }) => name);
  const endpoints = config.value.batch?.endpoints ?? [];
  const tests = [
    ...names.map((name) => ({
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
  const limit = pLimit(AT_ONCE);
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

function toJson({ name, baseUrl, steps, ok, error, hint }: Tested) {
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

function failureLines({ name, error, hint }: Tested): string[] {
  if (error === undefined) return [];
  return [`${name}: ${error.message}`, ...hint === undefined ? [] : [`  ${hint}`]];
}

function allLines(all: readonly Tested[]): string[] {
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

/** The command. */
export function testCommand() {
  const command = new Command("test")
    .addOption(modelFlags.model)
    .option("--all", "every configured model and endpoint, some at once")
    .option("--json", "print the outcome as JSON")
    .addOption(modelFlags.baseUrl)
    .addOption(modelFlags.apiKey)
    .addOption(modelFlags.shortTimeout)
    .addOption(commonFlags.config)
    .addOption(commonFlags.verbose)
    .action(async ({ all, json, config: file, ...flags }) => {
      const config = readConfig(file);
      if (all) {
        if (flags.model !== undefined || flags.baseUrl !== undefined) {
          throw new ConfigurationError("--all goes with neither --model nor --base-url");
        }
        const tested = await testAll(config, flags);
        if (json) writeJson(tested.map(toJson));
        else writeOutput(`${allLines(tested).join("\n")}\n`);
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
