/** The content of the bill of materials, and its validity by CycloneDX's schema. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import process from "node:process";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import { type Bill, buildBill, type ModuleGraph } from "../../scripts/sbom.ts";
import { VERSION } from "../../lib/version.ts";
import { ROOT } from "../support/cli.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);

Deno.test("the bill of materials is valid and lists exactly what the binary contains", async () => {
  using folder = temporaryFolder();
  const file = folder.file("new/bill.json");
  const script = ["run", "--quiet", "-A", "scripts/sbom.ts", file];
  execFileSync(process.execPath, script, { cwd: ROOT });
  const text = folder.read("new/bill.json");
  assert.equal(await validator.validate(text), null);
  const bill: Bill = JSON.parse(text);
  assert.equal(bill.metadata.component.version, VERSION);
  const names = bill.components.map(({ group, name }) => group ? `${group}/${name}` : name);
  for (const name of ["commander", "hono", "@clack/core", "yaml"]) assert.ok(names.includes(name));
  for (const name of ["openai", "ai", "ajv", "fast-check"]) assert.ok(!names.includes(name), name);
  for (const { hashes, licenses, purl } of bill.components) {
    assert.match(hashes[0].content, /^[0-9a-f]{128}$/);
    assert.ok(licenses?.[0].expression, `the license of ${purl}`);
  }
  const refs = new Set(bill.components.map((component) => component["bom-ref"]));
  for (const { dependsOn } of bill.dependencies) {
    for (const ref of dependsOn) assert.ok(refs.has(ref), ref);
  }
});

const INTEGRITY = `sha512-${btoa("x".repeat(64))}`;

function graphOf(packages: [id: string, ...dependencies: string[]][]): ModuleGraph {
  return {
    modules: [{ npmPackage: packages[0][0] }, {}],
    npmPackages: Object.fromEntries(packages.map(([id, ...dependencies]) => {
      const [, name, version] = /^(@?[^@]+)@([^_]+)/.exec(id)!;
      return [id, { name, version, dependencies, localPath: id }];
    })),
  };
}

Deno.test("packages that depend on each other or occur twice are listed once", async () => {
  const ids = ["@s/a@1.0.0", "b@2.0.0", "c@3.0.0_d@1.0.0", "c@3.0.0_d@2.0.0"];
  const [a, b, c, c2] = ids;
  const lock = { npm: Object.fromEntries(ids.map((id) => [id, { integrity: INTEGRITY }])) };
  const bill = buildBill(
    graphOf([[a, b, c], [b, a, c2], [c], [c2], ["z@1.0.0"]]),
    lock,
    "1.2.3",
    (folder) => folder === b ? "(MIT OR Apache-2.0)" : undefined,
  );
  assert.equal(await validator.validate(JSON.stringify(bill)), null);
  const [first] = bill.components;
  assert.deepEqual([first.group, first.name, first.purl], ["@s", "a", "pkg:npm/%40s/a@1.0.0"]);
  assert.deepEqual(bill.components.map(({ purl }) => purl).slice(1), [
    "pkg:npm/b@2.0.0",
    "pkg:npm/c@3.0.0",
  ]);
  assert.deepEqual(bill.components.map(({ licenses }) => licenses?.[0].expression), [
    undefined,
    "(MIT OR Apache-2.0)",
    undefined,
  ]);
  assert.equal(first.hashes[0].content, "78".repeat(64));
  assert.deepEqual(bill.dependencies[0], {
    ref: "flexllm@1.2.3",
    dependsOn: ["pkg:npm/%40s/a@1.0.0"],
  });
});

Deno.test("a package without a checksum is an error", () => {
  const graph = graphOf([["a@1.0.0"]]);
  assert.throws(
    () => buildBill(graph, { npm: {} }, "1", () => undefined),
    /deno\.lock has no SHA-512 checksum of a@1\.0\.0/,
  );
});
