import assert from "node:assert/strict";
import { LLMClientPool } from "../../lib/client/pool.ts";
import type { PoolOptions } from "../../lib/client/client_options.ts";
import { pipelineOf } from "../../lib/client/client.ts";
import type { GatewayOptions } from "../../lib/gateway/gateway_options.ts";
import { preferredBy } from "../../lib/gateway/rendezvous.ts";
import { Routes } from "../../lib/gateway/routes.ts";
import { gatewayOf } from "../support/gateway.ts";
import { startModelServer } from "../support/model_server.ts";

const ENDPOINTS: PoolOptions["endpoints"] = [
  { name: "fast", model: "m-1", baseUrl: "http://one.test/v1" },
  { model: "m-2", baseUrl: "http://two.test/v1" },
  { name: "twin", model: "m-3", baseUrl: "http://three.test/v1" },
  { name: "twin", model: "m-4", baseUrl: "http://four.test/v1" },
];

function routesOf(
  routes: GatewayOptions["routes"] = {},
  options: Partial<PoolOptions> = {},
): Routes {
  return new Routes(pipelineOf(new LLMClientPool({ endpoints: ENDPOINTS, ...options })), routes);
}

function targets(routes: Routes, name: string): string[] | undefined {
  return routes.get(name)?.targets.map(({ endpoint, model }) => `${model} ${endpoint.baseUrl}`);
}

Deno.test("Endpoints are routes by their name, else by their model", () => {
  const routes = routesOf();
  assert.deepEqual([...routes.all()].map(({ name }) => name), ["fast", "m-2", "twin"]);
  assert.deepEqual(targets(routes, "m-2"), ["m-2 http://two.test/v1"]);
  assert.deepEqual(targets(routes, "twin"), [
    "m-3 http://three.test/v1",
    "m-4 http://four.test/v1",
  ]);
  assert.equal(routes.get("m-1"), undefined);
});

Deno.test("Routes name endpoints, other models at endpoints, and may shadow a name", () => {
  const routes = routesOf({
    "gpt-4": ["fast", "other@m-2"],
    fast: { targets: ["m-2"] },
    both: ["org/model@twin", "fast", "fast"],
  });
  assert.deepEqual(targets(routes, "gpt-4"), [
    "m-1 http://one.test/v1",
    "other http://two.test/v1",
  ]);
  assert.deepEqual(targets(routes, "fast"), ["m-2 http://two.test/v1"]);
  assert.deepEqual(targets(routes, "both"), [
    "org/model http://three.test/v1",
    "org/model http://four.test/v1",
    "m-1 http://one.test/v1",
  ]);
});

Deno.test("Routes to endpoints that do not exist are refused with a suggestion", () => {
  const cases: [string, RegExp, RegExp][] = [
    ["fats", /route "x" names the endpoint "fats", which does not exist/, /Did you mean "fast"\?/],
    ["m@fats", /names the endpoint "fats"/, /Did you mean "m@fast"\?/],
    ["nothing-like-it", /"nothing-like-it"/, /fast, m-2, twin/],
  ];
  for (const [target, message, hint] of cases) {
    assert.throws(
      () => routesOf({ x: [target] }),
      { code: "configuration", message, hint } as never,
    );
  }
  assert.throws(() => routesOf({ x: [] }), { message: 'the route "x" has no endpoint' });
});

Deno.test("Another model at an endpoint is one endpoint for all routes, with the same slots", () => {
  const routes = routesOf({ a: ["x@fast"], b: ["x@fast", "fast"] });
  const [derived] = routes.get("a")!.endpoints;
  assert.equal(routes.get("b")!.endpoints[0], derived);
  const original = routes.get("fast")!.endpoints[0];
  original.limits.begin(0);
  assert.equal(derived.limits.inFlight, 1);
  original.limits.end();
});

Deno.test("Only routes that spread their calls keep conversations at an endpoint", () => {
  const spread = { targets: ["fast", "m-2"], loadBalance: "round_robin" } as const;
  const routes = routesOf({
    ordered: ["fast", "m-2"],
    spread,
    loose: { ...spread, sticky: false },
    single: { ...spread, targets: ["fast"] },
  });
  const sticky = [...routes.all()].filter(({ isSticky }) => isSticky).map(({ name }) => name);
  assert.deepEqual(sticky, ["twin", "spread"]);
});

Deno.test("Rendezvous hashing is even, and moves only what it must", () => {
  const names = ["a", "b", "c", "d"];
  const assigned = (session: string, of: string[]) => preferredBy(session, of, (name) => name);
  const counts = new Map<string, number>();
  for (let i = 0; i < 4000; i++) {
    const session = `session-${i}`;
    const all = assigned(session, names);
    counts.set(all, (counts.get(all) ?? 0) + 1);
    const without = assigned(session, names.filter((name) => name !== "b"));
    if (all !== "b") assert.equal(without, all);
  }
  for (const count of counts.values()) assert.ok(count > 800 && count < 1200, `${count}`);
});

Deno.test("The calls of a conversation stay at one endpoint, and move if it fails", async () => {
  await using one = await startModelServer();
  await using two = await startModelServer();
  await using gateway = gatewayOf({
    endpoints: [one, two].map(({ baseUrl }, i) => ({ name: `e${i}`, model: "m", baseUrl })),
  }, { routes: { both: { targets: ["e0", "e1"], loadBalance: "round_robin" } } });
  const endpointOf = async (session: string) => {
    const response = await gateway.chat("both", {}, { headers: { "x-session-id": session } });
    await response.text();
    return response.headers.get("x-flexllm-endpoint");
  };
  const used = new Set<string | null>();
  for (let i = 0; i < 12; i++) {
    const first = await endpointOf(`s${i}`);
    used.add(first);
    assert.equal(await endpointOf(`s${i}`), first);
  }
  assert.equal(used.size, 2);
});
