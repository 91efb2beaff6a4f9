/** A summary stays readable whatever names servers report. */
import assert from "node:assert/strict";
import { nameText, summaryLines } from "../../../commands/results/count_lines.ts";
import { LineFacts } from "../../../lib/results/line_facts.ts";
import { ResultSummary } from "../../../lib/results/summary.ts";

Deno.test("names are cut, and printed without control characters", () => {
  assert.equal(nameText("gpt-5.4-mini"), "gpt-5.4-mini");
  assert.equal(nameText("x".repeat(1_000_000)), `${"x".repeat(100)}…`);
  assert.equal(nameText("\x1b[31mred\x1b[0m\n"), "red");
});

Deno.test("of many models, errors and finish reasons, the first ones are listed", () => {
  const summary = new ResultSummary();
  for (let i = 0; i < 300; i++) {
    const facts = new LineFacts();
    facts.requestedModel = facts.model = `model-${i}`;
    facts.succeeded = i % 2 === 0;
    facts.finishReason = `reason-${i}`;
    facts.errorCode = `code-${i}`;
    summary.add(facts);
  }
  const text = summaryLines(summary, "flexllm results out.jsonl --failed").join("\n");
  assert(text.split("\n").length < 80);
  assert.match(text, /and 280 more; use --json/);
  assert.match(text, /and 130 more; use --json/);
  assert.match(text, /and 130 more reasons/);
});
