/** The response cache in Redis on the command line. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { RedisConnection } from "../../lib/redis/redis_connection.ts";
import { flexllm, start } from "../support/cli.ts";
import { freePort, RedisServer, redisServer } from "../support/redis_server.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { watchedMock } from "../support/watched_mock.ts";

const options = { ignore: redisServer === undefined };
const SECRET = "sesame-0123456789";

function questions(count: number): string {
  return Array.from({ length: count }, (_, i) => `{"q":"Question ${i}"}\n`).join("");
}

Deno.test("batches and prompts of any process share the cache on the server", options, async () => {
  using folder = temporaryFolder();
  await using server = await RedisServer.start();
  await using mock = await watchedMock();
  const env = { FLEXLLM_REDIS_URL: server.url };
  const model = ["--base-url", mock.baseUrl, "-m", "m"];
  const input = folder.write("in.jsonl", questions(20));
  const batch = (name: string, ...flags: string[]) =>
    flexllm(["batch", input, "-o", folder.file(name), ...model, "--json", ...flags], { env });
  const first = await batch("one.jsonl", "--cache");
  assert.equal(first.code, 0, first.stderr);
  const second = await batch("two.jsonl", "--cache");
  assert.equal(JSON.parse(second.stdout).cached, 20, second.stderr);
  assert.equal(mock.requests.length, 20);

  const ask = () => flexllm(["ask", "Question 99", ...model, "--cache", "--json"], { env });
  const [once, again] = [await ask(), await ask()];
  assert.equal(mock.requests.length, 21, once.stderr + again.stderr);
  assert.equal(JSON.parse(again.stdout).cached, true);

  const cache = async (...args: string[]) => {
    const { code, stdout, stderr } = await flexllm(["cache", ...args, "--redis", server.url]);
    assert.equal(code, 0, stderr);
    return stdout + stderr;
  };
  const { store, path, entries, hits } = JSON.parse(await cache("info", "--json"));
  assert.deepEqual([store, path, entries, hits], ["redis", server.url, 21, 21]);
  assert.match(await cache("info"), /^redis:\/\/.* \(redis\)\n21 responses, .*, 21 hits\n/);
  assert.equal(await cache("path"), `${server.url}\n`);
  assert.match(await cache("prune", "--older-than", "1h"), /Deleted 0 cached responses/);
  assert.match(await cache("clear", "-m", "m"), /Deleted 21 cached responses/);
  assert.match(await cache("info"), /The cache is empty/);
});

Deno.test("two batches over the same records at once send most of them once", options, async () => {
  using folder = temporaryFolder();
  await using server = await RedisServer.start();
  await using mock = await watchedMock({ delay: 0.05 });
  const input = folder.write("in.jsonl", questions(200));
  const run = (name: string) =>
    flexllm([
      ...["batch", input, "-o", folder.file(name), "--base-url", mock.baseUrl, "-m", "m"],
      ...["--cache", "-c", "20", "--json"],
    ], { env: { FLEXLLM_REDIS_URL: server.url } });
  const both = await Promise.all([run("one.jsonl"), run("two.jsonl")]);
  for (const { code, stderr, stdout } of both) {
    assert.equal(code, 0, stderr);
    assert.equal(JSON.parse(stdout).succeeded, 200);
  }
  // On a machine that is so busy that an answer takes seconds, others ask as well.
  assert.ok(mock.requests.length < 300, `${mock.requests.length} requests`);
});

Deno.test(
  "a server that cannot be used: one warning, and the run continues without it",
  options,
  async () => {
    using folder = temporaryFolder();
    const input = folder.write("in.jsonl", questions(30));
    const config = folder.write(
      "c.yaml",
      "batch: {cache: true}\ncache: {path: 'redis://localhost:1'}\n",
    );
    const run = await flexllm([
      ...["batch", input, "-o", folder.file("o.jsonl"), "-m", "mock", "--config", config, "--json"],
    ]);
    assert.equal(run.code, 0, run.stderr);
    assert.equal(JSON.parse(run.stdout).succeeded, 30);
    const warnings = run.stderr.split("\n").filter((line) => line.startsWith("warning:"));
    assert.equal(warnings.length, 1, run.stderr);
    assert.match(run.stderr, /the response cache is unavailable: Redis at redis:\/\/localhost:1 /);
    // With nothing to share, nothing else would show that the URL is wrong.
    const ask = await flexllm(["ask", "Hi", "-m", "mock", "--redis", "redis://localhost:1"]);
    assert.equal(ask.code, 1, ask.stdout);
    assert.match(ask.stderr, /^error: .*redis:\/\/localhost:1 cannot be used: .*\nCheck the URL/);
    const info = await flexllm(["cache", "info", "--config", config]);
    assert.equal(info.code, 1, info.stdout);
    assert.match(
      info.stderr,
      /^error: .*redis:\/\/localhost:1.* cannot be used: .*\nCheck the URL/,
    );
  },
);

Deno.test("the password is never shown or stored", options, async () => {
  using folder = temporaryFolder();
  await using server = await RedisServer.start("--requirepass", SECRET);
  const url = `redis://:${SECRET}@127.0.0.1:${server.port}`;
  const wrong = `redis://:wrong-${SECRET}@127.0.0.1:${server.port}`;
  const literal = folder.write("literal.yaml", `redis: '${url}'\ncache: true\n`);
  const variable = folder.write("variable.yaml", "redis: 'redis://:${SECRET}@127.0.0.1:1'\n");
  const invalid = folder.write("invalid.yaml", `redis: 'redis://:${SECRET}/@x:y'\ncache: true\n`);
  for (const file of [literal, variable, invalid]) chmodSync(file, 0o600);
  const input = folder.write("in.jsonl", questions(5));
  const home = { FLEXLLM_HOME: folder.file("home"), SECRET };
  const batch = [
    "batch",
    input,
    "-o",
    folder.file("o.jsonl"),
    "-m",
    "mock",
    "--cache",
    "--verbose",
  ];
  const runs: [string[], Record<string, string>][] = [
    [[...batch], { FLEXLLM_REDIS_URL: url }],
    [[...batch, "--rerun-changed"], { FLEXLLM_REDIS_URL: wrong }],
    [["ask", "Hi", "-m", "mock", "--verbose", "--config", literal], {}],
    [["ask", "Hi", "-m", "mock", "--verbose", "--config", invalid], {}],
    [["cache", "info", "--redis", wrong, "--verbose"], {}],
    [["cache", "info", "--redis", `${url}/x`], {}],
    [["cache", "path", "--redis", url], {}],
    ...[literal, variable, invalid].flatMap((file): [string[], Record<string, string>][] => [
      [["config", "show", "--config", file], {}],
      [["config", "show", "--json", "--config", file], {}],
      [["config", "check", file], {}],
    ]),
    [["config", "show"], { FLEXLLM_REDIS_URL: url }],
  ];
  for (const [args, env] of runs) {
    const { stdout, stderr } = await flexllm(args, { env: { ...home, ...env } });
    assert.ok(!`${stdout}${stderr}`.includes(SECRET), `${args.join(" ")}: ${stdout}${stderr}`);
  }
  for (const name of readdirSync(folder.path, { recursive: true, encoding: "utf8" })) {
    if (!/^o\.jsonl/.test(name)) continue;
    assert.ok(!readFileSync(folder.file(name), "latin1").includes(SECRET), name);
  }
});

Deno.test("the command that resumes a batch has no password", options, async () => {
  using folder = temporaryFolder();
  await using server = await RedisServer.start("--requirepass", SECRET);
  const input = folder.write("in.jsonl", questions(1000));
  const url = `redis://:${SECRET}@127.0.0.1:${server.port}`;
  await using run = start([
    ...["batch", input, "-o", folder.file("o.jsonl"), "-m", "mock", "-c", "1", "--max-qps", "5"],
    ...["--redis", url],
  ]);
  while (!(readFileSafely(folder.file("o.jsonl")).length > 0)) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  run.signal("SIGINT");
  const { stderr } = await run.finished;
  assert.match(stderr, /To resume: .*--redis '?redis:\/\/…@127\.0\.0\.1/);
  assert.ok(!stderr.includes(SECRET), stderr);
});

function readFileSafely(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

Deno.test("a server that a file in the current directory names is used only with approval", async () => {
  using folder = temporaryFolder();
  using home = temporaryFolder();
  const env = { FLEXLLM_HOME: home.path };
  folder.write("flexllm_config.yaml", "redis: redis://evil.invalid\ncache: true\n");
  const run = (...args: string[]) => flexllm(args, { env, cwd: folder.path });
  for (const args of [["ask", "Hi", "-m", "mock"], ["cache", "info"]]) {
    const { code, stderr } = await run(...args);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /:1:8: prompts and answers would be sent to evil\.invalid\n/);
  }
  const shown = await run("config", "show");
  assert.match(shown.stdout, /prompts and answers would be sent to evil\.invalid/);
  const trusted = await run("config", "trust");
  assert.match(trusted.stdout + trusted.stderr, /prompts and answers may be sent to evil\.invalid/);
  const { stderr } = await run("cache", "info");
  assert.match(stderr, /evil\.invalid:6379 cannot be used: the host was not found/);
});

/** Makes a certificate authority and a certificate for this machine. */
function makeCertificates(folder: string): boolean {
  const openssl = (...args: string[]) =>
    spawnSync("openssl", args, { cwd: folder, stdio: "ignore" }).status === 0;
  const key = ["-newkey", "rsa:2048", "-nodes"];
  writeFileSync(`${folder}/ext`, "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
  return openssl(
    "req",
    "-x509",
    ...key,
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
    "-subj",
    "/CN=ca",
  ) &&
    openssl("req", ...key, "-keyout", "leaf.key", "-out", "leaf.csr", "-subj", "/CN=localhost") &&
    openssl(
      ...["x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key"],
      ...["-CAcreateserial", "-out", "leaf.pem", "-extfile", "ext"],
    );
}

Deno.test(
  "an encrypted connection, with a private certificate authority",
  options,
  async () => {
    using folder = temporaryFolder();
    // Not every machine has openssl, and not every server was built with TLS.
    if (!makeCertificates(folder.path)) return;
    await using server = await RedisServer.start(
      ...["--tls-cert-file", folder.file("leaf.pem"), "--tls-key-file", folder.file("leaf.key")],
      ...["--tls-ca-cert-file", folder.file("ca.pem"), "--tls-auth-clients", "no"],
    );
    await using redis = await RedisConnection.open(server.address());
    const tlsPort = await freePort();
    await redis.command(["CONFIG", "SET", "tls-port", tlsPort]);
    const info = (host: string, env: Record<string, string>) =>
      flexllm(["cache", "info", "--redis", `rediss://${host}:${tlsPort}`], { env });
    for (const host of ["localhost", "127.0.0.1"]) {
      const { code, stderr } = await info(host, { NODE_EXTRA_CA_CERTS: folder.file("ca.pem") });
      assert.equal(code, 0, stderr);
    }
    const untrusted = await info("localhost", {});
    assert.match(untrusted.stderr, /cannot be used: its certificate is not trusted/);
  },
);
