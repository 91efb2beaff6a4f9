/** Finding models by approximate names. */
import assert from "node:assert/strict";
import { findModels, similarModels } from "../../../commands/pricing/find_price.ts";

const ROWS = [
  { vendor: "Copilot", model: "gpt-5.4" },
  { vendor: "OpenAI", model: "gpt-5.4-mini" },
  { vendor: "OpenAI", model: "gpt-5.4" },
  { vendor: "OpenRouter", model: "openai/gpt-5.4" },
  { vendor: "Anthropic", model: "claude-3-sonnet" },
  { vendor: "Anthropic", model: "claude-sonnet-5" },
];

const NAMES = ROWS.map(({ model }) => model);

Deno.test("matches are grouped by vendor, best match first", () => {
  assert.deepEqual(findModels(ROWS, "GPT 5.4"), [ROWS[2], ROWS[1], ROWS[0], ROWS[3]]);
  assert.deepEqual(findModels(ROWS, "sonnet"), [ROWS[4], ROWS[5]]);
  assert.deepEqual(findModels(ROWS, "sonet"), []);
});

Deno.test("a misspelled part of a name finds similar names", () => {
  assert.deepEqual(similarModels(NAMES, "sonet", 2), ["claude-3-sonnet", "claude-sonnet-5"]);
  assert.deepEqual(similarModels(NAMES, "claude sonet 5", 1), ["claude-sonnet-5"]);
  assert.deepEqual(similarModels(NAMES, "gtp-5.4", 2), ["gpt-5.4", "gpt-5.4-mini"]);
  assert.deepEqual(similarModels([], "x", 3), []);
});
