/** The pages generated from the code, and the JSON Schema of the configuration. */
import assert from "node:assert/strict";
import { Ajv } from "ajv";
import { parse } from "yaml";
import { inspectConfig } from "../../lib/config/inspect.ts";
import { configJsonSchema } from "../../lib/config/json_schema.ts";
import { configTemplate } from "../../lib/config/initial_config.ts";
import { pages, stalePages } from "../../scripts/docs.ts";

Deno.test("the generated pages are up to date", async () => {
  assert.deepEqual(await stalePages(), [], "run: deno task docs");
});

Deno.test("every command, flag and field is on the pages, and every field has a description", async () => {
  const all = await pages();
  for (const wanted of ["## flexllm batch", "### flexllm config check", "--max-qps <number>"]) {
    assert.ok(all["docs/cli.md"].includes(wanted), wanted);
  }
  const [fields] = all["docs/configuration.md"].split("## Environment");
  const rows = fields.split("\n").filter((line) => /^\| `/.test(line));
  assert.ok(rows.length > 50);
  for (const row of rows) assert.match(row, /^\| `\w+` \| [^|]{4,} \| [A-Z][^|]+\. \|$/);
});

Deno.test("the JSON Schema accepts and rejects the same configurations as flexllm", () => {
  const validate = new Ajv({ strict: false }).compile(configJsonSchema());
  const files: [string, boolean][] = [
    [configTemplate(), true],
    ["models: [{id: a, api_key: $KEY}]\nbatch: {concurrency: 5, thinking: high}\n", true],
    ["cache: true\ntemplates: {sum: 'Sum up: {{input}}'}\n", true],
    ["models: [{name: no id}]\n", false],
    ["batch: {concurrency: none}\n", false],
    ["modles: []\n", false],
    ["batch: {endpoints: []}\n", false],
  ];
  for (const [text, isRight] of files) {
    assert.equal(validate(parse(text)), isRight, text);
    const { problems } = inspectConfig("c.yaml", text);
    assert.equal(problems.length === 0, isRight, `${text}${JSON.stringify(problems)}`);
  }
});
