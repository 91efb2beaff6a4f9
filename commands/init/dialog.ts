/**
 * Runs the prompts of `flexllm init`, tests the model, and writes it to the configuration file.
 *
 * Nothing is written before the last prompt is answered.
 *
 * @module
 */
import { intro } from "@clack/prompts";
import { copyFileSync, existsSync } from "node:fs";
import process from "node:process";
import { keyFilePath } from "../../lib/keys/key_file.ts";
import { storeKey } from "../../lib/keys/key_store.ts";
import { keyReference } from "../../lib/config/references.ts";
import { overrides } from "../../lib/config/effective.ts";
import { nameOf } from "../../lib/config/models.ts";
import type { ModelEntry } from "../../lib/config/schema.ts";
import {
  AbortedError,
  AuthenticationError,
  ConnectionError,
  type FlexLLMError,
} from "../../lib/errors.ts";
import { probeModel } from "../../lib/probe/probe_model.ts";
import { safeUrl } from "../../lib/redact.ts";
import { defaultFetch } from "../../lib/transport/default_fetch.ts";
import { oneLineMessage } from "../errors/groups.ts";
import {
  promptChoice,
  promptText,
  promptYesNo,
  showEnd,
  showMessage,
} from "../terminal/prompts.ts";
import { writeSentences } from "../terminal/sentences.ts";
import { nextStep, seconds, stepDetail } from "../test/probe_report.ts";
import { howToSet } from "./how_to_set.ts";
import { clientOf, keyValue, type ModelDraft, OTHER, TIMEOUT } from "./models.ts";
import {
  promptBaseUrl,
  promptKey,
  promptModel,
  promptModelId,
  promptPlace,
  promptProvider,
} from "./questions.ts";
import { addToFile, type InitFlags, modelsOf, writeNewFile } from "./write.ts";

function showNextStep(error: FlexLLMError, baseUrl = ""): void {
  const hint = nextStep(error, baseUrl, []);
  if (hint !== undefined) showMessage(hint, "warn");
}

/** Tests the model and shows each step. Returns whether it works. */
async function testDraft(draft: ModelDraft): Promise<boolean> {
  const { baseUrl } = draft;
  showMessage("Testing …");
  await using client = clientOf(draft);
  const probe = probeModel({ client, baseUrl, fetch: defaultFetch, timeout: TIMEOUT });
  for await (const step of probe) {
    if (step.state === "skipped") continue;
    const time = step.seconds === undefined ? "" : ` in ${seconds(step.seconds)}`;
    const detail = stepDetail(step);
    const text = `${step.name} ${step.state}${time}${detail === "" ? "" : `: ${detail}`}`;
    showMessage(text, step.state === "ok" ? "success" : "error");
    if (step.error !== undefined) {
      showNextStep(step.error, baseUrl);
      return false;
    }
  }
  return true;
}

/** Prompts for what to do after a failed test. */
async function promptAfterFailure(): Promise<"retry" | "save"> {
  const action = await promptChoice("It does not work yet. What now?", [
    { value: "retry", label: "answer the questions again" },
    { value: "save", label: "save it anyway", hint: "change it later with flexllm config edit" },
    { value: "quit", label: "quit without saving" },
  ]);
  if (action === "quit") throw new AbortedError("quit; nothing was changed");
  return action as "retry" | "save";
}

/** The variable that `key` refers to, if it is not set. */
function missingVariable(key: string | undefined): string | undefined {
  return key !== undefined && keyValue(key) === undefined ? key.slice(2, -1) : undefined;
}

/** Prompts until there is a model that works or is to be saved anyway. */
async function promptWorkingModel(flags: InitFlags): Promise<ModelDraft> {
  let given = flags;
  while (true) {
    const provider = await promptProvider(given);
    if (provider === "mock") {
      return { provider, baseUrl: undefined, apiKey: undefined, model: given.model ?? "mock" };
    }
    const baseUrl = await promptBaseUrl(provider, given);
    const apiKey = await promptKey(baseUrl, given);
    const draft: ModelDraft = { provider, baseUrl, apiKey, model: "" };
    const missing = missingVariable(apiKey);
    if (missing !== undefined) {
      showMessage(
        `${missing} is not set, so the model cannot be tested yet: ${howToSet(missing)}`,
        "warn",
      );
      return { ...draft, model: given.model ?? await promptModelId() };
    }
    try {
      draft.model = await promptModel(draft, given);
      if (await testDraft(draft) || await promptAfterFailure() === "save") return draft;
      given = {};
    } catch (error) {
      if (error instanceof ConnectionError) {
        showMessage(oneLineMessage(error), "error");
        showNextStep(error, baseUrl);
        if (await promptAfterFailure() === "save") {
          return { ...draft, model: await promptModelId() };
        }
        given = {};
        continue;
      }
      if (!(error instanceof AuthenticationError)) throw error;
      showMessage(`The server rejected the key: ${oneLineMessage(error)}`, "error");
      given = provider === OTHER ? { baseUrl } : { provider, baseUrl };
    }
  }
}

/** Stores the key of the draft, unless it belongs in the configuration. Returns what refers to it there. */
async function storeDraftKey({ apiKey, storeAs }: ModelDraft): Promise<string | undefined> {
  if (apiKey === undefined || storeAs === undefined) return apiKey;
  const { name, store } = storeAs;
  // A keychain that fails must not lose the answers: the key goes to the file then.
  const result = await storeKey(process.env, name, apiKey, store === "file" ? store : undefined);
  if (result.keychainError !== undefined) {
    showMessage(
      `${result.keychainError.message}; the key is stored in ${keyFilePath(process.env)} instead`,
      "warn",
    );
  }
  return keyReference(name);
}

async function toEntry(draft: ModelDraft, name: string): Promise<ModelEntry> {
  const { provider, baseUrl, model } = draft;
  const apiKey = await storeDraftKey(draft);
  return {
    id: model,
    name,
    ...provider === OTHER ? {} : { provider },
    ...baseUrl === undefined ? {} : { base_url: baseUrl },
    ...apiKey === undefined ? {} : { api_key: apiKey },
  };
}

/** Returns the model's id as its name, or prompts for another one if it is taken. */
async function promptName(model: string, taken: readonly string[]): Promise<string> {
  if (!taken.includes(model)) return model;
  const validate = (name: string) =>
    name === "" || taken.includes(name) ? `Already used: ${taken.join(", ")}.` : undefined;
  return await promptText(`"${model}" already exists. Name of this one, for -m?`, validate);
}

async function addModelTo(file: string, flags: InitFlags): Promise<ModelDraft> {
  const { models, default: old } = modelsOf(file);
  const draft = await promptWorkingModel(flags);
  const name = await promptName(draft.model, models.map(nameOf));
  const asDefault = old === undefined ||
    await promptYesNo(`Make ${name} the default instead of ${old}?`, true);
  Object.assign(draft, await promptPlace(draft));
  addToFile(file, await toEntry(draft, name), asDefault);
  showMessage(`Added ${name} to ${file}`, "success");
  return draft;
}

async function replaceFile(file: string, flags: InitFlags): Promise<ModelDraft> {
  const draft = await promptWorkingModel(flags);
  Object.assign(draft, await promptPlace(draft));
  if (existsSync(file)) {
    copyFileSync(file, `${file}.old`);
    showMessage(`Saved the old file as ${file}.old`);
  }
  writeNewFile(file, await toEntry(draft, draft.model));
  showMessage(`Created ${file}`, "success");
  return draft;
}

async function promptAddOrReplace(file: string): Promise<"add" | "replace"> {
  const action = await promptChoice(`${file} already exists.`, [
    { value: "add", label: "add a model to it" },
    { value: "replace", label: "replace it", hint: `the old file is saved as ${file}.old` },
    { value: "quit", label: "leave it unchanged" },
  ]);
  if (action === "quit") throw new AbortedError("quit; nothing was changed");
  return action as "add" | "replace";
}

/** Notes the variables that override the new configuration. */
function noteOverrides(): void {
  const { model, baseUrl } = overrides(process.env);
  for (const { source, value } of [model, baseUrl].filter((each) => each !== undefined)) {
    writeSentences(`${source} is set and overrides the file: ${safeUrl(value)}`);
  }
}

/** Prompts for a model, tests it, and writes it to `file`. */
export async function runInitDialog(file: string, flags: InitFlags): Promise<void> {
  intro("flexllm init", { output: process.stderr });
  const adds = existsSync(file) && await promptAddOrReplace(file) === "add";
  const { apiKey } = await (adds ? addModelTo(file, flags) : replaceFile(file, flags));
  const missing = missingVariable(apiKey);
  const first = missing === undefined ? "" : `${howToSet(missing)}, then `;
  showEnd(`Next: ${first}flexllm ask "What is Python?"`);
  noteOverrides();
}
