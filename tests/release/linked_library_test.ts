/** The library used from a checkout, as docs/install.md describes it. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { ROOT } from "../support/cli.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const PROGRAM = `import { LLMClient } from "@flexllm/flexllm";
await using client = new LLMClient({ provider: "mock", model: "mock" });
const { content } = await client.chatCompletions([{ role: "user", content: "Hi" }]);
console.log(content);
`;

Deno.test("a project can use the library of a checkout with the deno.json from docs/install.md", () => {
  using folder = temporaryFolder();
  const [, settings] = /```json\n(\{\n {2}"links"[^`]*)```/.exec(
    readFileSync(`${ROOT}docs/install.md`, "utf8"),
  )!;
  folder.write("deno.json", settings.replace("../flexllm", ROOT));
  const file = folder.write("main.ts", PROGRAM);
  const args = ["run", "--quiet", "-A", "--no-lock", file];
  const shown = execFileSync(process.execPath, args, { cwd: folder.path, encoding: "utf8" });
  assert.match(shown, /^You asked: "Hi"/);
});
