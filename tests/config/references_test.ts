/** References to environment variables, and lookup of models, in a configuration. */
import assert from "node:assert/strict";
import { findModel, modelId, modelNames } from "../../lib/config/models.ts";
import { expandReferences, soleVariable, variablesIn } from "../../lib/config/references.ts";

Deno.test("references are found and expanded", () => {
  const text = "https://${HOST}/v1/${PATH_PART}";
  assert.deepEqual(variablesIn(text), ["HOST", "PATH_PART"]);
  assert.equal(expandReferences(text, { HOST: "h", PATH_PART: "" }), "https://h/v1/");
  assert.equal(
    expandReferences(text, { HOST: "h" }, { onUnset: (name) => `no ${name}` }),
    "https://h/v1/no PATH_PART",
  );
  // A value that looks like a reference is not expanded again.
  assert.equal(expandReferences("${A}", { A: "${B}", B: "b" }), "${B}");
  assert.deepEqual([variablesIn(undefined), variablesIn("$HOME {x}")], [[], []]);
});

Deno.test("soleVariable() matches a single reference only", () => {
  const texts = ["${KEY}", "Bearer ${KEY}", "${A}${B}", "KEY", undefined];
  assert.deepEqual(texts.map(soleVariable), ["KEY", undefined, undefined, undefined, undefined]);
});

Deno.test("findModel() prefers names over ids", () => {
  const value = { models: [{ id: "b", name: "a" }, { id: "a", name: "b" }, { id: "c" }] };
  assert.deepEqual(modelNames(value), ["a", "b", "c"]);
  assert.equal(findModel(value, "a")?.[1], 0);
  assert.equal(findModel(value, "c")?.[1], 2);
  assert.equal(findModel({}, "a"), undefined);
  assert.deepEqual(["a", "b", "x"].map((name) => modelId(value, name)), ["b", "a", "x"]);
});
