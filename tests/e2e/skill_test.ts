/** The skill for coding agents. The tests of the code blocks run its commands and programs. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { COMMANDS } from "../../commands/registry.ts";
import { isUnchanged } from "../../commands/skill/page.ts";
import { flexllm } from "../support/cli.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

async function skill(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await flexllm(["skill", ...args]);
  assert.deepEqual([code, stderr], [0, ""]);
  return stdout;
}

Deno.test("the skill has the front matter that agents expect, and all commands", async () => {
  const page = await skill();
  assert.equal(await skill("print"), page);
  // The limits of the format: agentskills.io/specification.
  const [, yaml, body] = /^---\n([^]*?)\n---\n\n([^]*)$/.exec(page)!;
  const { name, description, metadata } = parse(yaml);
  assert.equal(name, "flexllm");
  assert.ok(description.length > 100 && description.length <= 1024, description.length);
  assert.match(description, /Use it to/);
  assert.deepEqual(Object.keys(metadata), ["version", "digest"]);
  assert.ok(body.split("\n").length < 500);
  for (const { name, hidden } of COMMANDS) {
    assert.equal(body.includes(`- \`flexllm ${name}\`: `), !hidden, name);
  }
});

Deno.test("a change of the page is detected, but not other line endings", async () => {
  const page = await skill();
  assert.ok(isUnchanged(page));
  assert.ok(isUnchanged(page.replaceAll("\n", "\r\n")));
  assert.ok(!isUnchanged(page.replace("Requests", "Questions")));
  assert.ok(!isUnchanged(`${page}\nMy notes.\n`));
  assert.ok(!isUnchanged("# My own skill\n"));
});

Deno.test("install writes the skill to the folders that agents read", async () => {
  using project = temporaryFolder();
  using home = temporaryFolder();
  const run = (...args: string[]) =>
    flexllm(["skill", ...args], { cwd: project.path, env: { HOME: home.path } });
  const page = (await run()).stdout;
  const inProject = [".claude", ".agents"].map((agent) =>
    project.file(`${agent}/skills/flexllm/SKILL.md`)
  );
  assert.equal((await run("path")).stdout, `${inProject.join("\n")}\n`);
  const first = await run("install");
  assert.equal(first.stdout, inProject.map((file) => `${file}: created\n`).join(""));
  for (const file of inProject) assert.equal(readFileSync(file, "utf8"), page);
  assert.match((await run("install")).stdout, /(: already up to date\n.*){2}/s);

  const global = home.file(".claude/skills/flexllm/SKILL.md");
  assert.match(
    (await run("install", "--global")).stdout,
    /\.claude\/skills\/flexllm\/SKILL\.md: created/,
  );
  assert.equal(readFileSync(global, "utf8"), page);
  const other = await run("install", "--dir", "skills");
  assert.equal(other.stdout, "skills/flexllm/SKILL.md: created\n");
  assert.equal((await run("install", "--dir", "x", "--global")).code, 1);
});

Deno.test("install replaces another version, but a changed file only with --force", async () => {
  using project = temporaryFolder();
  const run = (...args: string[]) => flexllm(["skill", ...args], { cwd: project.path });
  const page = (await run()).stdout;
  const [claude, agents] = (await run("path")).stdout.trim().split("\n");
  await run("install");
  // Only the front matter names the version.
  project.write(".agents/skills/flexllm/SKILL.md", page.replace(/version: .*/, 'version: "0.0.1"'));
  assert.match((await run("install")).stdout, /agents.*: updated/);
  assert.equal(readFileSync(agents, "utf8"), page);

  const mine = `${page}\nMy notes.\n`;
  project.write(".agents/skills/flexllm/SKILL.md", mine);
  project.write(".claude/skills/flexllm/SKILL.md", page.replace(/version: .*/, 'version: "0.0.1"'));
  const { code, stdout, stderr } = await run("install");
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(stderr, /\.agents\/skills\/flexllm\/SKILL\.md\nReplace it with --force/);
  assert.equal(readFileSync(agents, "utf8"), mine);
  assert.match(readFileSync(claude, "utf8"), /version: "0\.0\.1"/);
  assert.equal((await run("install", "--force")).code, 0);
  assert.equal(readFileSync(agents, "utf8"), page);
});
