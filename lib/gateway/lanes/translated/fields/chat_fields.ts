/**
 * Lists what becomes of the fields of Chat Completions requests in other formats.
 *
 * Sources: OpenAI API reference, "Create chat completion"; vLLM, "OpenAI-Compatible Server" (extra fields).
 *
 * @module
 */
import { droppedUnless, type FieldRules, refused } from "./field_rules.ts";

const NATIVE = "Use a model whose provider speaks Chat Completions.";
const ONE_ANSWER = "Send the request several times instead.";
const GUIDED = "Use response_format with a json_schema.";

function isTextOnly(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => item === "text");
}

/** The rules. */
export const CHAT_FIELDS: FieldRules = {
  model: "carried",
  messages: "carried",
  stream: "carried",
  stream_options: { fields: { include_usage: "carried" } },
  temperature: "carried",
  top_p: "carried",
  top_k: "carried",
  max_tokens: "carried",
  max_completion_tokens: "carried",
  stop: "carried",
  seed: "carried",
  random_seed: "carried",
  presence_penalty: "carried",
  frequency_penalty: "carried",
  tools: "carried",
  tool_choice: "carried",
  parallel_tool_calls: "carried",
  functions: "carried",
  function_call: "carried",
  response_format: "carried",
  reasoning_effort: "carried",
  reasoning: {
    fields: { enabled: "carried", effort: "carried", max_tokens: "carried", exclude: "dropped" },
  },
  thinking: { fields: { type: "carried" } },
  enable_thinking: "carried",
  thinking_budget: "carried",
  chat_template_kwargs: { fields: { enable_thinking: "carried", thinking: "carried" } },
  verbosity: "carried",
  logprobs: "carried",
  top_logprobs: "carried",
  n: refused(ONE_ANSWER, (value) => value === 1),
  best_of: refused(ONE_ANSWER, (value) => value === 1),
  audio: refused(NATIVE),
  modalities: refused(NATIVE, isTextOnly),
  prediction: refused(NATIVE),
  logit_bias: refused("Token ids differ from model to model."),
  guided_json: refused(GUIDED),
  guided_regex: refused(GUIDED),
  guided_choice: refused(GUIDED),
  guided_grammar: refused(GUIDED),
  structured_outputs: refused(GUIDED),
  grammar: refused(GUIDED),
  store: droppedUnless(false),
  service_tier: droppedUnless("auto", "default"),
};
