/** The response cache on the command line. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { flexllm } from "../support/cli.ts";
import { jsonLines, temporaryFolder } from "../support/temporary_folder.ts";
import { watchedMock } from "../support/watched_mock.ts";

function questions(count: number): string {
  return Array.from({ length: count }, (_, i) => `{"q":"Question ${i}"}\n`).join("");
}

Deno.test("--cache avoids repeated requests across result files, and reports it", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock();
  const input = folder.write("in.jsonl", questions(20));
  const run = (name: string, ...flags: string[]) =>
    flexllm([
      ...["batch", input, "-o", folder.file(name), "--base-url", mock.baseUrl, "-m", "m"],
      ...["--json", ...flags],
    ], { env: { FLEXLLM_HOME: folder.file("home") } });
  assert.equal((await run("one.jsonl", "--cache")).code, 0);
  const second = await run("two.jsonl", "--cache");
  assert.equal(mock.requests.length, 20);
  assert.equal(JSON.parse(second.stdout).cached, 20);
  assert.match(second.stderr, /20 cached/);
  const records = jsonLines(folder.read("two.jsonl"));
  assert.ok(records.every(({ cached, cost }) => cached === true && cost === 0));
  assert.deepEqual(
    records.map(({ output }) => output),
    jsonLines(folder.read("one.jsonl")).map(({ output }) => output),
  );
  await run("three.jsonl");
  assert.equal(mock.requests.length, 40, "without the flag nothing is taken from it");
});

Deno.test("the configuration enables the cache for batch and ask; flags override it", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock();
  const input = folder.write("in.jsonl", questions(5));
  const env = { FLEXLLM_HOME: folder.file("home") };
  const server = `default: m\nmodels: [{id: m, base_url: "${mock.baseUrl}"}]\n`;
  const config = folder.write("c.yaml", `${server}batch: {cache: true, cache_ttl: 3600}\n`);
  const run = (name: string, ...flags: string[]) =>
    flexllm(["batch", input, "-o", folder.file(name), "--config", config, ...flags], { env });
  await run("one.jsonl");
  await run("two.jsonl");
  assert.equal(mock.requests.length, 5);
  await run("three.jsonl", "--no-cache");
  assert.equal(mock.requests.length, 10);

  const all = folder.write("all.yaml", `${server}cache: {namespace: mine}\n`);
  const ask = () => flexllm(["ask", "Hello?", "--config", all, "--json"], { env });
  const [first, second] = [await ask(), await ask()];
  assert.equal(mock.requests.length, 11, first.stderr + second.stderr);
  assert.equal(JSON.parse(second.stdout).content, JSON.parse(first.stdout).content);
  assert.deepEqual([first, second].map(({ stdout }) => JSON.parse(stdout).cached), [false, true]);
  const useless = await run("four.jsonl", "--no-cache", "--cache-ttl", "5");
  assert.equal(useless.code, 1);
  assert.match(useless.stderr, /--cache-ttl requires the cache, which is off\nAdd --cache/);
});

Deno.test("cache info, path, clear and prune", async () => {
  using folder = temporaryFolder();
  const env = { FLEXLLM_HOME: folder.file("home") };
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await flexllm(["cache", ...args], { env });
    assert.equal(code, 0, stderr);
    return stdout + stderr;
  };
  assert.match(await run("info"), /The cache is empty/);
  const path = (await run("path")).trim();
  assert.equal(existsSync(path), false, "reading creates no file");
  const input = folder.write("in.jsonl", questions(7));
  for (const name of ["a", "b"]) {
    await flexllm(["batch", input, "-o", folder.file(`${name}.jsonl`), "-m", "mock", "--cache"], {
      env,
    });
  }
  assert.equal(existsSync(path), true);
  const info = JSON.parse(await run("info", "--json"));
  assert.deepEqual([info.entries, info.hits, info.models[0].model], [7, 7, "mock"]);
  assert.equal(info.path, path);
  assert.match(await run("info"), /7 responses, .* 7 hits\nwritten between 20/);
  assert.deepEqual(JSON.parse(await run("prune", "--json")), { removed: 0 });
  assert.deepEqual(JSON.parse(await run("clear", "-m", "other", "--json")), { removed: 0 });
  assert.match(
    await run("clear", "-m", "other"),
    /No cached responses from other \(cached models: mock\)\./,
  );
  const config = folder.write("c.yaml", "models: [{id: mock, name: mine, provider: mock}]\n");
  assert.match(
    await run("clear", "-m", "mine", "--config", config),
    /Deleted 7 cached responses\./,
  );
  assert.match(await run("info"), /^The cache is empty\.\n$/);
  const memory = folder.write("memory.yaml", "cache: {store: memory, path: x}\n");
  assert.match(
    await run("info", "--config", memory),
    /^The cache is in memory.*\nwarning: .*memory\.yaml:1:30: an in-memory cache has no path/,
  );
  assert.equal(JSON.parse(await run("info", "--json")).entries, 0);
  const wrong = await flexllm(["cache", "clean"], { env });
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /unknown command 'clean'[\s\S]*clear/);
});

Deno.test("ask --cache repeats no request, and --no-cache overrides the configuration", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock();
  const env = { FLEXLLM_HOME: folder.file("home") };
  const config = folder.write("c.yaml", "cache: true\n");
  const ask = async (...flags: string[]) => {
    const args = ["ask", "Hi", "--base-url", mock.baseUrl, "-m", "m", "--json", ...flags];
    const { stdout, stderr } = await flexllm(args, { env });
    assert.notEqual(stdout, "", stderr);
    return JSON.parse(stdout).cached;
  };
  assert.deepEqual([await ask("--cache"), await ask("--cache"), await ask()], [false, true, false]);
  assert.equal(await ask("--config", config, "--no-cache"), false);
  assert.equal(await ask("--config", config), true);
  assert.equal(mock.requests.length, 3);
  const args = ["ask", "Hi", "--base-url", mock.baseUrl, "-m", "m", "--cache", "--verbose"];
  assert.match((await flexllm(args, { env })).stderr, / out, from the cache, stop\n$/);
});
