/**
 * `flexllm models`
 *
 * @module
 */
import { Command } from "@commander-js/extra-typings";
import process from "node:process";
import { defaultModel, overrides } from "../../lib/config/effective.ts";
import type { Config } from "../../lib/config/load.ts";
import { HttpError } from "../../lib/errors.ts";
import type { ModelInfo } from "../../lib/protocols/protocol.ts";
import { connectModel, readConfig } from "../connect.ts";
import { EXIT } from "../exit_codes.ts";
import { addExamples, commonFlags, modelFlags } from "../flags/shared_options.ts";
import { type Column, table } from "../terminal/table.ts";
import { colored, writeJson, writeNote, writeOutput } from "../terminal/output.ts";

function tokens(count: number | undefined): string {
  return count === undefined ? "" : count.toLocaleString("en-US");
}

function toJson(models: readonly ModelInfo[]) {
  return models.map((model) => ({
    id: model.id,
    display_name: model.displayName,
    context_window: model.contextWindow,
    max_output_tokens: model.maxOutputTokens,
  }));
}

/** A table of the models, without the columns that nothing is known for. */
export function modelTable(models: readonly ModelInfo[]): string[] {
  const columns: [Column, (model: ModelInfo) => string][] = [
    [{ title: "id" }, ({ id }) => id],
    [{ title: "name" }, ({ displayName }) => displayName ?? ""],
    [{ title: "context", align: "right" }, ({ contextWindow }) => tokens(contextWindow)],
    [{ title: "output", align: "right" }, ({ maxOutputTokens }) => tokens(maxOutputTokens)],
  ];
  const known = columns.filter(([, read]) => models.some((model) => read(model) !== ""));
  return table(
    known.map(([column]) => column),
    models.map((model) => known.map(([, read]) => read(model))),
  );
}

/** Whether a server is named but no model: it tells its models without being asked for one. */
function namesOnlyServer(config: Config, baseUrl: string | undefined): boolean {
  if (baseUrl !== undefined) return true;
  const { baseUrl: server, apiKey } = overrides(process.env);
  return defaultModel(config, process.env) === undefined &&
    (server !== undefined || apiKey?.source === "OPENAI_API_KEY");
}

function counted(models: number): string {
  return `${models} ${models === 1 ? "model" : "models"}`;
}

/** No model was named, so the hint about its name would mislead. */
function withoutList(error: unknown): never {
  if (!(error instanceof HttpError) || error.status !== 404) throw error;
  const { status, providerMessage } = error;
  throw new HttpError(error.message, {
    cause: error,
    status,
    providerMessage,
    hint: "Check the base URL; it usually ends in /v1. Some servers have no such list: " +
      "`flexllm test -m NAME` tells whether one can be asked.",
  });
}

/** The command. */
export function modelsCommand() {
  const command = new Command("models")
    .option("-n, --name <part>", "only models with this in their name")
    .addOption(modelFlags.model)
    .option("--json", "print them as JSON")
    .addOption(modelFlags.baseUrl)
    .addOption(modelFlags.apiKey)
    .addOption(modelFlags.shortTimeout)
    .addOption(commonFlags.config)
    .addOption(commonFlags.verbose)
    .action(async (flags) => {
      const config = readConfig(flags.config);
      const model = flags.model ?? (namesOnlyServer(config, flags.baseUrl) ? "any" : undefined);
      const { timeout = 30 } = flags;
      const { client } = connectModel(
        config,
        { ...flags, model },
        { timeout, retryTimes: 1 },
      );
      const all = await client.models().catch(withoutList);
      const part = flags.name?.toLowerCase() ?? "";
      const models = all
        .filter(({ id, displayName = "" }) => `${id}\n${displayName}`.toLowerCase().includes(part))
        .toSorted((a, b) => a.id < b.id ? -1 : 1);
      if (flags.json) return writeJson(toJson(models));
      if (models.length === 0) {
        process.exitCode = EXIT.usage;
        return writeNote(
          all.length === 0
            ? "The server lists no models."
            : `None of the ${counted(all.length)} has "${flags.name}" in its name.`,
        );
      }
      writeOutput(`${modelTable(models).join("\n")}\n`);
      const of = models.length === all.length ? "" : `${models.length} of `;
      const next = "`flexllm init` adds one to the configuration";
      writeNote(colored("dim", `${of}${counted(all.length)}; ${next}.`));
    });
  return addExamples(command, [
    "flexllm models",
    "flexllm models -n mini",
    "flexllm models -m local-ollama --json",
    "flexllm models --base-url http://localhost:8000/v1",
  ]);
}
