/** What lies in the folder that somebody happens to be in must not run, nor change where keys go. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { commandEnv, commandLine, flexllm } from "../support/cli.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

Deno.test("files that runtimes read by themselves change nothing", async () => {
  using folder = temporaryFolder();
  folder.write(".env", "FLEXLLM_BASE_URL=http://evil.invalid/v1\nFLEXLLM_MODEL=evil\n");
  folder.write("evil.ts", 'await import("node:fs").then((fs) => fs.writeFileSync("ran", ""));\n');
  folder.write("bunfig.toml", 'preload = ["./evil.ts"]\n');
  folder.write("deno.json", '{"imports": {"commander": "./evil.ts"}, "preload": ["./evil.ts"]}\n');
  folder.write("package.json", '{"imports": {"#x": "./evil.ts"}, "type": "commonjs"}\n');
  folder.write("tsconfig.json", '{"compilerOptions": {"paths": {"*": ["./evil.ts"]}}}\n');
  const { code, stdout, stderr } = await flexllm(
    ["ask", "Hello there", "-m", "mock", "--verbose"],
    {
      cwd: folder.path,
    },
  );
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^You asked: "Hello there"/);
  const models = await flexllm(["config", "show", "--json"], { cwd: folder.path });
  assert.ok(!`${models.stdout}${models.stderr}${stderr}`.includes("evil"), models.stdout);
  assert.ok(!existsSync(folder.file("ran")));
});

Deno.test("without HOME the system knows the home folder", () => {
  using folder = temporaryFolder();
  const [command, ...first] = commandLine();
  const { status, stdout, stderr } = spawnSync(command, [...first, "config", "path"], {
    cwd: folder.path,
    env: commandEnv(),
    encoding: "utf8",
  });
  // There may be a configuration in the home of whoever runs the tests.
  assert.match(
    `${status} ${stdout}${stderr}`,
    /^0 .*config\.\w+\n$|^1 [^]*\.flexllm\/config\.yaml/,
  );
  assert.ok(!stderr.includes("unexpected"), stderr);
});
