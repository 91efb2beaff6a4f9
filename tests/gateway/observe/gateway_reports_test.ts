/** The reports of a whole gateway: calls through it appear in its status, its metrics and on its page. */
import assert from "node:assert/strict";
import { createGatewayApp, type GatewayFacts, LLMClientPool } from "../../../mod.ts";
import type { GatewayStatus } from "../../../lib/gateway/status.ts";

const ADMIN = { authorization: "Bearer admin-secret" };

function mockPool(...names: string[]): LLMClientPool {
  return new LLMClientPool({
    endpoints: names.map((name) => ({ name, provider: "mock", model: "mock" })),
    retryTimes: 0,
  });
}

function startGateway() {
  const facts: GatewayFacts[] = [];
  const options = {
    adminKey: "admin-secret",
    routes: {
      "gpt-5": { targets: ["one", "big@two"], loadBalance: "round_robin" as const, sticky: false },
    },
    onRequest: (each: GatewayFacts) => void facts.push(each),
  };
  const app = createGatewayApp(mockPool("one", "two"), options);
  const get = (path: string, headers: Record<string, string> = ADMIN) =>
    app.fetch(new Request(`http://localhost${path}`, { headers }));
  const call = async (model: string) => {
    const body = JSON.stringify({ model, messages: [{ role: "user", content: "Hello!" }] });
    const response = await app.fetch(
      new Request("http://localhost/v1/chat/completions", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      }),
    );
    await response.text();
    return response.status;
  };
  const status = async () => await (await get("/status")).json() as GatewayStatus;
  return {
    app,
    facts,
    get,
    call,
    status,
    [Symbol.asyncDispose]: () => app.close(),
  };
}

Deno.test("calls appear in the status, the metrics and on the page", async () => {
  await using gateway = startGateway();
  const statuses = [];
  for (const model of ["one", "gpt-5", "gpt-5", "unknown"]) {
    statuses.push(await gateway.call(model));
  }
  assert.deepEqual(statuses, [200, 200, 200, 404]);
  const status = await gateway.status();
  assert.equal(status.ready, true);
  assert.equal(status.inFlight, 0);
  assert.equal(status.keys, null);
  assert.deepEqual([status.totals.requests, status.totals.errors], [4, 1]);
  assert.ok(status.totals.promptTokens > 0 && status.totals.completionTokens > 0);
  assert.deepEqual(status.endpoints.map(({ name, model }) => `${model}@${name}`), [
    "mock@one",
    "mock@two",
    "big@two",
  ]);
  assert.equal(status.endpoints.reduce((sum, { answers }) => sum + answers, 0), 3);
  assert.deepEqual(status.routes, [
    { name: "one", targets: ["one"], loadBalance: "round_robin", sticky: false },
    { name: "two", targets: ["two"], loadBalance: "round_robin", sticky: false },
    { name: "gpt-5", targets: ["one", "big@two"], loadBalance: "round_robin", sticky: false },
  ]);
  assert.equal(status.recentErrors[0].model, "unknown");
  assert.equal(status.recentErrors[0].status, 404);
  assert.equal(status.traffic.reduce((sum, { requests }) => sum + requests, 0), 4);
  assert.equal(gateway.facts.length, 4);

  const metrics = await (await gateway.get("/metrics")).text();
  const labels = 'route="one",model="mock",endpoint="one",operation="chat"';
  assert.ok(
    metrics.includes(`flexllm_requests_total{${labels},status="200",outcome="success"} 1\n`),
  );
  assert.match(metrics, /^flexllm_requests_total\{route="other",.*status="404",.*\} 1$/m);
  assert.match(
    metrics,
    /^flexllm_request_duration_seconds_count\{route="gpt-5",.*endpoint="two"\} 1$/m,
  );
  assert.match(metrics, /^flexllm_endpoint_state\{endpoint="two",model="big",state="up"\} 1$/m);

  const page = await (await gateway.get("/", { ...ADMIN, accept: "text/html" })).text();
  assert.match(page, /<title>Serving – flexllm<\/title>/);
  assert.match(page, /the model &quot;unknown&quot; does not exist/);
});

Deno.test("the reports need the admin key", async () => {
  await using gateway = startGateway();
  for (const path of ["/", "/status", "/metrics"]) {
    const response = await gateway.get(path, { accept: "text/html" });
    assert.equal(response.status, 401);
    assert.doesNotMatch(await response.text(), /one|gpt-5/);
  }
});

Deno.test("after a reload the reports show the new pool, and counts continue", async () => {
  await using gateway = startGateway();
  await gateway.call("one");
  gateway.app.reload(mockPool("three"), { adminKey: "admin-secret" });
  assert.equal(await gateway.call("three"), 200);
  const { endpoints, routes, totals } = await gateway.status();
  assert.deepEqual(endpoints.map(({ name, answers }) => [name, answers]), [["three", 1]]);
  assert.deepEqual(routes.map(({ name }) => name), ["three"]);
  assert.equal(totals.requests, 2);
});

Deno.test("a draining gateway says so", async () => {
  await using gateway = startGateway();
  await gateway.app.drain();
  const { draining, ready, reason } = await gateway.status();
  assert.deepEqual([draining, ready, reason], [true, false, "draining"]);
  assert.match(await (await gateway.get("/metrics")).text(), /^flexllm_draining 1$/m);
});

Deno.test("an observer that throws breaks no answer", async () => {
  await using app = createGatewayApp(mockPool("one"), {
    onRequest() {
      throw new Error("disk full");
    },
  });
  const response = await app.fetch(
    new Request("http://localhost/v1/chat/completions", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "one", messages: [{ role: "user", content: "Hello!" }] }),
    }),
  );
  assert.equal(response.status, 200);
  assert.match(await response.text(), /"chat\.completion"/);
});
