/** A pool lists the models of all its endpoints. */
import assert from "node:assert/strict";
import { LLMClient, LLMClientPool } from "../../mod.ts";

/** A pool of servers with the given models; `undefined` for a server that rejects the key. */
function poolOf(...servers: (string[] | undefined)[]) {
  const requested: string[] = [];
  const pool = new LLMClientPool({
    endpoints: servers.map((models, i) => ({
      baseUrl: `http://server${i}.invalid/v1`,
      model: "m",
      fetch: (url) => {
        requested.push(new URL(url).host);
        return Promise.resolve(
          models === undefined
            ? Response.json({ error: { message: "no" } }, { status: 401 })
            : Response.json({ data: models.map((id) => ({ id })) }),
        );
      },
    })),
    loadBalance: "fallback",
  });
  return { pool, requested };
}

Deno.test("models() of a pool merges the lists of its endpoints", async () => {
  const { pool, requested } = poolOf(["a", "b"], ["b", "c"]);
  assert.ok(pool instanceof LLMClient);
  assert.deepEqual((await pool.models()).map(({ id }) => id), ["a", "b", "c"]);
  assert.deepEqual(requested.toSorted(), ["server0.invalid", "server1.invalid"]);
  await pool.close();
});

Deno.test("models() of a pool skips endpoints that fail, unless all do", async () => {
  const { pool } = poolOf(undefined, ["c"]);
  assert.deepEqual(await pool.models(), [{ id: "c" }]);
  await assert.rejects(poolOf(undefined, undefined).pool.models(), { code: "authentication" });
  await assert.rejects(pool.models({ signal: AbortSignal.abort() }), { code: "aborted" });
});

Deno.test("a client with endpoints is a pool", async () => {
  await using client = new LLMClient({
    endpoints: [{ provider: "mock", model: "mock" }, { provider: "mock", concurrencyLimit: 5 }],
  });
  assert.equal(client.concurrencyLimit, 15);
  assert.equal(client.stats.length, 2);
  // @ts-expect-error: a pool has endpoints
  assert.throws(() => new LLMClientPool({}), /endpoints: expected at least one endpoint/);
});
