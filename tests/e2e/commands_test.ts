import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { commandLine, flexllm, ROOT, start } from "../support/cli.ts";

const { version } = JSON.parse(readFileSync(`${ROOT}deno.json`, "utf8"));

Deno.test("version and --version print the version", async () => {
  assert.equal((await flexllm(["version"])).stdout, `flexllm ${version}\n`);
  assert.equal((await flexllm(["--version"])).stdout, `${version}\n`);
  const { runtime } = JSON.parse((await flexllm(["version", "--json"])).stdout);
  assert.match(runtime, /^(deno|bun) \d/);
});

/** A module in the output of `deno info --json`. */
interface InfoModule {
  specifier: string;
  dependencies?: { specifier: string; code?: { specifier: string }; isDynamic?: boolean }[];
}

let modules: InfoModule[] | undefined;

/** All modules that `main.ts` can load. Deno lists them once. */
function allModules(): InfoModule[] {
  return modules ??= JSON.parse(
    execFileSync(process.execPath, ["info", "--json", "main.ts"], {
      cwd: ROOT,
      encoding: "utf8",
      maxBuffer: 1e8,
    }),
  ).modules as InfoModule[];
}

/** The static imports of `files`: paths of our own modules, and names of packages. */
function loadedWith(files: readonly string[]): string[] {
  const loaded = new Set(files.map((file) => new URL(file, `file://${ROOT}`).href));
  for (const url of loaded) {
    const { dependencies = [] } = allModules().find(({ specifier }) => specifier === url) ?? {};
    for (const { specifier, code, isDynamic } of dependencies) {
      if (!isDynamic && code !== undefined) {
        loaded.add(code.specifier.startsWith("file:") ? code.specifier : specifier);
      }
    }
  }
  return [...loaded].map((url) => url.replace(`file://${ROOT}`, "")).sort();
}

Deno.test("version and help load only the modules they need", () => {
  const version = loadedWith(["main.ts", "commands/print_version.ts"]);
  const packages = (names: string[]) => names.filter((name) => !/^node:|\.(ts|json)$/.test(name));
  const own = (names: string[]) => names.filter((name) => name.endsWith(".ts"));
  assert.deepEqual(packages(version), []);
  const builtin = version.filter((name) => name.startsWith("node:"));
  assert.deepEqual(builtin, ["node:buffer", "node:fs", "node:process", "node:util"]);
  assert.deepEqual(own(version), [
    "commands/exit_codes.ts",
    "commands/hangup.ts",
    "commands/print_version.ts",
    "commands/terminal/output.ts",
    "commands/terminal/sanitize.ts",
    "lib/errors.ts",
    "lib/files/reasons.ts",
    "lib/flexllm_error.ts",
    "lib/http_errors.ts",
    "lib/runtime/globals.ts",
    "lib/runtime/runtime.ts",
    "lib/version.ts",
    "main.ts",
  ]);
  const help = loadedWith(["main.ts", "commands/program.ts"]);
  assert.deepEqual(packages(help), ["@commander-js/extra-typings"]);
  assert.deepEqual(own(help).filter((name) => !version.includes(name)), [
    "commands/command_entry.ts",
    "commands/default_command.ts",
    "commands/flags/shared_options.ts",
    "commands/program.ts",
    "commands/registry.ts",
  ]);
});

Deno.test("flags and help of a command load neither the configuration nor the client", () => {
  for (
    const name of [
      "ask/ask",
      "batch/batch",
      "chat/chat",
      "logs/logs",
      "keys/keys",
      "template/template",
    ]
  ) {
    const loaded = loadedWith([`commands/${name}.ts`]);
    const heavy = loaded.filter((path) =>
      /^(?:lib\/(?:config|client|transport)\/(?!defaults)|valibot|yaml|jsonc-parser)/.test(path)
    );
    assert.deepEqual(heavy, [], name);
  }
});

Deno.test("without a Redis server, its client is not loaded", () => {
  const files = [
    "mod.ts",
    "commands/batch/batch.ts",
    "commands/cache.ts",
    "commands/serve/serve.ts",
  ];
  const isClient = ({ specifier }: { specifier: string }) => specifier === "ioredis";
  const importing = allModules().filter(({ dependencies = [] }) =>
    dependencies.some((each) => isClient(each) && each.code !== undefined)
  );
  assert.deepEqual(
    importing.map(({ specifier }) => specifier.replace(`file://${ROOT}`, "")),
    ["lib/redis/redis_client.ts"],
  );
  assert.ok(!loadedWith([...files, "lib/redis/redis_connection.ts"]).includes("ioredis"));
});

Deno.test("flexllm without arguments shows next steps, depending on the configuration", async () => {
  const first = await flexllm([]);
  assert.deepEqual([first.code, first.stderr], [0, ""]);
  assert.match(first.stdout, /Get started:\n\n {2}flexllm init .*\n.*-m mock /);
  const later = await flexllm([], { env: { FLEXLLM_CONFIG: "mine.yaml" } });
  for (const { stdout } of [first, later]) {
    assert.deepEqual(stdout.split("\n").filter((line) => line.length > 80), []);
  }
  assert.match(later.stdout, /For example:\n\n {2}flexllm test /);
  assert.equal((await flexllm(["help"])).stdout, (await flexllm(["--help"])).stdout);
});

Deno.test("unknown commands and wrong flags get a suggestion and exit code 1", async () => {
  const cases: [string[], RegExp][] = [
    [
      ["bacth"],
      /unknown command "bacth"\nDid you mean batch\? To send it as a prompt: .* ask bacth/,
    ],
    [["bacth", "in.jsonl", "-o", "o.jsonl"], /Did you mean batch\?/],
    [["goodbye"], /unknown command "goodbye"\nTo send it as a prompt: flexllm ask goodbye/],
    [["goodbye", "-m", "mock"], /as a prompt: flexllm ask goodbye -m mock/],
    [["问题.jsonl"], /unknown command "问题\.jsonl"/],
    [["--no-color", "List", "three", "rivers"], /Did you mean list\?/],
    [["ask", "x", "--modle", "m"], /unknown option '--modle'\n\(Did you mean --model\?\)/],
    [["ask", "x", "-t", "hot"], /argument 'hot' is invalid\. Expected a number from 0 to 2/],
    [["ask", "x", "--timeout", "120000"], /Expected at most one day; .* not milliseconds/],
    [["ask", "x", "--timeout", "0"], /Expected seconds > 0, or a duration such as 30s, 5m/],
    [["cache", "prune", "--older-than", "old"], /\nSee 'flexllm cache prune --help'\./],
    [["mock", "-p"], /argument missing\nSee 'flexllm mock --help'\./],
    [["help", "bacth"], /unknown command "bacth"\n`flexllm --help` lists all commands/],
    [["chat", "Good", "day"], /but got 2.*\nQuote the prompt if it contains spaces\.\n/],
    [["config", "shwo"], /unknown command "shwo"\nDid you mean flexllm config show\?/],
    [["keys", "rm", "openai"], /unknown command "rm"\n`flexllm keys --help` lists its commands/],
    [["list", "this"], /but got 1: this\.\nSee 'flexllm list --help'\./],
  ];
  for (const [args, pattern] of cases) {
    const { code, stdout, stderr } = await flexllm(args);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, pattern);
  }
});

Deno.test("a command line without a command is a prompt", async () => {
  const prompts: [string[], string][] = [
    [["What is Python?", "-m", "mock"], "What is Python?"],
    [["What", "is", "Python?", "-m", "mock"], "What is Python?"],
    [["-m", "mock", "hi"], "hi"],
    [["天为什么是蓝的？", "-m", "mock"], "天为什么是蓝的？"],
    [["空はなぜ青いの", "-m", "mock"], "空はなぜ青いの"],
    [["--no-color", "-m", "mock", "Good", "morning"], "Good morning"],
    [["-m", "mock", "--", "batch"], "batch"],
    [["ask", "Name", "three", "rivers", "-m", "mock"], "Name three rivers"],
  ];
  for (const [args, prompt] of prompts) {
    const { code, stdout, stderr } = await flexllm(args);
    assert.deepEqual([code, stderr], [0, ""], args.join(" "));
    assert.ok(stdout.startsWith(`You asked: "${prompt}"`), stdout);
  }
});

Deno.test("mock picks a free port, prints it, answers, and stops at Ctrl-C", async () => {
  await using running = start(["mock", "-p", "0", "-m", "a", "b", "-l", "30", "--seed", "5"]);
  while (!running.stdout().includes("\n")) await new Promise((resolve) => setTimeout(resolve, 5));
  const baseUrl = running.stdout().match(/listening on (http:\/\/127\.0\.0\.1:\d+\/v1)\n/)![1];
  const models = await (await fetch(`${baseUrl}/models`)).json();
  assert.deepEqual(models.data.map(({ id }: { id: string }) => id), ["a", "b"]);
  const asked = await flexllm(["ask", "hi", "-m", "a", "--base-url", baseUrl]);
  assert.equal(asked.stdout.length, 31);

  const port = new URL(baseUrl).port;
  const taken = await flexllm(["mock", "-p", port]);
  assert.equal(taken.code, 1);
  assert.match(
    taken.stderr,
    new RegExp(`error: 127\\.0\\.0\\.1:${port} is in use by another program\nChoose another port`),
  );

  running.signal("SIGINT");
  assert.equal((await running.finished).code, 0);
});

Deno.test("mock rejects an invalid request, unless it is lenient", async () => {
  for (const [flags, expected] of [[[], 400], [["--lenient"], 200]] as const) {
    await using running = start(["mock", "-p", "0", ...flags]);
    while (!running.stdout().includes("\n")) await new Promise((resolve) => setTimeout(resolve, 5));
    const baseUrl = running.stdout().match(/http:\S+/)![0];
    const body = JSON.stringify({ model: "m", messages: [{ role: "robot", content: "Hi" }] });
    const response = await fetch(`${baseUrl}/chat/completions`, { method: "POST", body });
    await response.body?.cancel();
    assert.equal(response.status, expected);
    running.signal("SIGINT");
    assert.equal((await running.finished).code, 0);
  }
});

Deno.test("mock rejects invalid ranges and addresses", async () => {
  const cases: [string[], RegExp][] = [
    [
      ["-d", "5-1"],
      /'5-1' is invalid\. Expected a duration such as 2, 500ms or 1m, or an ascending/,
    ],
    [["-d", "fast"], /'fast' is invalid/],
    [["-l", "1.5-3"], /Expected an integer ≥ 0, or a range/],
    [["-p", "70000"], /Expected an integer from 0 to 65535/],
    [["-p", "80.5"], /Expected an integer from 0 to 65535/],
    [["--error-rate", "2"], /Expected a number from 0 to 1/],
    [["--rps", "0"], /Expected a number > 0/],
    [["-p", "0", "--host", "203.0.113.7"], /cannot listen on 203\.0\.113\.7:0: (?!Error)/],
  ];
  for (const [args, pattern] of cases) {
    const { code, stderr } = await flexllm(["mock", ...args]);
    assert.equal(code, 1, args.join(" "));
    assert.match(stderr, pattern);
  }
});

Deno.test("mock injects delays, rate limits and errors", async () => {
  await using running = start([
    "mock",
    "-p",
    "0",
    "-d",
    "0.1-0.2",
    "--rps",
    "2",
    "--token-rate",
    "1000",
  ]);
  while (!running.stdout().includes("\n")) await new Promise((resolve) => setTimeout(resolve, 5));
  const baseUrl = running.stdout().match(/http\S+/)![0];
  const ask = () =>
    fetch(`${baseUrl}/chat/completions`, {
      method: "POST",
      body: '{"model":"m","messages":[{"role":"user","content":"x"}]}',
    });
  const answers = await Promise.all(Array.from({ length: 40 }, ask));
  const refused = answers.filter(({ status }) => status === 429);
  assert.ok(refused.length > 0 && refused.length <= 38, `${refused.length} of 40`);
  assert.equal(refused[0].headers.get("retry-after"), "1");
  assert.equal((await refused[0].json()).error.code, "rate_limit_exceeded");
  await Promise.all(answers.map((answer) => answer.bodyUsed || answer.body?.cancel()));
});

Deno.test("a full disk is an error, a closed pipe is not", () => {
  const [command, ...first] = [...commandLine(), "version"];
  const run = (redirection: string) =>
    spawnSync("/bin/sh", ["-c", `"$0" "$@" ${redirection}`, command, ...first], {
      encoding: "utf8",
      env: { ...process.env, NO_COLOR: "1" },
    });
  const full = run("> /dev/full");
  assert.equal(full.status, 1);
  assert.match(
    full.stderr,
    /^error: cannot write to standard output: the disk is full\nFree up space/,
  );
  assert.equal(run("| true").status, 0);
});
