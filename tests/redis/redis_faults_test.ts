/** What a connection makes of a bad network, and of a server that refuses its work. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { parseRedisAddress, type RedisAddress } from "../../lib/redis/redis_address.ts";
import { RedisConnection, type RedisWatcher } from "../../lib/redis/redis_connection.ts";
import { RedisUnavailableError } from "../../lib/redis/redis_error.ts";
import { RedisScript } from "../../lib/redis/redis_script.ts";
import { runtimeName } from "../../lib/runtime/runtime.ts";
import { RedisServer, redisServer } from "../support/redis_server.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";

const options = { ignore: redisServer === undefined };

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 30_000;
  while (!condition()) {
    assert.ok(performance.now() < end, "waited too long");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function addressOf(url: string): RedisAddress {
  return parseRedisAddress(url, "test");
}

function record(redis: RedisConnection): string[] {
  const events: string[] = [];
  const watcher: Required<RedisWatcher> = {
    onDown: () => events.push("down"),
    onUp: () => events.push("up"),
    onReset: () => events.push("reset"),
    onRestart: () => events.push("restart"),
  };
  redis.watch(watcher);
  return events;
}

/** A server behind a proxy, and a connection through it. */
async function behindProxy(...lines: string[]) {
  const server = await RedisServer.start(...lines);
  const proxy = await TcpProxy.start(server.port);
  const redis = await RedisConnection.open(addressOf(proxy.redisUrl));
  return {
    server,
    proxy,
    redis,
    async [Symbol.asyncDispose]() {
      await redis.close();
      await proxy[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

Deno.test("a link of 200 ms: slow, but never down", options, async () => {
  await using world = await behindProxy();
  const { redis, proxy } = world;
  const events = record(redis);
  proxy.latency = 200;
  const start = performance.now();
  const value = "x".repeat(1_000_000);
  await Promise.all([
    redis.command(["SET", "a", value]),
    redis.pipeline([["GET", "b"], ["GET", "c"]]),
    redis.run(new RedisScript("return 1"), []),
  ]);
  assert.equal(await redis.command(["GET", "a"]), value);
  assert.ok(performance.now() - start >= 800, "two round trips");
  assert.deepEqual(events, []);
});

for (const lost of ["requests", "replies"] as const) {
  Deno.test(`a half-open link that loses ${lost} is replaced`, options, async () => {
    await using world = await behindProxy();
    const { redis, proxy } = world;
    const events = record(redis);
    const blocking = redis.blocking();
    assert.equal(await blocking.command(["BLPOP", "list", "0.01"], 10), null);
    proxy.lose(lost);
    await assert.rejects(redis.command(["SET", "a", "1"]), /it does not answer/);
    await until(() => redis.isUp);
    assert.equal(await redis.command(["SET", "a", "2"]), "OK");
    // The other connection is as dead, and finds out by itself.
    await assert.rejects(blocking.command(["BLPOP", "list", "0.01"], 10), RedisUnavailableError);
    await until(() => redis.isUp);
    assert.equal(await blocking.command(["BLPOP", "list", "0.01"], 10), null);
    assert.deepEqual(events, ["down", "up", "down", "up"]);
  });
}

Deno.test("a reply that is cut in the middle", options, async () => {
  await using world = await behindProxy();
  const { redis, proxy } = world;
  await redis.command(["SET", "a", "x".repeat(100_000)]);
  proxy.cutReplies(50_000);
  await assert.rejects(
    redis.pipeline([["GET", "a"], ["GET", "b"]]),
    /^RedisUnavailableError: .*the connection was closed/,
  );
  await until(() => redis.isUp);
  assert.equal(String(await redis.command(["GET", "a"])).length, 100_000);
});

Deno.test("a command that was cut off is not sent again", options, async () => {
  await using world = await behindProxy();
  const { redis, proxy } = world;
  const events = record(redis);
  proxy.lose("replies");
  const lost = [
    redis.command(["INCR", "a"]),
    redis.pipeline([["INCR", "a"], ["INCR", "a"]]),
    redis.transaction([["INCR", "a"]]),
  ];
  await Promise.all(lost.map((each) => assert.rejects(each, RedisUnavailableError)));
  await until(() => redis.isUp);
  assert.equal(await redis.command(["GET", "a"]), "4");
  assert.deepEqual(events, ["down", "up"]);
});

Deno.test(
  "a partition: commands fail at once, and what was sent before may still arrive",
  options,
  async () => {
    await using world = await behindProxy();
    const { redis, proxy } = world;
    const events = record(redis);
    proxy.partition();
    await assert.rejects(redis.command(["INCR", "a"]), /it does not answer/);
    const start = performance.now();
    await assert.rejects(redis.command(["INCR", "a"]), /it does not answer/);
    assert.ok(performance.now() - start < 1000);
    // Long enough for a new connection to be tried, which does not get through either.
    await new Promise((resolve) => setTimeout(resolve, 4000));
    assert.equal(redis.isUp, false);
    proxy.heal();
    await until(() => redis.isUp);
    assert.deepEqual(events, ["down", "up"]);
    assert.match(String(await redis.command(["INCR", "b"])), /^1$/);
  },
);

Deno.test("10 MB values and many commands at once, over a slow link", options, async () => {
  await using world = await behindProxy();
  const { redis, proxy } = world;
  proxy.latency = 50;
  const events = record(redis);
  const value = "x".repeat(10_000_000);
  await redis.pipeline(Array.from({ length: 5 }, (_, i) => ["SET", `big${i}`, value] as const));
  const replies = await redis.command(["MGET", ...Array.from({ length: 5 }, (_, i) => `big${i}`)]);
  assert.deepEqual((replies as string[]).map((each) => each.length), Array(5).fill(10_000_000));
  const many = Array.from({ length: 50_000 }, (_, i) => ["SET", `k${i}`, i] as const);
  assert.equal((await redis.pipeline(many)).length, 50_000);
  assert.deepEqual(events, []);
});

Deno.test("a reply that arrives slowly is waited for", options, async () => {
  await using world = await behindProxy();
  const { redis, proxy } = world;
  await redis.command(["SET", "a", "x".repeat(1_000_000)]);
  const events = record(redis);
  proxy.bytesPerSecond = 250_000;
  assert.equal(String(await redis.command(["GET", "a"])).length, 1_000_000);
  assert.deepEqual(events, []);
});

Deno.test("a full memory: down until there is space again", options, async () => {
  await using world = await behindProxy("--maxmemory-policy", "noeviction");
  const { redis } = world;
  const events = record(redis);
  const write = new RedisScript(`return redis.call("SET", KEYS[1], ARGV[1])`);
  const attempts = [
    () => redis.command(["SET", "a", "1"]),
    () => redis.pipeline([["GET", "a"], ["SET", "a", "1"]]),
    () => redis.transaction([["SET", "a", "1"], ["GET", "a"]]),
    () => redis.run(write, ["a"], ["1"]),
  ];
  for (const attempt of attempts) {
    await redis.command(["CONFIG", "SET", "maxmemory", "1"]);
    await assert.rejects(attempt(), /^RedisUnavailableError: .*its memory is full/);
    // Several probes later, it is still full.
    await new Promise((resolve) => setTimeout(resolve, 700));
    assert.equal(redis.isUp, false);
    await using operator = await RedisConnection.open(world.server.address("other"))
      .catch(() => undefined);
    assert.equal(operator, undefined, "a full server is refused at the start");
    redisCli(world.server, "CONFIG", "SET", "maxmemory", "0");
    await until(() => redis.isUp);
  }
  assert.deepEqual(events, attempts.flatMap(() => ["down", "up"]));
});

/** Sends a command as an operator would. */
function redisCli(server: RedisServer, ...command: string[]): string {
  const { stdout, status } = spawnSync("redis-cli", ["-p", String(server.port), ...command], {
    encoding: "utf8",
  });
  assert.equal(status, 0);
  return stdout.trim();
}

Deno.test(
  "a primary server that has become a replica, and is promoted again",
  options,
  async () => {
    await using other = await RedisServer.start();
    await using world = await behindProxy();
    const { redis, server } = world;
    const events = record(redis);
    await redis.command(["SET", "a", "1"]);
    redisCli(server, "REPLICAOF", "127.0.0.1", "1");
    await assert.rejects(redis.command(["SET", "a", "1"]), /it is a read-only replica/);
    await new Promise((resolve) => setTimeout(resolve, 700));
    await assert.rejects(redis.transaction([["SET", "a", "1"]]), /it is a read-only replica/);
    redisCli(server, "REPLICAOF", "NO", "ONE");
    await until(() => redis.isUp);
    assert.deepEqual(events, ["down", "up"]);
    await other[Symbol.asyncDispose]();
  },
);

Deno.test("a server that cannot save its data", options, async () => {
  await using world = await behindProxy("--enable-protected-configs", "yes");
  const { redis, server } = world;
  await redis.command(["SET", "a", "1"]);
  redisCli(server, "CONFIG", "SET", "dir", "/proc");
  redisCli(server, "CONFIG", "SET", "save", "3600 1");
  redisCli(server, "BGSAVE");
  await until(() => /last_bgsave_status:err/.test(redisCli(server, "INFO", "persistence")));
  await assert.rejects(redis.command(["SET", "a", "1"]), /it cannot save its data/);
  redisCli(server, "CONFIG", "SET", "save", "");
  await until(() => redis.isUp);
});

Deno.test("closing a connection that waits is no failure of the server", options, async () => {
  await using server = await RedisServer.start();
  await using redis = await RedisConnection.open(server.address());
  const events = record(redis);
  const blocking = redis.blocking();
  const blocked = blocking.command(["BLPOP", "list", "60"], 60_000);
  await until(() => redisCli(server, "CLIENT", "LIST").includes("cmd=blpop"));
  blocking.close();
  await assert.rejects(blocked, /the connection was closed/);
  assert.equal(await redis.command(["SET", "a", "1"]), "OK");
  await assert.rejects(blocking.command(["BLPOP", "list", "0.01"], 10), RedisUnavailableError);
  assert.deepEqual(events, []);
});

Deno.test("killed connections are opened again", options, async () => {
  await using world = await behindProxy();
  const { redis, server } = world;
  const events = record(redis);
  const blocking = redis.blocking();
  assert.equal(await blocking.command(["BLPOP", "list", "0.01"], 10), null);
  const blocked = blocking.command(["BLPOP", "list", "60"], 60_000);
  redisCli(server, "CLIENT", "KILL", "TYPE", "normal");
  await assert.rejects(blocked, RedisUnavailableError);
  await until(() => redis.isUp);
  assert.equal(await redis.command(["SET", "a", "1"]), "OK");
  assert.equal(await blocking.command(["BLPOP", "list", "0.01"], 10), null);
  assert.deepEqual(events, ["down", "up"]);
});

Deno.test(
  "a password that changes: the reason is shown, and a repaired login is used",
  options,
  async () => {
    await using server = await RedisServer.start();
    const password = (text: string) => redisCli(server, "CONFIG", "SET", "requirepass", text);
    await using redis = await RedisConnection.open(server.address());
    password("secret");
    const auth = (...command: string[]) =>
      redisCli(server, "--no-auth-warning", "-a", "secret", ...command);
    auth("CLIENT", "KILL", "TYPE", "normal");
    await until(() => !redis.isUp);
    await until(() => {
      const text = redis.failure?.message ?? "";
      return /refuses the login/.test(text);
    });
    auth("CONFIG", "SET", "requirepass", "");
    await until(() => redis.isUp);
  },
);

Deno.test("data that is deleted is noticed", options, async () => {
  await using world = await behindProxy();
  const events = record(world.redis);
  redisCli(world.server, "FLUSHALL");
  await until(() => events.length > 0);
  assert.deepEqual(events, ["reset"]);
});

Deno.test("a server that comes back with its data, or with older data", options, async () => {
  await using server = await RedisServer.start("--appendonly", "yes");
  await using redis = await RedisConnection.open(server.address());
  const events = record(redis);
  await redis.command(["SET", "a", "1"]);
  await server.kill();
  await until(() => !redis.isUp);
  await server.restart();
  await until(() => redis.isUp);
  assert.deepEqual(events, ["down", "restart", "up"]);
  assert.equal(await redis.command(["GET", "a"]), "1");
});

Deno.test("a script that takes long: down until it has ended", options, async () => {
  await using world = await behindProxy("--busy-reply-threshold", "10");
  const { redis, server } = world;
  await using other = await RedisConnection.open(server.address());
  const endless = other.run(new RedisScript("while true do end"), []).catch((error) => error);
  await until(() => {
    const { stdout } = spawnSync("redis-cli", ["-p", String(server.port), "GET", "a"], {
      encoding: "utf8",
    });
    return stdout.startsWith("BUSY");
  });
  await assert.rejects(redis.command(["GET", "a"]), /it is busy with a script/);
  redisCli(server, "SCRIPT", "KILL");
  await until(() => redis.isUp);
  await endless;
});

Deno.test("closing takes no time, whatever the server does", options, async () => {
  await using world = await behindProxy();
  const { redis, proxy, server } = world;
  const blocking = redis.blocking();
  assert.equal(await blocking.command(["BLPOP", "list", "0.01"], 10), null);
  const blocked = blocking.command(["BLPOP", "list", "60"], 60_000);
  server.freeze();
  const waiting = redis.command(["GET", "a"]);
  const start = performance.now();
  await redis.close();
  await assert.rejects(blocked, /the connection was closed/);
  await assert.rejects(waiting, /the connection was closed/);
  await until(() => proxy.connections === 0);
  assert.ok(performance.now() - start < 10_000);
  server.thaw();
});

/** Runs a program with the modules of this repository; resolves to its output and exit code. */
function runProgram(source: string) {
  const deno = runtimeName().startsWith("deno");
  assert.ok(deno);
  return spawnSync(process.execPath, ["eval", "--quiet", "--ext=ts", source], {
    encoding: "utf8",
    timeout: 60_000,
    cwd: new URL("../..", import.meta.url).pathname,
  });
}

Deno.test(
  "an open connection does not keep a process alive, and a command does",
  { ignore: redisServer === undefined || !runtimeName().startsWith("deno") },
  async () => {
    await using server = await RedisServer.start();
    const { stdout, stderr, status } = runProgram(`
      import { RedisConnection } from "./lib/redis/redis_connection.ts";
      import { parseRedisAddress } from "./lib/redis/redis_address.ts";
      const redis = await RedisConnection.open(parseRedisAddress("${server.url}", "x"));
      redis.watch({});
      const blocking = redis.blocking();
      console.log(await blocking.command(["BLPOP", "list", "1"], 1000));
      console.log(await redis.command(["PING"]));
    `);
    assert.deepEqual([stdout, stderr, status], ["null\nPONG\n", "", 0]);
  },
);
