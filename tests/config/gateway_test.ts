/** The section `serve`: models, routes, limits and the cache of a gateway. */
import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import { loadConfig } from "../../lib/config/load.ts";
import { redactConfig } from "../../lib/config/redact_config.ts";
import { type GatewayFlags, resolveGateway } from "../../lib/config/resolve_gateway.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const MODELS = `models:
  - id: gpt-5.4-mini
    provider: openai
    api_key: sk-openai
  - id: claude-haiku-4-5
    name: haiku
    provider: claude
    api_key: sk-anthropic
  - id: qwen
    name: local
    base_url: http://gpu:8000/v1
`;

function load(text: string, env: Record<string, string> = {}) {
  using folder = temporaryFolder();
  const file = folder.write("config.yaml", text);
  chmodSync(file, 0o600);
  return loadConfig({ FLEXLLM_HOME: folder.path, ...env }, folder.path, file);
}

function resolve(text: string, flags: GatewayFlags = {}, env: Record<string, string> = {}) {
  return resolveGateway(load(text, env), { FLEXLLM_HOME: "/home/.flexllm", ...env }, flags);
}

function names({ endpoints }: { endpoints: readonly { name: string }[] }) {
  return endpoints.map(({ name }) => name);
}

Deno.test("every configured model is an endpoint by its name, with generous limits", () => {
  const settings = resolve(MODELS);
  const { host, port, drain, pool, options, access, cache } = settings;
  assert.deepEqual(names(settings), ["gpt-5.4-mini", "haiku", "local"]);
  assert.deepEqual([host, port, drain], ["127.0.0.1", 8080, 600]);
  assert.deepEqual(
    pool.endpoints.map(({ name, model, apiKey, concurrencyLimit }) => [
      name,
      model,
      apiKey,
      concurrencyLimit,
    ]),
    [
      ["gpt-5.4-mini", "gpt-5.4-mini", "sk-openai", 256],
      ["haiku", "claude-haiku-4-5", "sk-anthropic", 256],
      ["local", "qwen", undefined, 256],
    ],
  );
  assert.deepEqual([pool.adaptive, pool.timeout, pool.maxWait], [true, 600, 60]);
  assert.ok(pool.endpoints.every(({ initialConcurrency }) => initialConcurrency === 256));
  assert.deepEqual([options.routes, options.cacheScope, cache], [{}, "key", false]);
  assert.equal(access.database, "/home/.flexllm/gateway.db");
});

Deno.test("a model has its own limits and share; the lower limit of requests in flight applies", () => {
  const text = `models:
  - {id: a, provider: mock, weight: 3, concurrency_limit: 20, max_qps: 5, max_tpm: 1000}
  - {id: b, provider: mock, concurrency_limit: 500}
`;
  const { pool } = resolve(text);
  assert.deepEqual(
    pool.endpoints.map(({ weight, concurrencyLimit, initialConcurrency, maxQps, maxTpm }) => [
      weight,
      concurrencyLimit,
      initialConcurrency,
      maxQps,
      maxTpm,
    ]),
    [[3, 20, 20, 5, 1000], [undefined, 256, 256, undefined, undefined]],
  );
});

Deno.test("variables that point clients at the gateway do not redirect its models", () => {
  const env = { OPENAI_BASE_URL: "http://127.0.0.1:8080/v1", FLEXLLM_MODEL: "other" };
  const { endpoints } = resolve(MODELS, {}, env);
  assert.ok(endpoints.every(({ baseUrl }) => baseUrl !== env.OPENAI_BASE_URL));
});

Deno.test("-m mock works without a configuration", () => {
  const config = loadConfig({ FLEXLLM_HOME: "/nowhere" }, "/nowhere", undefined);
  const { endpoints } = resolveGateway(config, {}, { model: ["mock"] });
  assert.deepEqual(endpoints.map(({ name, provider }) => [name, provider]), [["mock", "mock"]]);
  assert.throws(() => resolveGateway(config, {}, {}), { message: /no model is configured/ });
});

Deno.test("a target is a model, or another model at a server by name, provider or host", () => {
  const routes = `serve:
  routes:
    one: haiku
    id: claude-haiku-4-5
    list: [gpt-5.4-mini, mock]
    named: phi@local
    provider: claude-opus-4-8@anthropic
    same: claude-haiku-4-5@anthropic
    host: phi@gpu:8000
    full: {targets: [haiku, local], load_balance: weighted, sticky: false}
`;
  const { options, endpoints } = resolve(MODELS + routes);
  assert.deepEqual(options.routes, {
    one: { targets: ["haiku"] },
    id: { targets: ["haiku"] },
    list: { targets: ["gpt-5.4-mini", "mock"] },
    named: { targets: ["phi@local"] },
    provider: { targets: ["claude-opus-4-8@haiku"] },
    same: { targets: ["haiku"] },
    host: { targets: ["phi@local"] },
    full: { targets: ["haiku", "local"], loadBalance: "weighted", sticky: false },
  });
  // A route to the built-in mock needs its endpoint.
  assert.equal(endpoints.at(-1)?.name, "mock");
});

Deno.test("unknown targets are reported with their position and a suggestion", () => {
  const of = (target: string) => () => resolve(`${MODELS}serve:\n  routes:\n    a: [${target}]\n`);
  assert.throws(of("haiko"), {
    message: /config\.yaml:14:9: serve\.routes\.a: no model "haiko" in models/,
    hint: "Did you mean haiku?",
  });
  assert.throws(of("phi@antropic"), {
    message: /no model or server "antropic" in models/,
    hint: "Did you mean phi@anthropic?",
  });
  assert.throws(of("phi@elsewhere"), { hint: /After the @ can be one of .*gpu:8000/ });
});

Deno.test("models without their key are left out with a warning, and so are they in routes", () => {
  const text = MODELS.replace("sk-openai", "${UNSET_KEY}") +
    "serve:\n  routes: {fast: [gpt-5.4-mini, haiku]}\n";
  const settings = resolve(text);
  assert.deepEqual(names(settings), ["haiku", "local"]);
  assert.deepEqual(settings.options.routes, { fast: { targets: ["haiku"] } });
  assert.match(settings.warnings[0], /gpt-5\.4-mini is left out: .*UNSET_KEY is not set/);
  assert.throws(() => resolve(text, { model: ["gpt-5.4-mini"] }), { message: /UNSET_KEY/ });
  assert.throws(() => resolve(text.replace(", haiku", "")), {
    message: /serve\.routes\.fast has no model that can be used\n.*UNSET_KEY/,
  });
});

Deno.test("-m selects models and routes", () => {
  const text = `${MODELS}serve:\n  routes: {fast: [haiku, local], other: gpt-5.4-mini}\n`;
  const settings = resolve(text, { model: ["fast"] });
  assert.deepEqual(names(settings), ["haiku", "local"]);
  assert.deepEqual(Object.keys(settings.options.routes ?? {}), ["fast"]);
  assert.deepEqual(names(resolve(text, { model: ["local", "local"] })), ["local"]);
});

Deno.test("the cache is one per key unless it is shared", () => {
  const cacheOf = (serve: string, flags: GatewayFlags = {}, top = "") => {
    const { cache, options } = resolve(`${MODELS}${top}serve: ${serve}\n`, flags);
    return [cache, options.cacheScope];
  };
  assert.deepEqual(cacheOf("{}"), [false, "key"]);
  assert.deepEqual(cacheOf("{cache: true}"), [{ ttl: undefined }, "key"]);
  assert.deepEqual(cacheOf("{cache: shared}"), [{ ttl: undefined }, "shared"]);
  assert.deepEqual(cacheOf("{cache: {ttl: 60, shared: true}}"), [{ ttl: 60 }, "shared"]);
  assert.deepEqual(cacheOf("{}", {}, "cache: {ttl: 9}\n"), [{ ttl: 9 }, "key"]);
  assert.deepEqual(cacheOf("{cache: {store: memory}}", {}, "cache: {ttl: 9}\n"), [
    { ttl: 9, store: "memory" },
    "key",
  ]);
  assert.deepEqual(cacheOf("{cache: false}", {}, "cache: true\n"), [false, "key"]);
  assert.deepEqual(cacheOf("{cache: shared}", { cache: true }), [{ ttl: undefined }, "key"]);
  assert.deepEqual(cacheOf("{}", { cache: "shared" }), [{ ttl: undefined }, "shared"]);
  assert.deepEqual(cacheOf("{cache: shared}", { cache: false })[0], false);
});

Deno.test("limits, teams and the database come from the file, flags override it", () => {
  const text = `${MODELS}serve:
  port: 9000
  database: keys.db
  timeout: 30
  max_queue: 5
  max_body: 1000
  keep_alive: 3
  cors: [https://chat.example.org]
  limits: {rpm: 100, budget: {month: 50, day: null}}
  teams: {web: {tpm: 1000, concurrent: 3}}
`;
  const settings = resolve(text, { port: 1, drain: 2 });
  const { access, options } = settings;
  assert.deepEqual([settings.port, settings.drain, settings.pool.timeout], [1, 2, 30]);
  assert.deepEqual(access.limits, { rpm: 100, budget: { month: 50 } });
  assert.deepEqual(access.teams, { web: { tpm: 1000, concurrent: 3 } });
  assert.match(access.database, /^\/.*flexllm-test-[^/]*\/keys\.db$/);
  assert.deepEqual(
    [options.maxQueue, options.maxBodyBytes, options.keepAlive, options.corsOrigins],
    [5, 1000, 3, ["https://chat.example.org"]],
  );
});

Deno.test("the admin key comes from the environment, else from the file, and is not shown", () => {
  const text = MODELS + "serve: {admin_key: secret-admin-key}\n";
  assert.equal(resolve(text).options.adminKey, "secret-admin-key");
  const env = { FLEXLLM_ADMIN_KEY: "other", ADMIN: "third" };
  assert.equal(resolve(text, {}, env).options.adminKey, "other");
  const reference = MODELS + "serve: {admin_key: '${ADMIN}'}\n";
  assert.equal(resolve(reference, {}, { ADMIN: "third" }).options.adminKey, "third");
  assert.throws(() => resolve(reference), { message: /ADMIN is not set/ });
  assert.doesNotMatch(JSON.stringify(redactConfig(load(text).value)), /secret-admin/);
});

Deno.test("mistakes in the section are reported with line and field", () => {
  const of = (serve: string) => () => load(`serve:\n  ${serve}\n`);
  assert.throws(of("ports: 1"), { message: /:2:3: unknown field "ports": did you mean "port"\?/ });
  assert.throws(of("port: 70000"), { message: /:2:9: serve\.port: expected a port up to 65535/ });
  assert.throws(of("cors: ['*']"), { message: /serve\.cors\[0\]: expected an origin/ });
  assert.throws(of("cors: [https://a.example/x]"), {
    message: /expected an origin without a path, .* got "https:\/\/a\.example\/x"/,
  });
  assert.throws(of("limits: {budget: 5}"), {
    message: /serve\.limits\.budget: expected USD per day/,
  });
  assert.throws(of("routes: {a: []}"), {
    message: /serve\.routes\.a: expected at least one model/,
  });
  assert.throws(of("admin_key: 5"), { message: /serve\.admin_key: expected a string/ });
  assert.throws(of("admin_key: ''"), {
    message: /serve\.admin_key: expected a string that is not empty, got ""/,
  });
  assert.throws(of("drain: 5m"), {
    message: /serve\.drain: expected a number of seconds, such as 300, got "5m"/,
  });
  assert.throws(of("max_body: 10MB"), { message: /serve\.max_body: expected a number of bytes/ });
});
