/** Batch APIs of servers that are hostile or broken: lists without end, lists that are none, foreign URLs. */
import assert from "node:assert/strict";
import type { BatchApi } from "../../lib/batch_api/batch_api.ts";
import { batchApiOf } from "../../lib/batch_api/registry.ts";
import { protocolNamed } from "../../lib/protocols/registry.ts";
import type { ServiceName } from "../../lib/services/service_table.ts";
import { service } from "../../lib/services/services.ts";
import { createBatchHttp } from "../../lib/batch_api/http.ts";
import type { Fetch } from "../../mod.ts";
import { allResults, batchEndpoint, jobInput } from "./scripted_api.ts";

const NO_LIST = '{"data":"soon","batches":"soon","operations":"soon"}';

const APIS = [
  ["openai", "chat"],
  ["groq", "chat"],
  ["together", "chat"],
  ["mistral", "chat"],
  ["xai", "chat"],
  ["openrouter", "chat"],
  ["claude", "claude"],
  ["gemini", "gemini"],
] as const;

/** A batch API whose server gives the same answer to everything, or one by the number of the request. */
function api(name: typeof APIS[number][0], format: string, answer: (n: number) => Response) {
  const endpoint = batchEndpoint("https://api.example/v1", {
    service: service(name as ServiceName),
  });
  const protocol = protocolNamed(format)!;
  let n = 0;
  const fetch: Fetch = () => Promise.resolve(answer(n++));
  const http = createBatchHttp(endpoint, fetch, { protocol, now: () => 1_000_000 });
  return { api: batchApiOf(endpoint, protocol)!, http, requests: () => n };
}

function find({ api, http }: { api: BatchApi; http: ReturnType<typeof createBatchHttp> }) {
  const input = { ...jobInput(api, { bodies: ["{}"] }), uploaded: { file: "files/f" } };
  return api.find(http, input, 0);
}

for (const [name, format] of APIS) {
  for (const text of ['{"error":{"message":"try later"}}', "[1]", '"ok"', "", NO_LIST]) {
    Deno.test(`${name}: ${text || "an empty answer"} does not prove that no job exists`, async () => {
      await assert.rejects(find(api(name, format, () => new Response(text))));
    });
  }

  // Together's list has no pages.
  if (name === "together") continue;
  for (const items of ["no jobs", "jobs"]) {
    Deno.test(`${name}: a list without end, of ${items}, is an error`, async () => {
      const world = api(name, format, (n) => {
        const job = { id: `b${n}`, batch_id: `b${n}`, name: `batches/b${n}`, status: "completed" };
        const jobs = items === "jobs" ? [job] : [];
        return Response.json({
          data: jobs,
          batches: jobs,
          has_more: true,
          last_id: `b${n}`,
          nextPageToken: `b${n}`,
          pagination_token: `b${n}`,
          paging: { next_cursor: `b${n}` },
        });
      });
      // Mistral's pages have numbers, and an empty one is the last.
      if (name === "mistral" && items === "no jobs") assert.deepEqual(await find(world), []);
      else await assert.rejects(find(world), /the server's list has no end/);
      assert.ok(world.requests() <= 2_001);
    });
  }
}

for (const name of ["xai", "openrouter"] as const) {
  Deno.test(`${name}: results whose cursors go in circles end`, async () => {
    const { api: adapter, http, requests } = api(name, "chat", (n) => {
      const cursor = n % 2 === 0 ? "a" : "b";
      return Response.json({
        results: [],
        data: [],
        pagination_token: cursor,
        next_cursor: cursor,
      });
    });
    const rows = await allResults(adapter, http, { id: "b1", status: "completed" });
    assert.deepEqual([rows, requests()], [[], 3]);
  });
}

Deno.test("the server's clock is read from its answers, also from errors", async () => {
  const date = new Date(4_600_000).toUTCString();
  const { http } = api("openai", "chat", (n) => {
    return new Response("{}", { status: n === 0 ? 200 : 502, headers: n === 0 ? {} : { date } });
  });
  await http.send({ method: "GET", path: "/batches" });
  assert.equal(http.clockOffset, undefined);
  await assert.rejects(http.send({ method: "GET", path: "/batches" }));
  assert.equal(http.clockOffset, 3_600_000);
});
