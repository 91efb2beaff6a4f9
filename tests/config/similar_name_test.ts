/** Suggestions for misspelled names. */
import assert from "node:assert/strict";
import { similarName } from "../../lib/similar_name.ts";

Deno.test("a name is similar if at most a third of it differs", () => {
  const known = ["ask", "copy", "temperature", "claude-haiku-4-5"];
  assert.equal(similarName("temprature", known), "temperature");
  assert.equal(similarName("claude-haiku-45", known), "claude-haiku-4-5");
  assert.equal(similarName("cpoy", known), "copy");
  assert.equal(similarName("aks", known), undefined);
  assert.equal(similarName("weather", known), undefined);
  assert.equal(similarName("ask", []), undefined);
});
