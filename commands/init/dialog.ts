/**
 * The questions of `flexllm init`. Nothing is written before the last of them is answered.
 *
 * @module
 */
import { intro, outro } from "@clack/prompts";
import { copyFileSync, existsSync } from "node:fs";
import process from "node:process";
import { officialNamed } from "../../lib/protocols/registry.ts";
import { normalizeBaseUrl } from "../../lib/services/base_url.ts";
import { baseUrlOf, keyVariableOf, PROVIDER_NAMES } from "../../lib/services/providers.ts";
import { overrides } from "../../lib/config/effective.ts";
import type { ModelEntry } from "../../lib/config/schema.ts";
import {
  AbortedError,
  AuthenticationError,
  ConnectionError,
  FlexLLMError,
} from "../../lib/errors.ts";
import { probeModel } from "../../lib/probe/probe_model.ts";
import { maskKey, safeUrl } from "../../lib/redact.ts";
import { defaultFetch } from "../../lib/runtime/runtime.ts";
import { oneLineMessage } from "../errors/groups.ts";
import { type Answers, clientOf, keyValue, offeredModels, OTHER, TIMEOUT } from "./models.ts";
import { type InitFlags, modelsOf, writeAdded, writeNew } from "./write.ts";
import { detail, nextStep, seconds } from "../test/probe_report.ts";
import { askLine, askSecret, askYesNo, choose, pick, say, search } from "../terminal/prompts.ts";
import { writeNote } from "../terminal/output.ts";

async function askProvider(flags: InitFlags): Promise<Answers["provider"]> {
  if (flags.provider !== undefined) return flags.provider;
  if (flags.baseUrl !== undefined) return OTHER;
  const others = PROVIDER_NAMES.filter((name) => !["auto", "mock", "openai"].includes(name));
  const named = (["openai", ...others] as const).map((name) => {
    const url = baseUrlOf(name);
    const variable = url && keyVariableOf(url);
    const isSet = variable !== undefined && process.env[variable];
    const company = officialNamed(name)?.official.company;
    return {
      value: name as Answers["provider"],
      label: company === undefined ? name : `${name} (${company})`,
      hint: isSet ? `${variable} is set` : url ?? "a URL of your own",
      isSet,
    };
  });
  const choices = [
    ...named.filter(({ isSet }) => isSet),
    ...named.filter(({ isSet }) => !isSet),
    { value: OTHER, label: "another server that speaks OpenAI's format" } as const,
    { value: "mock", label: "mock, built in: for trying, no key, no network" } as const,
  ];
  return await pick("Which provider do you want to ask?", choices);
}

/** The URL that is meant by a host alone: nobody types a scheme into a browser. */
function completeUrl(text: string): string {
  if (!/^[\w.-]+(:\d+)?(\/|$)/.test(text)) return text;
  const isLocal = /^(localhost|\d+\.\d+\.\d+\.\d+)(:|\/|$)/.test(text);
  return `${isLocal ? "http" : "https"}://${text}`;
}

function urlProblem(text: string): string | undefined {
  try {
    normalizeBaseUrl(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof FlexLLMError)) throw error;
    return [error.message, error.hint].join(". ");
  }
}

async function askBaseUrl(provider: Answers["provider"], flags: InitFlags): Promise<string> {
  if (flags.baseUrl !== undefined) return flags.baseUrl;
  const known = provider === OTHER ? undefined : baseUrlOf(provider);
  // A self-hosted server may be on another machine.
  if (known !== undefined && !known.startsWith("http://localhost")) return known;
  const url = await askLine(
    "Base URL of the server, up to and with /v1?",
    (text) => urlProblem(completeUrl(text)),
    known,
  );
  return completeUrl(url);
}

function keyProblem(key: string): string | undefined {
  return /^[\x21-\x7e]*$/.test(key) ? undefined : "A key has no blanks or special characters.";
}

async function askKey(baseUrl: string, flags: InitFlags): Promise<string | undefined> {
  if (flags.apiKeyEnv !== undefined) return `\${${flags.apiKeyEnv}}`;
  const variable = keyVariableOf(normalizeBaseUrl(baseUrl));
  const value = variable && process.env[variable];
  if (value) {
    const where = await choose("Which key?", [
      { value: "variable", label: `the one in ${variable}`, hint: maskKey(value) },
      { value: "typed", label: "another one", hint: "kept in the configuration file" },
    ]);
    if (where === "variable") return `\${${variable}}`;
  }
  const empty = variable === undefined ? "empty for none" : `empty: ${variable} will hold it`;
  const key = await askSecret(`API key? (not shown; ${empty})`, keyProblem);
  if (key !== "") return key;
  return variable === undefined ? undefined : `\${${variable}}`;
}

async function askModel(answers: Answers, flags: InitFlags): Promise<string> {
  if (flags.model !== undefined) return flags.model;
  const offered = await offeredModels(answers);
  if (offered.length > 0) {
    return await search("Which model? (type a part of its name)", offered);
  }
  return await askModelName();
}

async function askModelName(): Promise<string> {
  const problem = (name: string) => name === "" ? "The server needs a name." : undefined;
  return await askLine("Which model? (its name at the server)", problem);
}

function tellNext(error: FlexLLMError, baseUrl = ""): void {
  const hint = nextStep(error, baseUrl, []);
  if (hint !== undefined) say(hint, "warn");
}

/** Tries the model and says how that went. */
async function works(answers: Answers): Promise<boolean> {
  const { baseUrl } = answers;
  say("Testing …");
  await using client = clientOf(answers);
  const probe = probeModel({ client, baseUrl, fetch: defaultFetch, timeout: TIMEOUT });
  for await (const step of probe) {
    if (step.state === "skipped") continue;
    const time = step.seconds === undefined ? "" : ` in ${seconds(step.seconds)}`;
    const more = detail(step) === "" ? "" : `: ${detail(step)}`;
    say(`${step.name} ${step.state}${time}${more}`, step.state === "ok" ? "success" : "error");
    if (step.error !== undefined) {
      tellNext(step.error, baseUrl);
      return false;
    }
  }
  return true;
}

/** What is done after a test that failed. */
type After = "again" | "save";

async function askAfterFailure(): Promise<After> {
  const after = await choose("It does not work yet. What now?", [
    { value: "again", label: "answer the questions again" },
    { value: "save", label: "save it anyway", hint: "flexllm config edit changes it later" },
    { value: "leave", label: "leave without saving" },
  ]);
  if (after === "leave") throw new AbortedError("left; nothing was changed");
  return after as After;
}

/** The variable that `key` refers to, when it is not set. */
function missingVariable(key: string): string | undefined {
  return keyValue(key) === undefined ? key.slice(2, -1) : undefined;
}

/** Asks until there is a model that works, or that is to be saved anyway. */
async function askWorkingModel(flags: InitFlags): Promise<Answers> {
  let given = flags;
  while (true) {
    const provider = await askProvider(given);
    if (provider === "mock") {
      return { provider, baseUrl: undefined, apiKey: undefined, model: given.model ?? "mock" };
    }
    const baseUrl = await askBaseUrl(provider, given);
    const apiKey = await askKey(baseUrl, given);
    const answers: Answers = { provider, baseUrl, apiKey, model: "" };
    const name = apiKey === undefined ? undefined : missingVariable(apiKey);
    if (name !== undefined) {
      say(`${name} is not set, so nothing can be tested yet: export ${name}=…`, "warn");
      return { ...answers, model: given.model ?? await askModelName() };
    }
    try {
      answers.model = await askModel(answers, given);
      if (await works(answers) || await askAfterFailure() === "save") return answers;
      given = {};
    } catch (error) {
      if (error instanceof ConnectionError) {
        say(oneLineMessage(error), "error");
        tellNext(error, baseUrl);
        if (await askAfterFailure() === "save") return { ...answers, model: await askModelName() };
        given = {};
        continue;
      }
      if (!(error instanceof AuthenticationError)) throw error;
      say(`The server refuses the key: ${oneLineMessage(error)}`, "error");
      given = provider === OTHER ? { baseUrl } : { provider, baseUrl };
    }
  }
}

function toEntry({ provider, baseUrl, apiKey, model }: Answers, name: string): ModelEntry {
  return {
    id: model,
    name,
    ...provider === OTHER ? {} : { provider },
    ...baseUrl === undefined ? {} : { base_url: baseUrl },
    ...apiKey === undefined ? {} : { api_key: apiKey },
  };
}

async function askName(model: string, taken: readonly string[]): Promise<string> {
  if (!taken.includes(model)) return model;
  const problem = (name: string) =>
    name === "" || taken.includes(name) ? `Taken are ${taken.join(", ")}.` : undefined;
  return await askLine(`There is a "${model}" already. What is -m to call this one?`, problem);
}

async function addTo(file: string, flags: InitFlags): Promise<Answers> {
  const { models, default: old } = modelsOf(file);
  const answers = await askWorkingModel(flags);
  const name = await askName(answers.model, models.map(({ id, name = id }) => name));
  const asDefault = old === undefined ||
    await askYesNo(`Ask ${name} by default, instead of ${old}?`, true);
  writeAdded(file, toEntry(answers, name), asDefault);
  say(`Added ${name} to ${file}`, "success");
  return answers;
}

async function writeAnew(file: string, flags: InitFlags): Promise<Answers> {
  const answers = await askWorkingModel(flags);
  if (existsSync(file)) {
    copyFileSync(file, `${file}.old`);
    say(`The old file is kept as ${file}.old`);
  }
  writeNew(file, toEntry(answers, answers.model));
  say(`Written: ${file}`, "success");
  return answers;
}

async function askWhatToDo(file: string): Promise<"add" | "anew"> {
  const action = await choose(`${file} is there already.`, [
    { value: "add", label: "add a model to it" },
    { value: "anew", label: "begin anew", hint: "the old file is kept beside it" },
    { value: "leave", label: "leave it as it is" },
  ]);
  if (action === "leave") throw new AbortedError("left; nothing was changed");
  return action as "add" | "anew";
}

/** Asks for a model, tries it, and writes it to `file`. */
export async function initByQuestions(file: string, flags: InitFlags): Promise<void> {
  const output = process.stderr;
  intro("flexllm init", { output });
  const isAdded = existsSync(file) && await askWhatToDo(file) === "add";
  const { apiKey } = await (isAdded ? addTo(file, flags) : writeAnew(file, flags));
  const missing = apiKey === undefined ? undefined : missingVariable(apiKey);
  const first = missing === undefined ? "" : `export ${missing}=…, then `;
  outro(`Next: ${first}flexllm ask "What is Python?"`, { output });
  const { model, baseUrl } = overrides(process.env);
  for (const { source, value } of [model, baseUrl].filter((found) => found !== undefined)) {
    writeNote(`${source} is set and wins over the file: ${safeUrl(value)}`);
  }
}
