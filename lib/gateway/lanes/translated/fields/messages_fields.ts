/**
 * Lists what becomes of the fields of Anthropic's Messages requests in other formats.
 *
 * Sources: Anthropic API reference, "Messages"; the types of `@anthropic-ai/sdk` 1.12; the requests of
 * Claude Code (`context_management`, `metadata.user_id`).
 *
 * @module
 */
import { droppedUnless, type FieldRules, refused } from "./field_rules.ts";

const OWN = "Use a model of Anthropic's.";

/** The rules. */
export const MESSAGES_FIELDS: FieldRules = {
  model: "carried",
  messages: "carried",
  system: "carried",
  max_tokens: "carried",
  stream: "carried",
  temperature: "carried",
  top_p: "carried",
  top_k: "carried",
  stop_sequences: "carried",
  tools: "carried",
  tool_choice: "carried",
  thinking: {
    fields: {
      type: "carried",
      budget_tokens: "carried",
      display: droppedUnless("summarized"),
    },
  },
  output_config: { fields: { effort: "carried", format: "carried" } },
  output_format: "carried",
  service_tier: droppedUnless("auto"),
  container: refused(OWN),
  mcp_servers: refused("Connect to the servers in the client, and send their tools as functions."),
  // Where data is processed is a demand, not a hint.
  inference_geo: refused(OWN),
};
