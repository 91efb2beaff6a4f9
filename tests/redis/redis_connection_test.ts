import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { once } from "node:events";
import { openStore } from "../../lib/cache/open_store.ts";
import { readFleet } from "../../lib/fleet/read_fleet.ts";
import { parseRedisAddress } from "../../lib/redis/redis_address.ts";
import { RedisConnection } from "../../lib/redis/redis_connection.ts";
import { RedisUnavailableError } from "../../lib/redis/redis_error.ts";
import { RedisScript } from "../../lib/redis/redis_script.ts";
import { shareConnection } from "../../lib/redis/shared_connection.ts";
import { freePort, RedisServer, redisServer } from "../support/redis_server.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const options = { ignore: redisServer === undefined };

/** Resolves when `condition` holds. */
async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 20_000;
  while (!condition()) {
    assert.ok(performance.now() < end, "waited too long");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function openError(url: string): Promise<{ message: string; hint?: string }> {
  try {
    const connection = await RedisConnection.open(parseRedisAddress(url, "--redis"));
    await connection.close();
  } catch (error) {
    return error as Error;
  }
  throw new Error("connected");
}

Deno.test("commands, pipelines, transactions and scripts", options, async () => {
  await using server = await RedisServer.start();
  await using redis = await RedisConnection.open(server.address("one"));
  assert.equal(redis.key("a", 1), "one:a:1");
  assert.equal(await redis.command(["SET", redis.key("a"), "1"]), "OK");
  assert.deepEqual(await redis.pipeline([["GET", redis.key("a")], ["GET", redis.key("b")]]), [
    "1",
    null,
  ]);
  assert.deepEqual(await redis.transaction([["INCR", redis.key("a")], ["DEL", redis.key("a")]]), [
    2,
    1,
  ]);
  const sum = new RedisScript("return ARGV[1] + ARGV[2] + #KEYS");
  assert.equal(await redis.run(sum, ["one:k"], [2, 3]), 6);
  assert.equal(await redis.run(sum, [], [2, 3]), 5);
  await assert.rejects(redis.command(["INCR"]), /wrong number of arguments/);
  assert.ok(redis.isUp);
  await assert.rejects(
    redis.pipeline([["SET", redis.key("a"), "x"], ["INCR", redis.key("a")]]),
    /integer/,
  );
});

Deno.test("bytes are sent and read unchanged", options, async () => {
  await using server = await RedisServer.start();
  await using redis = await RedisConnection.open(server.address());
  const bytes = new Uint8Array([0, 255, 13, 10, 128]);
  const [key, other] = [redis.key("a"), redis.key("b")];
  await redis.pipeline([["SET", key, bytes], ["SET", other, bytes.subarray(1, 3)]]);
  const [all, part, none] = await redis.command(["MGET", key, other, "c"], "bytes") as Uint8Array[];
  assert.deepEqual([[...all], [...part], none], [[...bytes], [255, 13], null]);
  const echo = new RedisScript("return {ARGV[1], 7}");
  const [text, number] = await redis.run(echo, [], [bytes], "bytes") as [Uint8Array, number];
  assert.deepEqual([[...text], number], [[...bytes], 7]);
});

Deno.test("a server that is killed, and comes back empty", options, async () => {
  await using server = await RedisServer.start();
  await using redis = await RedisConnection.open(server.address());
  const events: string[] = [];
  redis.watch({
    onDown: () => events.push("down"),
    onUp: () => events.push("up"),
    onReset: () => events.push("reset"),
  });
  await redis.command(["SET", "a", "1"]);
  await server.kill();
  await until(() => !redis.isUp);
  await assert.rejects(redis.command(["GET", "a"]), RedisUnavailableError);
  await until(() => redis.downFor > 0);
  await server.restart();
  await until(() => redis.isUp);
  assert.deepEqual(events, ["down", "reset", "up"]);
  assert.equal(await redis.command(["GET", "a"]), null);
});

Deno.test("a server that is frozen: each command has a deadline", options, async () => {
  await using server = await RedisServer.start();
  await using redis = await RedisConnection.open(server.address());
  const events: string[] = [];
  redis.watch({
    onDown: () => events.push("down"),
    onUp: () => events.push("up"),
    onReset: () => events.push("reset"),
  });
  await redis.command(["SET", "a", "1"]);
  const waiting = redis.blocking();
  assert.equal(await waiting.command(["BLPOP", "list", "0.01"], 10), null);
  const blocked = waiting.command(["BLPOP", "list", "60"], 60_000);
  server.freeze();
  await assert.rejects(redis.command(["GET", "a"]), RedisUnavailableError);
  await assert.rejects(redis.pipeline([["GET", "a"]]), RedisUnavailableError);
  assert.deepEqual(events, ["down"]);
  server.thaw();
  await until(() => redis.isUp);
  assert.deepEqual(events, ["down", "up"]);
  assert.equal(await redis.command(["GET", "a"]), "1");
  await redis.command(["RPUSH", "list", "x"]);
  assert.deepEqual(await blocked, ["list", "x"]);
  waiting.close();
});

Deno.test("a script survives a restart of the server", options, async () => {
  await using server = await RedisServer.start();
  await using redis = await RedisConnection.open(server.address());
  const one = new RedisScript("return 1");
  assert.equal(await redis.run(one, []), 1);
  await redis.command(["SCRIPT", "FLUSH"]);
  assert.equal(await redis.run(one, []), 1);
});

Deno.test("a share of a connection: one per server, closed with the last", options, async () => {
  await using server = await RedisServer.start();
  const first = await shareConnection(server.address());
  const second = await shareConnection(server.address());
  const other = await shareConnection(server.address("other"));
  assert.equal(first.connection, second.connection);
  assert.notEqual(first.connection, other.connection);
  await first.release();
  await first.release();
  assert.ok(second.connection.isUp);
  await second.release();
  assert.ok(!second.connection.isUp);
  await other.release();
});

Deno.test(
  "a share that may start without the server, beside one that may not",
  options,
  async () => {
    await using server = await RedisServer.start();
    await server.kill();
    const refused = assert.rejects(shareConnection(server.address()), /connection was refused/);
    await using share = await shareConnection(server.address(), { mayStartDown: true });
    await refused;
    const { connection } = share;
    const events: string[] = [];
    connection.watch({
      onUp: () => events.push("up"),
      onReset: () => events.push("reset"),
      onRestart: () => events.push("restart"),
    });
    assert.ok(!connection.isUp);
    await assert.rejects(connection.command(["PING"]), RedisUnavailableError);
    await server.restart();
    await until(() => connection.isUp);
    assert.equal(await connection.command(["PING"]), "PONG");
    assert.deepEqual(events, ["up"]);
    await server.kill();
    await until(() => !connection.isUp);
    await server.restart();
    await until(() => connection.isUp);
    assert.deepEqual(events, ["up", "reset", "up"]);
  },
);

Deno.test("errors at the start say what to do", options, async () => {
  await using server = await RedisServer.start("--requirepass", "secret", "--databases", "2");
  const { port } = server;
  assert.match(
    (await openError(`redis://127.0.0.1:${port}`)).message,
    /refused the login: it requires a password/,
  );
  const wrong = await openError(`redis://:not-it-at-all@127.0.0.1:${port}`);
  assert.match(wrong.message, /refused the login: WRONGPASS/);
  assert.doesNotMatch(wrong.message, /not-it-at-all/);
  assert.match(
    (await openError(`redis://:secret@127.0.0.1:${port}/7`)).message,
    /has no database 7/,
  );
  const encrypted = await openError(`rediss://:secret@127.0.0.1:${port}`);
  assert.match(encrypted.message, /cannot be used: it does not speak TLS$/);
  assert.match(encrypted.hint!, /Use redis:\/\/ instead of rediss:\/\//);
  await using replica = await RedisServer.start("--replicaof", "127.0.0.1", String(port));
  assert.match((await openError(replica.url)).message, /is a read-only replica/);
});

Deno.test("a server that speaks only TLS", {
  ignore: redisServer === undefined || spawnSync("openssl", ["version"]).status !== 0,
}, async () => {
  using folder = temporaryFolder();
  const [key, certificate] = [folder.file("key.pem"), folder.file("cert.pem")];
  const files = ["-keyout", key, "-out", certificate];
  const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  spawnSync("openssl", ["req", ...kind, "-subj", "/CN=localhost", ...files]);
  const port = String(await freePort());
  await using _ = await RedisServer.start(
    ...["--tls-port", port, "--tls-cert-file", certificate, "--tls-key-file", key],
    ...["--tls-ca-cert-file", certificate, "--tls-auth-clients", "no"],
  );
  const plain = await openError(`redis://127.0.0.1:${port}`);
  assert.match(plain.message, /cannot be used: it speaks only TLS$/);
  assert.match(plain.hint!, /Use rediss:\/\/ instead of redis:\/\//);
  assert.match((await openError(`rediss://127.0.0.1:${port}`)).message, /certificate/);
});

Deno.test("a full server can be looked at, and cleaned up", options, async () => {
  await using server = await RedisServer.start("--maxmemory", "1");
  assert.match((await openError(server.url)).message, /its memory is full/);
  const looking = { needsWrites: false };
  await using share = await shareConnection(server.address(), looking);
  assert.deepEqual(await readFleet(share.connection), { jobs: [], workers: [] });
  await using redis = await RedisConnection.open(server.address(), looking);
  assert.equal(await redis.command(["UNLINK", "a"]), 0);
  const store = await openStore({ path: server.url }, {});
  assert.equal(await store.clear(), 0);
  await store.close();
});

Deno.test("nothing listens, or something else does", async () => {
  const web = createServer((socket) => {
    socket.on("error", () => {});
    socket.write("HTTP/1.1 400 Bad Request\r\n\r\n", () => socket.destroy());
  }).listen(0, "127.0.0.1");
  await once(web, "listening");
  const { port } = web.address() as { port: number };
  assert.match(
    (await openError(`redis://127.0.0.1:${port}`)).message,
    /it is no Redis server|was closed/,
  );
  web.close();
  // Not the port that has just become free: another process may listen there.
  assert.match((await openError("redis://127.0.0.1:1")).message, /the connection was refused/);
});

Deno.test("addresses", () => {
  const address = parseRedisAddress("rediss://me:p%40ss@[::1]:6380/3", "--redis");
  assert.deepEqual(address, {
    host: "::1",
    port: 6380,
    tls: true,
    username: "me",
    password: "p@ss",
    database: 3,
    prefix: "flexllm",
    shown: "rediss://me@[::1]:6380/3",
  });
  assert.equal(parseRedisAddress("redis://h:80", "x").port, 80);
  assert.equal(parseRedisAddress("redis://h", "x").port, 6379);
  for (
    const url of [
      "localhost:6379",
      "http://h",
      "redis://",
      "redis://h/x",
      "redis://h:99999",
      "redis://:%@h",
      "redis://h?a=b",
    ]
  ) {
    assert.throws(() => parseRedisAddress(url, "--redis"), /^ConfigurationError: --redis: /, url);
  }
  assert.throws(() => parseRedisAddress("redis://h", "x", "a b"), /prefix/);
});
