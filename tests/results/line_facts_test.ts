/** Numbers that no batch writes count as absent. */
import assert from "node:assert/strict";
import { LineFacts } from "../../lib/results/line_facts.ts";

Deno.test("numbers that are negative, infinite or too large count as absent", () => {
  const numbers = [
    ...["latency", "queued", "firstToken", "cost", "spentBefore", "attempts", "at"] as const,
    ...["promptTokens", "completionTokens", "cachedTokens", "reasoningTokens"] as const,
  ] as const;
  for (const value of [-1, Infinity, 1e300, NaN]) {
    const facts = new LineFacts();
    for (const name of numbers) facts[name] = value;
    facts.checkRanges();
    for (const name of numbers) assert(Number.isNaN(facts[name]), `${name}: ${value}`);
  }
  const facts = new LineFacts();
  for (const name of numbers) facts[name] = 0;
  facts.checkRanges();
  for (const name of numbers) assert.equal(facts[name], 0, name);
});
