/**
 * Generates the commented configuration file that `flexllm init` writes.
 *
 * @module
 */
import { stringify } from "yaml";
import type { ModelEntry } from "./schema.ts";

/** The model in the template if none is given. */
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

/** The text of a new configuration file, with comments and with `model` as its default. */
export function configTemplate(model: ModelEntry = EXAMPLE): string {
  const name = stringify(model.name ?? model.id, { lineWidth: 0 }).trimEnd();
  return `# flexllm configuration. Check it after editing: flexllm config check
# Completion in editors: flexllm config schema --help

# The model to use without -m.
default: ${name}

models:
  # id: the model's name at the server; name: its name for -m.
  # provider: optional, detected from the base URL.
  # api_key: a key, or a reference to an environment variable such as \${OPENAI_API_KEY}, or to a
  # stored key such as \${keys.openai} (flexllm keys set openai).
${modelLines(model)}

  # Self-hosted servers such as Ollama or vLLM need no key:
  # - id: qwen3:8b
  #   name: local
  #   base_url: http://localhost:11434/v1

# Settings of "flexllm batch"; its flags override them.
batch:
  # Maximum concurrent requests.
  concurrency: 10
  # Maximum requests per second, and tokens per minute (input + output); unlimited by default.
  # max_qps: 5
  # max_tpm: 200000
  # Timeout per attempt, in seconds, and retries of a failed request.
  # timeout: 120
  # retry_times: 3
  # Servers that share the work:
  # load_balance: round_robin
  # endpoints:
  #   - base_url: http://gpu1:8000/v1
  #     model: qwen3
  #   - base_url: http://gpu2:8000/v1
  #     model: qwen3

# Saved prompts and roles, for --as; "flexllm template save" adds them here.
# templates:
#   translate: "Translate to {{language=French}}: {{input}}"
#   reviewer:
#     system: You review code.
#     options: { temperature: 0 }
`;
}
