/**
 * Implements `flexllm models`, which lists the models a server offers.
 *
 * @module
 */
import { Command } from "@commander-js/extra-typings";
import process from "node:process";
import { defaultModel, overrides } from "../../lib/config/effective.ts";
import type { Config } from "../../lib/config/load.ts";
import { HttpError } from "../../lib/errors.ts";
import type { ModelInfo } from "../../lib/protocols/protocol.ts";
import { connectModel } from "../connect.ts";
import { EXIT } from "../exit_codes.ts";
import { modelFlags, SHORT_TIMEOUT } from "../flags/model.ts";
import { addExamples, commonFlags } from "../flags/shared_options.ts";
import { readConfig } from "../read_config.ts";
import { counted } from "../terminal/format.ts";
import { type Column, table } from "../terminal/table.ts";
import { colored, writeJson, writeOutput } from "../terminal/output.ts";
import { writeSentences } from "../terminal/sentences.ts";

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

/** Formats a table of the models, without empty columns. */
function modelTable(models: readonly ModelInfo[]): string[] {
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

/** Whether a server is given but no model, which listing models does not require. */
function isServerOnly(config: Config, baseUrl: string | undefined): boolean {
  if (baseUrl !== undefined) return true;
  const { baseUrl: server, apiKey } = overrides(process.env);
  return defaultModel(config, process.env) === undefined &&
    (server !== undefined || apiKey?.source === "OPENAI_API_KEY");
}

/** Rethrows a 404 with a hint about the URL: the original hint is about the model's name. */
function rethrow(error: unknown): never {
  if (!(error instanceof HttpError) || error.status !== 404) throw error;
  const { status, providerMessage } = error;
  throw new HttpError(error.message, {
    cause: error,
    status,
    providerMessage,
    hint: "Check the base URL, which usually ends in /v1. Some servers cannot list models: " +
      "`flexllm test -m NAME` tests one by name.",
  });
}

/** Creates the command. */
export function modelsCommand() {
  const command = new Command("models")
    .argument("[filter]", "list only models with this in their name")
    .addOption(modelFlags.model)
    .option("--json", "print JSON")
    .addOption(modelFlags.baseUrl)
    .addOption(modelFlags.apiKey)
    .addOption(modelFlags.shortTimeout)
    .addOption(commonFlags.config)
    .addOption(commonFlags.verbose)
    .action(async (filter, flags) => {
      const config = readConfig(flags.config);
      const model = flags.model ?? (isServerOnly(config, flags.baseUrl) ? "any" : undefined);
      const { timeout = SHORT_TIMEOUT } = flags;
      const { client } = connectModel(
        config,
        { ...flags, model },
        { timeout, retryTimes: 1 },
      );
      const all = await client.models().catch(rethrow);
      const part = filter?.toLowerCase() ?? "";
      const models = all
        .filter(({ id, displayName = "" }) => `${id}\n${displayName}`.toLowerCase().includes(part))
        .toSorted((a, b) => a.id < b.id ? -1 : 1);
      if (flags.json) return writeJson(toJson(models));
      if (models.length === 0) {
        process.exitCode = EXIT.usage;
        return writeSentences(
          all.length === 0
            ? "The server lists no models."
            : `No model matches "${filter}" (${counted(all.length, "model")} in total).`,
        );
      }
      writeOutput(`${modelTable(models).join("\n")}\n`);
      const of = models.length === all.length ? "" : `${models.length} of `;
      const next = "to add one to the configuration, run `flexllm init`";
      writeSentences(colored("dim", `${of}${counted(all.length, "model")}; ${next}.`));
    });
  return addExamples(command, [
    "flexllm models",
    "flexllm models mini",
    "flexllm models -m local-ollama --json",
    "flexllm models --base-url http://localhost:8000/v1",
  ]);
}
