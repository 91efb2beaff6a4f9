/**
 * The configuration file that `flexllm init` begins with.
 *
 * @module
 */
import { stringify } from "yaml";
import type { ModelEntry } from "./schema.ts";

/** The model of the template when none is known yet. */
const EXAMPLE: ModelEntry = {
  id: "gpt-5.4-mini",
  name: "gpt-5.4-mini",
  provider: "openai",
  base_url: "https://api.openai.com/v1",
  api_key: "${OPENAI_API_KEY}",
};

function modelLines(model: ModelEntry): string {
  const lines = stringify([model], { lineWidth: 0 }).trimEnd().split("\n");
  return lines.map((line) => `  ${line}`).join("\n");
}

/** The text of a new configuration file with `model` as its default, explained by comments. */
export function configTemplate(model: ModelEntry = EXAMPLE): string {
  const name = stringify(model.name ?? model.id, { lineWidth: 0 }).trimEnd();
  return `# The configuration of flexllm. After a change: flexllm config check
# Completion in editors: flexllm config schema --help

# The model that is asked when none is named with -m.
default: ${name}

models:
  # id: the model's name at the server; name: what -m calls it.
  # provider may be left out: the base URL tells it.
  # api_key: a key, or a reference to a variable of the environment as \${OPENAI_API_KEY}.
${modelLines(model)}

  # A server of your own, such as Ollama or vLLM, needs no key:
  # - id: qwen3:8b
  #   name: local
  #   base_url: http://localhost:11434/v1

# How "flexllm batch" works; its flags win over these.
batch:
  # The most requests in flight.
  concurrency: 10
  # The most requests begun a second, and tokens a minute; no limit by default.
  # max_qps: 5
  # max_tpm: 200000
  # Seconds for one try, and how often a failed one is repeated.
  # timeout: 120
  # retry_times: 3
  # Several servers that share the work:
  # load_balance: round_robin
  # endpoints:
  #   - base_url: http://gpu1:8000/v1
  #     model: qwen3
  #   - base_url: http://gpu2:8000/v1
  #     model: qwen3
`;
}
