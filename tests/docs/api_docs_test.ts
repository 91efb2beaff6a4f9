/** The doc comments of the public API: every entry point has an example, and every example compiles. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { promisify } from "node:util";
import { ROOT } from "../support/cli.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const run = promisify(execFile);

/** Functions and classes that are not entry points: users only get or check them. */
const EXEMPT = ["isFunctionTool"];
/** Members that the language calls, and members that speak for themselves. */
const EXEMPT_MEMBERS = /^(\[|constructor$|events$|abort$|finalResult$|toReadableStream$)/;

interface JsDoc {
  doc?: string;
  tags?: { kind: string; doc?: string }[];
}

interface Declaration {
  kind: string;
  jsDoc?: JsDoc;
  def?: { methods?: { name: string; jsDoc?: JsDoc }[] };
}

/** All documented parts of the API, by name. */
async function apiDocs(): Promise<Map<string, { kind: string; jsDoc: JsDoc }>> {
  const args = ["doc", "--json", `${ROOT}mod.ts`];
  const { stdout } = await run(process.execPath, args, { maxBuffer: 1e8 });
  const [{ module_doc, symbols }] = Object.values(JSON.parse(stdout).nodes) as {
    module_doc: JsDoc;
    symbols: { name: string; declarations: Declaration[] }[];
  }[];
  const docs = new Map([["mod.ts", { kind: "module", jsDoc: module_doc }]]);
  for (const { name, declarations } of symbols) {
    for (const { kind, jsDoc = {}, def } of declarations) {
      docs.set(name, { kind, jsDoc });
      for (const method of def?.methods ?? []) {
        docs.set(`${name}.${method.name}`, { kind: "method", jsDoc: method.jsDoc ?? {} });
      }
    }
  }
  return docs;
}

function examplesOf({ doc = "", tags = [] }: JsDoc): string[] {
  const text = [doc, ...tags.map(({ doc = "" }) => doc)].join("\n");
  return Array.from(text.matchAll(/^```ts\n([\s\S]*?)^```/gm), ([, code]) => code);
}

const docs = await apiDocs();

Deno.test("every entry point of the API has an example", () => {
  const missing: string[] = [];
  for (const [name, { kind, jsDoc }] of docs) {
    const [owner, member] = name.split(".");
    const isError = owner.endsWith("Error");
    const isMethod = kind === "method" && owner === "LLMClient" && !EXEMPT_MEMBERS.test(member);
    const isEntry = (kind === "function" || kind === "class") && !isError || isMethod;
    if (isEntry && !EXEMPT.includes(name) && examplesOf(jsDoc).length === 0) missing.push(name);
  }
  assert.deepEqual(missing, []);
});

Deno.test("the examples in doc comments compile", async () => {
  using folder = temporaryFolder();
  const config = JSON.parse(readFileSync(`${ROOT}deno.json`, "utf8"));
  config.imports["@flexllm/flexllm"] = `${ROOT}mod.ts`;
  // An example may leave a result unused.
  config.compilerOptions.noUnusedLocals = false;
  folder.write("deno.json", JSON.stringify(config));
  const files: string[] = [];
  for (const [name, { jsDoc }] of docs) {
    for (const [i, code] of examplesOf(jsDoc).entries()) {
      const file = `${name.replace(/\W/g, "_")}_${i}.ts`;
      files.push(folder.write(file, code));
    }
  }
  assert.ok(files.length > 10);
  const args = ["check", "--quiet", "--no-lock", ...files];
  await run(process.execPath, args, { cwd: folder.path }).catch(({ stderr }) =>
    assert.fail(stderr)
  );
});

Deno.test("no doc comment says only that something is the name of a class", () => {
  const vague = [...docs].filter(([, { jsDoc }]) =>
    /^The name of the class\.?$/.test(jsDoc.doc ?? "")
  );
  assert.deepEqual(vague, []);
});
