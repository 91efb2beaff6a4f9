/** Several `flexllm serve` processes share keys, limits and budgets through Redis, also when one is killed. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { shareConnection } from "../../lib/redis/shared_connection.ts";
import { flexllm, type Running, start } from "../support/cli.ts";
import { RedisServer, redisServer } from "../support/redis_server.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

async function until(isTrue: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let i = 0; i < 1200; i++) {
    if (await isTrue()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.fail(`in vain: ${what}`);
}

async function urlOf(running: Running): Promise<string> {
  await until(
    () => /listening on \S+\n/.test(running.stdout()) || running.process.exitCode !== null,
    "the gateway listens",
  );
  const url = running.stdout().match(/http:\S+/)?.[0];
  if (url === undefined) assert.fail((await running.finished).stderr);
  return url;
}

function chat(url: string, secret: string, model = "paid"): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${secret}` },
    body: JSON.stringify({
      model,
      max_tokens: 100,
      messages: [{ role: "user", content: "Hello" }],
    }),
  });
}

/** A configuration with models that cost $0.001 per token; one of them, at `slowUrl`, never answers. */
function configuration(slowUrl: string): string {
  const price = { input: 1000, output: 1000 };
  return JSON.stringify({
    models: [
      { id: "mock", name: "paid", provider: "mock", price },
      { id: "slow", base_url: slowUrl, api_key: "key", price },
    ],
    serve: { limits: { budget: { day: 1 } } },
  });
}

interface Report {
  store: { up: boolean; gateways: number; publishesKeys: boolean };
  keys: { kind: string; name: string; spent: { total: number } }[];
}

async function statusOf(url: string): Promise<Report> {
  return await (await fetch(`${url}/status`)).json();
}

function all({ keys }: Report): number {
  return keys.find(({ kind }) => kind === "all")!.spent.total;
}

Deno.test({
  name: "gateways share keys, spending and a budget, and a killed one leaves nothing open",
  ignore: redisServer === undefined || process.platform === "win32",
  async fn() {
    using folder = temporaryFolder();
    await using server = await RedisServer.start();
    const slow = createServer(() => {}).listen(0, "127.0.0.1");
    const called = once(slow, "request");
    await once(slow, "listening");
    const { port } = slow.address() as AddressInfo;
    const env = { HOME: folder.path, FLEXLLM_REDIS_URL: server.url };
    const database = folder.file("keys.db");
    const config = folder.write("flexllm.yaml", configuration(`http://127.0.0.1:${port}/v1`));
    const keys = (...args: string[]) => flexllm(["serve", "virtual-key", ...args], { env });
    const secret = (await keys("create", "alice", "--database", database)).stdout.trim();
    const serve = (...args: string[]) =>
      start(["serve", "-p", "0", "--config", config, ...args], { env });
    const publisher = serve("--database", database);
    const first = await urlOf(publisher);
    await using follower = serve();
    const second = await urlOf(follower);
    assert.equal((await chat(first, secret)).status, 200);
    assert.equal((await chat(second, secret)).status, 200, "the key is known");
    assert.equal((await chat(second, "sk-flexllm-other")).status, 401);

    // Killed with a call in flight: the server may bill it.
    const before = all(await statusOf(first));
    const unanswered = chat(first, secret, "slow").catch(() => {});
    await called;
    publisher.signal("SIGKILL");
    await publisher.finished;
    await unanswered;
    // In place of the seconds until its lease ends; the other gateway is alive, and says so.
    await using share = await shareConnection(server.address());
    const name = share.connection.key("gateway", "instances");
    for (const instance of await share.connection.command(["ZRANGE", name, 0, -1]) as string[]) {
      await share.connection.command(["ZADD", name, 1, instance]);
    }
    const balance = share.connection.key("gateway", "balance", "all");
    await until(
      async () => await share.connection.command(["HGET", balance, "r:total"]) === "0",
      "nothing is reserved any more",
    );
    assert(all(await statusOf(second)) > before + 0.1);
    const revived = serve("--database", database);
    const third = await urlOf(revived);

    let sent = 2;
    let status = 200;
    while (status === 200) {
      const answers = await Promise.all([chat(third, secret), chat(second, secret)]);
      sent += answers.filter((answer) => answer.ok).length;
      status = answers.find((answer) => !answer.ok)?.status ?? 200;
      for (const answer of answers) await answer.body?.cancel();
    }
    assert.equal(status, 402);
    assert(sent > 2);
    const spent = all(await statusOf(third));
    assert(spent > 0.5 && spent <= 1, `${spent}`);
    await until(async () => all(await statusOf(second)) === spent, "both know what was spent");
    const listed = JSON.parse((await keys("list", "--json")).stdout);
    assert.equal(listed[0].name, "alice");
    assert(listed[0].spent.total <= spent + 1e-9, "spent at all gateways");
    const refused = await keys("create", "bob");
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /take their keys from another database: .*keys\.db/);
    const text = (await flexllm(["serve", "status", "--url", second], { env })).stdout;
    assert.match(text, /shares limits, budgets and keys through redis:\S+: 2 gateways/);

    await server.kill();
    await until(async () => !(await statusOf(second)).store.up, "Redis is away");
    assert.deepEqual(await (await fetch(`${second}/health/ready`)).json(), {
      status: "ok",
      store: "down",
    });
    // Its keys stay.
    assert.equal((await chat(second, secret)).status, 402);
    await server.restart();
    await until(async () => {
      const { store, keys } = await statusOf(second);
      return store.up && all({ store, keys }) === spent;
    }, "nothing is forgotten");
    revived.signal("SIGTERM");
    assert.equal((await revived.finished).code, 0);
    follower.signal("SIGTERM");
    const { stderr } = await follower.finished;
    assert.match(stderr, /another gateway was killed during 1 request; .* count as spent/);
    slow.closeAllConnections();
    slow.close();
  },
});

Deno.test({
  name: "a wrong address of Redis is an error at the start",
  async fn() {
    using folder = temporaryFolder();
    const env = { HOME: folder.path };
    const run = (...args: string[]) =>
      flexllm(["serve", "-m", "mock", "-p", "0", ...args], { env });
    const unreachable = await run("--redis", "redis://127.0.0.1:1");
    assert.equal(unreachable.code, 1);
    assert.match(unreachable.stderr, /Redis at redis:\/\/127\.0\.0\.1:1 cannot be used/);
    const wrong = await run("--redis", "http://127.0.0.1");
    assert.match(wrong.stderr, /--redis: expected a URL that begins with redis/);
    const policy = await run("--on-store-loss", "rates=divide");
    assert.match(policy.stderr, /--on-store-loss: no Redis server is named/);
  },
});
