/**
 * Anthropic's list of models.
 *
 * Source: Anthropic API reference, "Models", and the types of `@anthropic-ai/sdk` 1.12 (`ModelInfo`).
 *
 * @module
 */

const YES = { supported: true };
const NO = { supported: false };

/** A mock can do everything but run code. */
const CAPABILITIES = {
  batch: NO,
  citations: YES,
  code_execution: NO,
  context_management: {
    supported: false,
    clear_thinking_20251015: null,
    clear_tool_uses_20250919: null,
    compact_20260112: null,
  },
  effort: { supported: true, low: YES, medium: YES, high: YES, xhigh: YES, max: YES },
  image_input: YES,
  pdf_input: YES,
  server_tools: { supported: false, code_execution: NO, web_search: NO },
  structured_outputs: YES,
  thinking: {
    supported: true,
    types: { adaptive: YES, enabled: YES, disabled: YES, between_tools: YES },
  },
};

const LINE = /claude-(haiku|sonnet|opus|fable|mythos)/;

/** One model. */
export function anthropicModel(id: string) {
  return {
    type: "model",
    id,
    display_name: id,
    created_at: "2026-01-01T00:00:00Z",
    lifecycle: "active",
    line: LINE.exec(id)?.[1] ?? null,
    capabilities: CAPABILITIES,
    max_input_tokens: 1_000_000,
    max_tokens: 128_000,
    deprecated_at: null,
    retires_at: null,
  };
}

/** The list of models. */
export function anthropicModels(ids: readonly string[]) {
  return {
    data: ids.map(anthropicModel),
    has_more: false,
    first_id: ids[0] ?? null,
    last_id: ids.at(-1) ?? null,
  };
}
