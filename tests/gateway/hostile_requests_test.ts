/** Requests that are made to break the gateway, to hide their cost, or to keep others waiting. */
import assert from "node:assert/strict";
import { openAccess } from "../../lib/gateway/access/open_access.ts";
import type { AccessDemand } from "../../lib/gateway/access.ts";
import { completion, HttpGateway } from "../support/http_gateway.ts";

const MESSAGES = [{ role: "user", content: "Hi" }];

/** The body of a request for Anthropic's format with a field whose name is written as JSON. */
function messagesWith(name: string, stream: boolean): string {
  return `{"model":"model","stream":${stream},"max_tokens":5,` +
    `"messages":[{"role":"user","content":"Hi"}],${name}:{"a":1}}`;
}

const NAMES = [
  '"\\ud800"',
  '"x\\r\\ny: 1"',
  '"\\u0000"',
  '"é"',
  JSON.stringify("z".repeat(100_000)),
  ...Object.getOwnPropertyNames(Object.prototype).map((name) => JSON.stringify(name)),
];

Deno.test("A field of any name gets an answer, with headers that every client accepts", async () => {
  await using gateway = new HttpGateway({}, undefined, [{}], { cache: { store: "memory" } });
  for (const name of NAMES) {
    for (const stream of [false, true]) {
      for (const path of ["/v1/messages", "/v1/chat/completions"]) {
        const response = await gateway.send(path, { body: messagesWith(name, stream) });
        const text = await response.text();
        assert.equal(response.status, 200, `${path} ${name}: ${text}`);
        for (const [header, value] of response.headers) {
          assert.ok(/^[\x20-\x7e]*$/.test(value) && value.length < 4000, `${header} of ${name}`);
        }
      }
    }
  }
  assert.equal(gateway.app.inFlight, 0);
});

Deno.test("A model that does not exist is refused at once, however long, and whatever there is", async () => {
  const routes = Object.fromEntries(
    Array.from({ length: 20_000 }, (_, i) => [`route-${i}-${"x".repeat(30)}`, ["a"]]),
  );
  await using gateway = new HttpGateway({ routes }, undefined, [{ name: "a" }]);
  for (const model of ["y".repeat(1_000_000), "\ud800".repeat(100), "rout-7", "\r\n"]) {
    const start = performance.now();
    const response = await gateway.chat({ model });
    await response.text();
    // Comparing the longest name with every route took minutes.
    assert.ok(performance.now() - start < 5000);
    assert.equal(response.status, 404);
    for (const [, value] of response.headers) assert.ok(value.length < 1000);
  }
});

/** Bodies that ask for more than a careless reader of them sees. */
const COSTLY: [path: string, body: object, tokens: number][] = [
  ["/v1/chat/completions", { max_tokens: 1, max_completion_tokens: 5000 }, 5000],
  ["/v1/chat/completions", { max_tokens: 5000, max_completion_tokens: 1 }, 5000],
  ["/v1/chat/completions", { max_tokens: -1 }, 1024],
  ["/v1/chat/completions", { max_tokens: 0 }, 1024],
  ["/v1/chat/completions", { max_tokens: "5000" }, 5000],
  ["/v1/chat/completions", { max_tokens: 100, n: 8 }, 800],
  ["/v1/chat/completions", { max_tokens: 100, n: "8" }, 800],
  ["/v1/chat/completions", { max_tokens: 100, n: -8 }, 100],
  ["/v1beta/models/model:generateContent", {
    generationConfig: { maxOutputTokens: 100, candidateCount: 8 },
    n: 1,
  }, 800],
  ["/v1beta/models/model:generateContent", {
    generation_config: { max_output_tokens: 100, candidate_count: 8 },
  }, 800],
  ["/v1beta/models/model:generateContent", {
    generationConfig: { maxOutputTokens: 1 },
    generation_config: { maxOutputTokens: 5000 },
  }, 5000],
];

Deno.test("Every spelling of the limits of an answer is reserved in full", async () => {
  for (const [path, fields, tokens] of COSTLY) {
    const access = await openAccess({ allowAnonymous: true, limits: { budget: { day: 5 } } });
    const demands: AccessDemand[] = [];
    const admit = access.admit.bind(access);
    access.admit = (caller, demand, signal) => {
      demands.push(demand);
      return admit(caller, demand, signal);
    };
    const prices = [{ model: "model", input: 1, output: 10 }];
    await using gateway = new HttpGateway({ access }, undefined, [{ prices }]);
    const content = path.includes("v1beta")
      ? { contents: [{ role: "user", parts: [{ text: "Hi" }] }] }
      : { model: "model", messages: MESSAGES };
    await (await gateway.send(path, { body: { ...content, ...fields } })).text();
    assert.equal(demands[0]?.completionTokens, tokens, JSON.stringify(fields));
    assert.ok(demands[0].cost! >= tokens * 10e-6);
    await access.close();
  }
});

Deno.test("A client cannot have another model than the route's from a service that takes several", async () => {
  await using gateway = new HttpGateway({}, undefined, [
    { name: "or", model: "cheap", baseUrl: "https://openrouter.ai/api/v1" },
    { name: "other", model: "cheap", baseUrl: "https://llm.example/v1" },
  ]);
  for (const stream of [false, true]) {
    const { status, error } = await gateway.error("/v1/chat/completions", {
      body: { model: "or", messages: MESSAGES, models: ["openai/o1-pro"], stream },
    });
    assert.deepEqual([status, error.param], [400, "models"], JSON.stringify(error));
  }
  assert.equal(gateway.sent.length, 0);
  assert.equal((await gateway.chat({ model: "or" })).status, 200);
  assert.equal((await gateway.chat({ model: "other", models: ["x"] })).status, 200);
});

Deno.test("Answers under other beta features are not shared", async () => {
  await using gateway = new HttpGateway({}, undefined, [{}], { cache: { store: "memory" } });
  const ask = async (headers: Record<string, string>) => {
    const response = await gateway.chat({}, headers);
    await response.text();
    return response.headers.get("x-flexllm-cache");
  };
  assert.equal(await ask({}), "miss");
  assert.equal(await ask({ "openai-beta": "x=v1" }), "miss");
  assert.equal(await ask({ "openai-beta": "x=v1" }), "hit");
  assert.equal(await ask({ "openai-beta": "x=v2" }), "miss");
  assert.equal(await ask({}), "hit");
});

Deno.test("What a provider reads besides the body does not raise the estimates of others", async () => {
  const access = await openAccess({ allowAnonymous: true, limits: { budget: { day: 1000 } } });
  const demands: AccessDemand[] = [];
  const admit = access.admit.bind(access);
  access.admit = (caller, demand, signal) => {
    demands.push(demand);
    return admit(caller, demand, signal);
  };
  const prices = [{ model: "model", input: 1, output: 10 }];
  const usage = { prompt_tokens: 150_000, completion_tokens: 2, total_tokens: 150_002 };
  const answer = () => Response.json({ ...completion(), usage });
  await using gateway = new HttpGateway({ access }, answer, [{ prices }]);
  const before = { max_tokens: 5, messages: MESSAGES };
  for (const fields of [{ web_search_options: {} }, { previous_response_id: "resp_1" }, {}]) {
    await (await gateway.chat({ model: "model", ...before, ...fields })).text();
  }
  await (await gateway.chat({ model: "model", ...before })).text();
  assert.ok(demands[2].promptTokens < 50, `${demands[2].promptTokens} tokens`);
  assert.ok(demands[3].promptTokens < 5000, `${demands[3].promptTokens} tokens`);
  await access.close();
});
