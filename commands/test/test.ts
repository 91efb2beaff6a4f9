/**
 * Implements `flexllm test`, which tests the connection, key, completion and streaming of models.
 *
 * @module
 */
import { Command } from "@commander-js/extra-typings";
import process from "node:process";
import { ConfigurationError } from "../../lib/errors.ts";
import type { Step } from "../../lib/probe/probe_model.ts";
import { EXIT } from "../exit_codes.ts";
import { modelFlags } from "../flags/model.ts";
import { addExamples, commonFlags } from "../flags/shared_options.ts";
import { hintLines } from "../terminal/hint_lines.ts";
import { readConfig } from "../read_config.ts";
import { writeJson, writeOutput } from "../terminal/output.ts";
import { table } from "../terminal/table.ts";
import { widthOfStream } from "../terminal/wrap.ts";
import { stepCell, stepLine } from "./probe_report.ts";
import { testAll, testModel, type TestResult } from "./test_models.ts";

function toJson({ name, baseUrl, keySource, steps, ok, error, hint }: TestResult) {
  const round = (value: number | undefined) => value && Math.round(value * 1000) / 1000;
  return {
    name,
    base_url: baseUrl,
    key_source: keySource ?? null,
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

function worksLine(working: number, total: number): string {
  return total === 1
    ? `The model ${working === 1 ? "works" : "does not work"}.`
    : `${working} of ${total} models work.`;
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
    worksLine(all.length - failed.length, all.length),
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
      else if (tested.hint !== undefined) {
        writeOutput(`${hintLines(tested.hint, widthOfStream(process.stdout)).join("\n")}\n`);
      }
      if (!tested.ok) process.exitCode = EXIT.failed;
    });
  return addExamples(command, [
    "flexllm test",
    "flexllm test -m local-ollama",
    "flexllm test --all",
    "flexllm test -m mock --json",
  ]);
}
