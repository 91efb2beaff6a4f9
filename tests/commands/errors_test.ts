/** How errors of the library are printed by the command line. */
import assert from "node:assert/strict";
import { hintLines } from "../../commands/terminal/hint_lines.ts";
import { inTermsOfFields, inTermsOfFlags } from "../../commands/errors/option_names.ts";
import { BudgetExceededError, ConfigurationError, HttpError } from "../../lib/errors.ts";

Deno.test("names of options in the library become flags", () => {
  const cases: [message: string, printed: string][] = [
    ["Gemini does not accept the option topK", "Gemini does not accept --top-k"],
    [
      "m does not accept the option thinking as a number",
      "m does not accept --thinking as a number",
    ],
    ["m does not accept the option thinking: false", "m does not accept --thinking off"],
    ["maxTokens: expected an integer ≥ 1, got 0", "--max-tokens: expected an integer ≥ 1, got 0"],
    [
      "the option toolChoice is set, but there are no tools",
      "tool_choice is set, but there are no tools",
    ],
    [
      "extraBody.n is 3, but the request already sets it",
      "--extra-body.n is 3, but the request already sets it",
    ],
    [
      "To allow it: --allow-private-urls, or attachments.allowPrivateUrls in the library.",
      "To allow it: --allow-private-urls.",
    ],
    ["no base URL: set baseUrl", "no base URL: set --base-url"],
    ["the model name is empty", "the model name is empty"],
    ["cannot read stop.yaml: stop it", "cannot read stop.yaml: stop it"],
  ];
  for (const [message, printed] of cases) {
    assert.equal(inTermsOfFlags(new ConfigurationError(message)).message, printed);
  }
});

Deno.test("a name of the library after its flag is left out", () => {
  const { hint } = inTermsOfFlags(new BudgetExceededError(1, 0.5, 0.6));
  assert.match(hint!, /or lower --max-tokens, which/);
  const error = new ConfigurationError("x", {
    hint:
      "Allow more retries (--schema-retries, schemaRetries), or use --extra-body a=1 (extraBody).",
  });
  assert.equal(
    inTermsOfFlags(error).hint,
    "Allow more retries (--schema-retries), or use --extra-body a=1.",
  );
});

Deno.test("what a server says is not changed", () => {
  const error = new HttpError("the server answered 400: maxTokens: too large", { status: 400 });
  assert.equal(inTermsOfFlags(error).message, error.message);
});

Deno.test("failures of records have the names of fields", () => {
  assert.equal(
    inTermsOfFields("Claude does not accept the option topP 0.5"),
    "Claude does not accept the option top_p 0.5",
  );
  assert.equal(inTermsOfFields("lower maxTokens or maxWait"), "lower max_tokens or max_wait");
});

Deno.test("hints are wrapped, and commands stay on one line", () => {
  const hint =
    "Name the models with -m, or choose another output file, and run `flexllm models -m a` first.";
  assert.deepEqual(hintLines(hint, undefined), [hint]);
  assert.deepEqual(hintLines(hint, 200), [hint]);
  assert.deepEqual(hintLines(hint, 60), [
    "Name the models with -m, or choose another output file, and",
    "run `flexllm models -m a` first.",
  ]);
  assert.deepEqual(
    hintLines("Specify one with -o: flexllm batch input.jsonl -o output.jsonl", 40),
    [
      "Specify one with -o:",
      "  flexllm batch input.jsonl -o output.jsonl",
    ],
  );
  assert.deepEqual(hintLines("one two three `a b c d e f`", 12), [
    "one two",
    "three",
    "`a b c d e f`",
  ]);
});
