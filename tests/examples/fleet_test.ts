/**
 * The files of examples/fleet: the server and its user are real; of the recipes for containers, for which there
 * is no engine here, the syntax, the fields and the command lines are checked.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { parse, parseAllDocuments } from "yaml";
import { loadCommand } from "../../commands/command_entry.ts";
import { COMMANDS } from "../../commands/registry.ts";
import { flexllm, ROOT } from "../support/cli.ts";
import { RedisServer, redisServer } from "../support/redis_server.ts";
import { jsonLines, temporaryFolder } from "../support/temporary_folder.ts";

const read = (name: string) => readFileSync(join(ROOT, "examples/fleet", name), "utf8");

/** Checks that a command exists and knows all flags of `args`. */
async function assertCommand([name, ...args]: string[]): Promise<void> {
  const entry = COMMANDS.find((each) => each.name === name);
  assert.ok(entry !== undefined, name);
  const command: CommandUnknownOpts = await loadCommand(entry, COMMANDS);
  const flags = command.options.flatMap(({ long, short }) => [long, short]);
  for (const flag of args.filter((arg) => /^-/.test(arg))) {
    assert.ok(flags.includes(flag), `${name} ${flag}`);
  }
}

/** The options of a server's command line, as its configuration has them. */
function serverOptions([, ...args]: string[]): Record<string, string> {
  const pairs: [string, string][] = [];
  for (let i = 0; i < args.length; i += 2) pairs.push([args[i].replace(/^--/, ""), args[i + 1]]);
  return Object.fromEntries(pairs);
}

function assertServer(command: string[]): void {
  const { appendonly, requirepass, ...options } = serverOptions(command);
  assert.equal(appendonly, "yes");
  assert.match(requirepass, /REDIS_PASSWORD/);
  assert.deepEqual(options, { maxmemory: "1gb", "maxmemory-policy": "noeviction" });
}

Deno.test("the compose file names services, commands and volumes that exist", async () => {
  const { services, volumes } = parse(read("compose.yaml"), { merge: true });
  assert.deepEqual(Object.keys(services), ["redis", "worker", "batch"]);
  const { redis, worker, batch } = services;
  assertServer(redis.command);
  assert.deepEqual(Object.keys(volumes), ["redis"]);
  await assertCommand(worker.command);
  assert.equal(batch.image, worker.image);
  assert.deepEqual(batch.profiles, ["batch"]);
  assert.equal(batch.environment.OPENAI_API_KEY, undefined);
  for (const { environment, depends_on } of [worker, batch]) {
    assert.equal(environment.FLEXLLM_REDIS_URL, "redis://:${REDIS_PASSWORD}@redis:6379");
    assert.equal(depends_on.redis.condition, "service_healthy");
  }
  const [, command] = /run --rm batch (.*)/.exec(read("compose.yaml"))!;
  await assertCommand(command.split(" "));
});

Deno.test("the manifests name kinds, selectors, commands and secrets that fit together", async () => {
  const documents = parseAllDocuments(read("kubernetes.yaml"));
  for (const { errors } of documents) assert.deepEqual(errors, []);
  const objects = documents.map((document) => document.toJS());
  assert.deepEqual(objects.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`), [
    "v1 Service",
    "apps/v1 StatefulSet",
    "apps/v1 Deployment",
    "batch/v1 Job",
  ]);
  const [service, server, workers, job] = objects;
  assert.equal(server.spec.serviceName, service.metadata.name);
  assert.deepEqual(service.spec.selector, server.spec.template.metadata.labels);
  for (const { spec } of [server, workers]) {
    assert.deepEqual(spec.selector.matchLabels, spec.template.metadata.labels);
  }
  assertServer(server.spec.template.spec.containers[0].command);
  for (const { spec } of [workers, job]) {
    const [container] = spec.template.spec.containers;
    await assertCommand(container.args);
    const names = container.env.map(({ name }: { name: string }) => name);
    // A variable can only refer to those before it.
    assert.ok(names.indexOf("REDIS_PASSWORD") < names.indexOf("FLEXLLM_REDIS_URL"));
    const url = container.env.find(({ name }: { name: string }) => name === "FLEXLLM_REDIS_URL");
    assert.equal(url.value, `redis://:$(REDIS_PASSWORD)@${service.metadata.name}:6379`);
  }
  assert.equal(
    job.spec.podFailurePolicy.rules[0].onExitCodes.containerName,
    job.spec.template.spec.containers[0].name,
  );
});

Deno.test("the server's file starts a server whose user can do what a fleet needs, and no more", {
  ignore: redisServer === undefined,
}, async () => {
  using folder = temporaryFolder();
  const lines = read("redis.conf").split("\n")
    .filter((line) => line !== "" && !/^(#|bind|port)/.test(line));
  // The lines as options, in which each word is an argument.
  await using server = await RedisServer.start(
    ...lines.flatMap((line) => {
      const [name, ...words] = line.split(" ");
      return [`--${name}`, ...words];
    }),
  );
  const url = `redis://flexllm:SECRET@127.0.0.1:${server.port}`;
  const input = folder.write(
    "in.jsonl",
    Array.from({ length: 50 }, (_, i) => `{"q":"Question ${i}"}\n`).join(""),
  );
  const batch = (name: string, ...flags: string[]) =>
    flexllm(["batch", input, "-o", folder.file(name), "-m", "mock", "--redis", url, ...flags]);
  const first = await batch("one.jsonl", "--cache", "--max-qps", "1000", "--max-tpm", "1000000");
  assert.equal(first.code, 0, first.stderr);
  assert.ok(!/warning|NOPERM/.test(first.stderr), first.stderr);
  const second = await batch("two.jsonl", "--cache");
  assert.equal(second.code, 0, second.stderr);
  assert.ok(jsonLines(folder.read("two.jsonl")).every(({ cached }) => cached), second.stderr);
  for (const args of [["worker", "status"], ["cache", "info"], ["cache", "clear"]]) {
    const { code, stderr } = await flexllm([...args, "--redis", url]);
    assert.equal(code, 0, stderr);
  }
  const other = await flexllm(["cache", "info", "--redis", `redis://127.0.0.1:${server.port}`]);
  assert.equal(other.code, 1);
  assert.match(other.stderr, /refused the login/);
});
