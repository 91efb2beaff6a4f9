/** Stored keys in the configuration: references, precedence, and which servers get them. */
import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import { inspectConfig } from "../../lib/config/inspect.ts";
import { inspectServers } from "../../lib/config/inspect_servers.ts";
import { keyState } from "../../lib/config/key_state.ts";
import { type Config, loadConfig } from "../../lib/config/load.ts";
import { requireKey } from "../../lib/config/missing_key.ts";
import { redactConfig } from "../../lib/config/redact_config.ts";
import { expandReferences, isReference, keysIn, variablesIn } from "../../lib/config/references.ts";
import { resolveEndpoint } from "../../lib/config/resolve_endpoints.ts";
import { type ModelFlags, resolveWithKey } from "../../lib/config/resolve_model.ts";
import { isForeignKey } from "../../lib/config/service_variables.ts";
import { approve, foreignVariables } from "../../lib/config/trust.ts";
import { keyedServices } from "../../lib/keys/key_names.ts";
import { storeKey } from "../../lib/keys/key_store.ts";
import { PROVIDER_NAMES } from "../../lib/services/providers.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary_folder.ts";

type Env = Record<string, string>;

const KEYS: Record<string, string> = {
  openai: "stored-openai",
  anthropic: "stored-anthropic",
  azure: "stored-azure",
  work: "stored-work",
};

/** A home folder with {@link KEYS}. */
async function homeWithKeys(): Promise<TemporaryFolder & { env: Env }> {
  const home = temporaryFolder();
  const env = { FLEXLLM_HOME: home.path };
  for (const [name, key] of Object.entries(KEYS)) {
    await storeKey(env, name, key, "file");
  }
  return { ...home, env };
}

function configOf(home: TemporaryFolder & { env: Env }, text: string): Config {
  chmodSync(home.write("config.yaml", text), 0o600);
  return loadConfig(home.env, "/", undefined);
}

/** The key that is sent and its source, as `key from source`. */
function keyOf(
  home: TemporaryFolder & { env: Env },
  text: string,
  env: Env,
  flags: ModelFlags = {},
) {
  const { model, keySource } = resolveWithKey(configOf(home, text), { ...home.env, ...env }, flags);
  return `${model.apiKey} from ${keySource?.replace(home.path, "")}`;
}

Deno.test("references distinguish variables from stored keys", () => {
  const text = "${A} ${keys.Claude} ${keys.my-key.2} ${keys} ${B.C}";
  assert.deepEqual(variablesIn(text), ["A", "keys"]);
  assert.deepEqual(keysIn(text), ["anthropic", "my-key.2"]);
  const readKey = (name: string) => `<${name}>`;
  assert.equal(
    expandReferences(text, { A: "a", keys: "k" }, { readKey }),
    "a <anthropic> <my-key.2> k ${B.C}",
  );
  const soles = ["${keys.a}", "${A}", " ${A}", "${keys.a}x", "${keys.}"];
  assert.deepEqual(soles.map(isReference), [true, true, false, false, false]);
});

Deno.test("a stored key is used after flags, variables and the file", async () => {
  using home = await homeWithKeys();
  const openai = "models: [{id: m, provider: openai}]";
  const stored = "stored-openai from keys.openai, in the key file";
  assert.equal(keyOf(home, openai, {}), stored);
  assert.equal(keyOf(home, openai, { OPENAI_API_KEY: "v" }), "v from OPENAI_API_KEY");
  assert.equal(keyOf(home, openai, { FLEXLLM_API_KEY: "f" }), "f from FLEXLLM_API_KEY");
  assert.equal(keyOf(home, openai, {}, { apiKey: "flag" }), "flag from --api-key");
  const inFile = "models: [{id: m, provider: openai, api_key: file}]";
  assert.equal(keyOf(home, inFile, {}), "file from /config.yaml:1:45");
  assert.equal(keyOf(home, "", {}, { model: "gpt-x" }), stored);
  const claude = "models: [{id: m, provider: claude}]";
  assert.equal(keyOf(home, claude, {}), "stored-anthropic from keys.anthropic, in the key file");
});

Deno.test("the variable and the stored key of a service replace each other in a reference", async () => {
  using home = await homeWithKeys();
  const model = (provider: string, key: string) =>
    `models: [{id: m, provider: ${provider}, api_key: "\${${key}}"}]`;
  const stored = "stored-openai from keys.openai, in the key file";
  assert.equal(keyOf(home, model("openai", "OPENAI_API_KEY"), {}), stored);
  assert.equal(keyOf(home, model("openai", "keys.openai"), {}), stored);
  assert.equal(
    keyOf(home, model("groq", "keys.groq"), { GROQ_API_KEY: "g" }),
    "g from GROQ_API_KEY",
  );
  assert.equal(
    keyOf(home, model("claude", "keys.claude"), { ANTHROPIC_API_KEY: "a" }),
    "stored-anthropic from keys.anthropic, in the key file",
  );
  const other = model("groq", "keys.work");
  assert.equal(
    keyOf(home, other, { GROQ_API_KEY: "g" }),
    "stored-work from keys.work, in the key file",
  );
  assert.throws(() => keyOf(home, model("groq", "keys.groq"), {}), {
    message: /config\.yaml:1:43: no key named "groq" is stored/,
    hint: "Store it: flexllm keys set groq, or set GROQ_API_KEY",
  });
  assert.throws(() => keyOf(home, model("groq", "GROQ_API_KEY"), {}), {
    message: /the environment variable GROQ_API_KEY is not set/,
    hint: /flexllm keys set groq/,
  });
});

Deno.test("a stored key is sent only to its own service unless the configuration says otherwise", async () => {
  using home = await homeWithKeys();
  const elsewhere = "models: [{id: m, base_url: 'https://llm.example/v1'}]";
  assert.equal(keyOf(home, elsewhere, {}), "undefined from undefined");
  const flags = { model: "m", baseUrl: "https://llm.example/v1" };
  assert.equal(keyOf(home, "", {}, flags), "undefined from undefined");
  const override = { OPENAI_BASE_URL: "https://proxy.example/v1" };
  assert.equal(keyOf(home, "", override, { model: "m" }), "undefined from undefined");
  const named = "models: [{id: m, base_url: 'https://llm.example/v1', api_key: '${keys.openai}'}]";
  assert.equal(keyOf(home, named, {}), "stored-openai from keys.openai, in the key file");
  // The key of the file belongs to the server of the file.
  const moved = { baseUrl: "https://other.example/v1" };
  assert.equal(keyOf(home, named, {}, moved), "undefined from undefined");
});

Deno.test("batch endpoints use stored keys", async () => {
  using home = await homeWithKeys();
  const config = configOf(
    home,
    "batch: {endpoints: [{provider: openai, model: m}, {provider: groq, model: m, api_key: '${keys.work}'}]}",
  );
  const keys = [0, 1].map((i) => resolveEndpoint(config, home.env, i));
  assert.deepEqual(keys.map(({ apiKey }) => apiKey), ["stored-openai", "stored-work"]);
  assert.deepEqual(keys.map(({ keySource }) => keySource), [
    "keys.openai, in the key file",
    "keys.work, in the key file",
  ]);
});

Deno.test("a configuration in the current directory cannot send stored keys elsewhere", async () => {
  using home = await homeWithKeys();
  using folder = temporaryFolder();
  const refused = (text: string): string[] => {
    const file = folder.write("flexllm_config.yaml", text);
    chmodSync(file, 0o600);
    const config = loadConfig(home.env, folder.path, undefined);
    assert.equal(config.file, file);
    const found = config.unapproved.map(({ variable, host }) => `${variable} to ${host}`);
    const use = () => resolveWithKey(config, home.env, { model: "m" });
    if (found.length > 0) assert.throws(use, /would be sent to/);
    else use();
    return found;
  };
  const evil = "models: [{id: m, base_url: 'https://evil.example/v1', ";
  assert.deepEqual(refused(`${evil}api_key: '\${keys.openai}'}]`), ["keys.openai to evil.example"]);
  assert.deepEqual(refused(`${evil}headers: {x: 'Bearer \${keys.Work}'}}]`), [
    "keys.work to evil.example",
  ]);
  assert.deepEqual(refused(`${evil}}]`), []);
  assert.deepEqual(refused("models: [{id: m, provider: openai, api_key: '${keys.openai}'}]"), []);
  assert.deepEqual(refused("models: [{id: m, provider: openai, api_key: '${keys.work}'}]"), [
    "keys.work to api.openai.com",
  ]);
  // The key would be part of the host name, and so of a DNS request.
  const inHost =
    "models: [{id: m, base_url: 'https://api.openai.com${keys.openai}/v1', api_key: x}]";
  assert.deepEqual(refused(inHost), ["keys.openai to api.openai.comkey"]);
  // Customers run their own code there.
  const gateway = "models: [{id: m, base_url: 'https://evil.azure-api.net/v1'";
  const azure = ["AZURE_OPENAI_API_KEY to evil.azure-api.net"];
  assert.deepEqual(refused(`${gateway}}]`), azure);
  assert.deepEqual(refused(`${gateway}, api_key: '\${AZURE_OPENAI_API_KEY}'}]`).slice(0, 1), azure);
  assert.deepEqual(refused(`${gateway}, api_key: '\${UNSET_VERSION}'}]`), azure);

  const text = `${evil}api_key: '\${keys.openai}'}]`;
  const file = folder.write("flexllm_config.yaml", text);
  approve(home.env, file, text);
  const approved = loadConfig(home.env, folder.path, undefined);
  assert.deepEqual(approved.unapproved, []);
  assert.equal(resolveWithKey(approved, home.env, {}).model.apiKey, "stored-openai");
  assert.deepEqual(foreignVariables(approved.value, home.env).length, 1);
});

Deno.test("isForeignKey() allows the key of a service at its own hosts only", () => {
  const cases: [name: string, baseUrl: string, foreign: boolean][] = [
    ["openai", "https://api.openai.com/v1", false],
    ["openai", "https://api.openai.com.evil.example/v1", true],
    ["anthropic", "https://api.anthropic.com/v1", false],
    ["azure", "https://me.openai.azure.com/openai/v1", false],
    ["azure", "https://anybody.azure-api.net/v1", true],
    ["openai", "http://api.openai.com/v1", true],
    ["work", "https://api.openai.com/v1", true],
    ["work", "https://work.example/v1", true],
    ["openai", "not a URL", true],
  ];
  for (const [name, baseUrl, foreign] of cases) {
    assert.equal(isForeignKey(name, baseUrl, {}), foreign, `${name} at ${baseUrl}`);
  }
});

Deno.test("listings show where a key is stored, without reading it", async () => {
  using home = await homeWithKeys();
  const state = (
    api_key: string | undefined,
    provider: "openai" | "groq" | "vllm",
    env: Env = {},
  ) => keyState({ api_key, provider }, { ...home.env, ...env });
  const openai = { state: "set", stored: "openai", masked: "…" };
  assert.deepEqual(state(undefined, "openai"), openai);
  assert.deepEqual(state("${OPENAI_API_KEY}", "openai"), openai);
  assert.deepEqual(state("${keys.openai}", "vllm"), openai);
  assert.deepEqual(state("${keys.groq}", "groq"), { state: "missing", stored: "groq" });
  assert.deepEqual(state(undefined, "groq"), { state: "missing", variable: "GROQ_API_KEY" });
  assert.deepEqual(state("${keys.groq}", "groq", { GROQ_API_KEY: "g" }), {
    state: "set",
    variable: "GROQ_API_KEY",
    masked: "…",
  });
  assert.deepEqual(state(undefined, "vllm"), { state: "none" });
});

Deno.test("config check warns about keys that are not stored, and shows references unmasked", async () => {
  using home = await homeWithKeys();
  const text = `models:
  - {id: a, provider: openai, api_key: "\${OPENAI_API_KEY}"}
  - {id: b, provider: groq, api_key: "\${keys.groq}"}
  - {id: c, provider: groq, headers: {x-a: "Bearer \${keys.nope}", x-b: "\${keys.work}"}}
`;
  const inspection = inspectConfig("f.yaml", text);
  assert.deepEqual(inspection.problems, []);
  assert.deepEqual(inspectServers(inspection, home.env), {
    problems: [],
    warnings: [
      'f.yaml:3:38: no key named "groq" is stored: flexllm keys set groq',
      'f.yaml:4:44: no key named "nope" is stored: flexllm keys set nope',
    ],
  });
  const shown = redactConfig(inspection.value).models!;
  assert.equal(shown[1].api_key, "${keys.groq}");
  assert.equal(shown[2].headers!["x-a"], "Bearer ${keys.nope}");
});

Deno.test("a request to any known service without a key is refused, naming both remedies", () => {
  for (const { name, variable, baseUrl } of keyedServices()) {
    // Local ones, and those whose URL is the customer's.
    if (baseUrl === undefined || baseUrl.includes("localhost")) continue;
    assert.throws(() => requireKey({ baseUrl, apiKey: "" }), {
      message: `there is no API key for ${new URL(baseUrl).host}`,
      hint: new RegExp(`\`flexllm keys set ${name}\`, or set ${variable}\\.`),
    });
    requireKey({ baseUrl, apiKey: "k" });
    requireKey({ baseUrl, headers: { Authorization: "Bearer k" } });
  }
  for (const provider of PROVIDER_NAMES) {
    if (["auto", "mock"].includes(provider)) requireKey({ provider });
  }
  requireKey({ provider: "ollama" });
  requireKey({ baseUrl: "http://localhost:11434/v1" });
  requireKey({ baseUrl: "https://llm.example/v1" });
  assert.throws(
    () => requireKey({ baseUrl: "https://ollama.com/v1" }),
    /no API key for ollama\.com/,
  );
  assert.throws(
    () => requireKey({ provider: "azure", baseUrl: "https://me.openai.azure.com/x" }, "f:1:2"),
    {
      message: "f:1:2: there is no API key for me.openai.azure.com",
    },
  );
});
