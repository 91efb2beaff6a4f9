/** The end-to-end tests run from source with exactly the permissions that the compiled binary has. */
import assert from "node:assert/strict";
import config from "../../deno.json" with { type: "json" };
import { commandLine, flexllm } from "../support/cli.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

/** The permission flags of a Deno command line. */
function permissionFlags(args: readonly string[]): string[] {
  return args.filter((arg) => /^(-A|-P|--permission|--allow|--deny|--no-prompt)/.test(arg)).sort();
}

Deno.test("tests and compiled binaries have the same permissions", () => {
  const compiled = permissionFlags(config.tasks.compile.split(" "));
  assert.deepEqual(compiled, ["--no-prompt", "-P=cli"]);
  const [, ...args] = commandLine();
  // A binary contains its permissions.
  if (args.length > 0) assert.deepEqual(permissionFlags(args), compiled);
});

Deno.test("a batch with cache, schema, table, prices and config has all permissions it needs", async () => {
  using folder = temporaryFolder();
  folder.write("in.csv", "text\nGood\nBad\n");
  folder.write("schema.json", '{"type":"object","properties":{"mood":{"type":"string"}}}');
  folder.write(
    "flexllm_config.yaml",
    "cache: {store: sqlite}\nmodels: [{id: mock, provider: mock}]\n",
  );
  const { code, stderr } = await flexllm([
    ...["batch", "in.csv", "-o", "out.jsonl", "-m", "mock", "--template", "{{text}}?", "--cache"],
    ...["--schema", "schema.json", "--budget", "1", "--allow-unpriced"],
  ], { cwd: folder.path });
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(stderr, /NotCapable|permission|warning/i);
});
