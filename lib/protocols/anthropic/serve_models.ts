/**
 * Encodes Anthropic's model list.
 *
 * Source: Anthropic API reference, "Models", and the types of `@anthropic-ai/sdk` 1.12 (`ModelInfo`).
 *
 * @module
 */
import { pageOf } from "../model_pages.ts";
import type { ServedModel } from "../serve.ts";

const YES = { supported: true };
const NO = { supported: false };

/** Everything that the Messages API offers here; there are no batches and no server tools. */
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

/** Encodes one model. */
export function encodeModel({ id, displayName, contextWindow, maxOutputTokens }: ServedModel) {
  return {
    type: "model",
    id,
    display_name: displayName ?? id,
    created_at: "2026-01-01T00:00:00Z",
    lifecycle: "active",
    line: LINE.exec(id)?.[1] ?? null,
    capabilities: CAPABILITIES,
    max_input_tokens: contextWindow ?? null,
    max_tokens: maxOutputTokens ?? null,
    deprecated_at: null,
    retires_at: null,
  };
}

const PAGE = { size: "limit", after: "after_id", before: "before_id" };

/** Encodes a page of the model list. */
export function encodeModels(all: readonly ServedModel[], query?: URLSearchParams) {
  const { models, hasMore } = pageOf(all, query, PAGE);
  return {
    data: models.map(encodeModel),
    has_more: hasMore,
    first_id: models[0]?.id ?? null,
    last_id: models.at(-1)?.id ?? null,
  };
}
