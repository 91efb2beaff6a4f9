/**
 * Lists what becomes of the fields of Responses requests in other formats.
 *
 * Sources: OpenAI API reference, "Create a model response"; the types of the `openai` package 7.57; the
 * requests of Codex CLI (`client_metadata`).
 *
 * @module
 */
import { droppedUnless, type FieldRules, refused } from "./field_rules.ts";

const STATELESS = "Nothing is stored here: send the whole conversation as input.";

/** The rules. */
export const RESPONSES_FIELDS: FieldRules = {
  model: "carried",
  input: "carried",
  instructions: "carried",
  stream: "carried",
  temperature: "carried",
  top_p: "carried",
  max_output_tokens: "carried",
  tools: "carried",
  tool_choice: "carried",
  parallel_tool_calls: "carried",
  text: { fields: { format: "carried", verbosity: "carried" } },
  reasoning: { fields: { effort: "carried", summary: "carried", generate_summary: "carried" } },
  include: "carried",
  top_logprobs: "carried",
  previous_response_id: refused(STATELESS),
  conversation: refused(STATELESS),
  prompt: refused("Send the text of the prompt template as instructions and input."),
  background: refused("Wait for the answer, or stream it.", (value) => value === false),
  store: droppedUnless(false),
  truncation: droppedUnless("disabled"),
  service_tier: droppedUnless("auto", "default"),
};
