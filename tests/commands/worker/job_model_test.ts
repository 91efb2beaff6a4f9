import assert from "node:assert/strict";
import { jobConnection, type JobModel } from "../../../commands/worker/job_model.ts";
import { loadConfig } from "../../../lib/config/load.ts";
import type { ModelFlags } from "../../../lib/config/resolve_model.ts";
import { ConfigurationError } from "../../../lib/errors.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

const GPU: JobModel = { name: "qwen3", models: ["qwen3"], baseUrls: ["http://gpu1:8000/v1"] };
const CLAUDE: JobModel = {
  name: "claude-haiku-4-5",
  models: ["claude-haiku-4-5"],
  baseUrls: ["https://api.anthropic.com/v1"],
};
const POOL: JobModel = { name: undefined, models: ["a", "b"], baseUrls: ["http://gpu1:8000/v1"] };

interface Machine {
  config?: string;
  env?: Record<string, string>;
  flags?: ModelFlags;
}

/** The flags for the client, or the error. */
function connect(job: JobModel, { config = "{}", env = {}, flags = {} }: Machine) {
  using folder = temporaryFolder();
  const file = folder.write("config.yaml", config);
  const home = { FLEXLLM_HOME: folder.path, FLEXLLM_TRUST: "1", ...env };
  try {
    const { model, baseUrl } = jobConnection(loadConfig(home, folder.path, file), home, flags, job);
    return { model, baseUrl };
  } catch (error) {
    assert.ok(error instanceof ConfigurationError, String(error));
    return `${error.message} | ${error.hint}`;
  }
}

Deno.test("a worker uses the server that its own flags, environment or configuration name", () => {
  assert.deepEqual(connect(GPU, { flags: { baseUrl: "http://here:8000/v1" } }), {
    model: ["qwen3"],
    baseUrl: "http://here:8000/v1",
  });
  // The server is that of the environment, which the client resolves itself.
  assert.deepEqual(connect(GPU, { env: { FLEXLLM_BASE_URL: "http://here:8000/v1" } }), {
    model: ["qwen3"],
    baseUrl: undefined,
  });
  const config = "models:\n  - {name: qwen3, id: /models/qwen3, base_url: http://here:8000/v1}\n";
  assert.deepEqual(connect(GPU, { config }), { model: ["qwen3"], baseUrl: undefined });
});

Deno.test("a batch that names no server leaves it to the worker", () => {
  const job = { name: "gpt-5.4-mini", models: ["gpt-5.4-mini"], baseUrls: [] };
  const own = { model: ["gpt-5.4-mini"], baseUrl: undefined };
  assert.deepEqual(connect(job, { env: { OPENAI_API_KEY: "sk-openai" } }), own);
  assert.deepEqual(connect(job, { env: { FLEXLLM_BASE_URL: "http://here:8000/v1" } }), own);
  assert.match(
    String(connect(job, { env: { ANTHROPIC_API_KEY: "sk-claude" } })),
    /^neither the job nor this machine names a server for gpt-5.4-mini \| Start the worker with --base/,
  );
});

Deno.test("a worker uses the id of a model whose name only the batch has configured", () => {
  const job = { name: "fast", models: ["qwen3"], baseUrls: ["http://gpu1:8000/v1"] };
  const flags = { baseUrl: "http://here:8000/v1" };
  assert.deepEqual(connect(job, { flags }), { model: ["qwen3"], baseUrl: flags.baseUrl });
  assert.deepEqual(connect(job, { flags: { ...flags, model: "fast" } }), {
    model: ["qwen3"],
    baseUrl: flags.baseUrl,
  });
});

Deno.test("no key goes to a server that only the job names", () => {
  const keys = { OPENAI_API_KEY: "sk-openai", ANTHROPIC_API_KEY: "sk-claude" };
  const expected =
    /^the job's server http:\/\/gpu1:8000\/v1 is not named on this machine \| Start the worker with --base-url http:\/\/gpu1:8000\/v1/;
  assert.match(String(connect(GPU, { env: keys })), expected);
  assert.match(String(connect(GPU, { env: { FLEXLLM_API_KEY: "sk-any" } })), expected);
  assert.match(String(connect(GPU, { flags: { apiKey: "sk-any" } })), expected);
  // A key that belongs to no service does not go to the service that a job chooses, either.
  const general = { ...keys, FLEXLLM_API_KEY: "sk-any" };
  assert.match(String(connect(CLAUDE, { env: general })), /is not named on this machine/);
  for (
    const baseUrl of [
      "https://api.anthropic.com.evil.example/v1",
      "https://api.anthropic.com@evil.example/v1",
      "http://api.anthropic.com/v1",
      "https://api.anthropic.com:8443/v1",
      "https://evil.openai.azure.com/v1",
    ]
  ) {
    const job = { ...CLAUDE, baseUrls: [baseUrl] };
    assert.match(String(connect(job, { env: keys })), /is not named on this machine/, baseUrl);
  }
});

Deno.test("a known service gets its own key, or the worker says which one is missing", () => {
  assert.deepEqual(connect(CLAUDE, { env: { ANTHROPIC_API_KEY: "sk-claude" } }), {
    model: ["claude-haiku-4-5"],
    baseUrl: "https://api.anthropic.com/v1",
  });
  assert.match(
    String(connect(CLAUDE, { env: { OPENAI_API_KEY: "sk-openai" } })),
    /^there is no API key for api\.anthropic\.com on this machine \| .*ANTHROPIC_API_KEY/,
  );
});

Deno.test("a worker for another model refuses the job", () => {
  assert.match(
    String(connect(GPU, { flags: { model: "llama", baseUrl: "http://here:8000/v1" } })),
    /^the job uses qwen3, but this worker has -m llama \| /,
  );
});

Deno.test("a job for several endpoints needs endpoints with the same models", () => {
  const endpoints = (...models: string[]) =>
    `batch:\n  endpoints:\n${
      models.map((model) => `    - {model: ${model}, base_url: http://here:8000/v1}\n`).join("")
    }`;
  assert.deepEqual(connect(POOL, { config: endpoints("b") }), {
    model: undefined,
    baseUrl: undefined,
  });
  assert.match(
    String(connect(POOL, { config: endpoints("a", "c") })),
    /^the job uses a, b, but batch\.endpoints has c \| /,
  );
  assert.match(
    String(connect(POOL, {})),
    /^the job uses several models \(a, b\), and no batch\.endpo/,
  );
  // A single model that is not among the endpoints is used at the server of the model.
  const config = `${endpoints("other")}models:\n  - {id: qwen3, base_url: http://here:8000/v1}\n`;
  assert.deepEqual(connect(GPU, { config }), { model: ["qwen3"], baseUrl: undefined });
});

Deno.test("every worker has the built-in mock, but not the mock of another server", () => {
  const job = { name: "mock", models: ["mock"], baseUrls: ["http://mock.invalid/v1"] };
  assert.deepEqual(connect(job, {}), { model: ["mock"], baseUrl: undefined });
  const other = { ...job, baseUrls: ["http://127.0.0.1:8000/v1"] };
  assert.match(String(connect(other, {})), /is not named on this machine/);
});
