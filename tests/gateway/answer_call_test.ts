import assert from "node:assert/strict";
import { gatewayOf, HELLO, textOf } from "../support/gateway.ts";
import {
  answer,
  chunk,
  type ModelRequest,
  refuse,
  startModelServer,
  startStream,
  STREAM_END,
} from "../support/model_server.ts";

const STREAM = { stream: true };

Deno.test("A call goes to the endpoint of its name, under the endpoint's model", async () => {
  await using server = await startModelServer();
  await using gateway = gatewayOf({
    endpoints: [{ name: "fast", model: "m-1", baseUrl: server.baseUrl, apiKey: "sk-upstream" }],
  });
  for (const rest of [{}, STREAM]) {
    const response = await gateway.chat("fast", rest);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("x-flexllm-route"), "fast");
    assert.equal(await textOf(response), "Hi");
  }
  assert.deepEqual(server.requests.map(({ body }) => body.model), ["m-1", "m-1"]);
  assert.equal(server.requests[0].headers.authorization, "Bearer sk-upstream");
  const [plain, streamed] = gateway.facts;
  for (const facts of [plain, streamed]) {
    assert.equal(facts.outcome, "success");
    assert.equal(facts.status, 200);
    assert.equal(facts.route, "fast");
    assert.equal(facts.endpoint, "fast");
    assert.equal(facts.model, "m-1");
    assert.equal(facts.attempts, 1);
    assert.equal(facts.usage?.totalTokens, 7);
    assert.ok(facts.overhead <= facts.duration);
  }
  assert.equal(plain.firstToken, undefined);
  assert.ok(streamed.firstToken! >= 0);
  assert.equal(gateway.app.inFlight, 0);
});

Deno.test("Unknown models are refused with a suggestion, and reported", async () => {
  await using gateway = gatewayOf({ endpoints: [{ name: "sonnet", provider: "mock" }] });
  const response = await gateway.chat("sonet");
  assert.equal(response.status, 404);
  const { error } = await response.json();
  assert.match(error.message, /"sonet" does not exist.*"sonnet"/);
  assert.equal(error.code, "model_not_found");
  assert.equal(gateway.facts.length, 1);
  assert.equal(gateway.facts[0].status, 404);
  assert.equal(gateway.facts[0].requestedModel, "sonet");
  assert.equal(gateway.facts[0].route, undefined);
});

Deno.test("A failed call moves to the next endpoint of its route, plain and streamed", async () => {
  await using broken = await startModelServer((request) => refuse(request, 500, "broken"));
  await using healthy = await startModelServer();
  const endpoint = (name: string, { baseUrl }: { baseUrl: string }) => ({
    name,
    model: "m",
    baseUrl,
  });
  for (const rest of [{}, STREAM]) {
    await using gateway = gatewayOf(
      { endpoints: [endpoint("a", broken), endpoint("b", healthy)] },
      { routes: { both: ["a", "b"] } },
    );
    const response = await gateway.chat("both", rest);
    assert.equal(response.status, 200);
    assert.equal(await textOf(response), "Hi");
    const [facts] = gateway.facts;
    assert.equal(facts.endpoint, "b");
    assert.deepEqual([facts.attempts, facts.retries, facts.fallbacks], [2, 0, 1]);
  }
});

Deno.test("A stream that breaks before its first content moves on; the client sees one answer", async () => {
  await using broken = await startModelServer(({ response }) => {
    startStream(response);
    response.write(chunk({ role: "assistant", content: "" }));
    setTimeout(() => response.destroy(), 5);
  });
  await using healthy = await startModelServer();
  await using gateway = gatewayOf({
    endpoints: [
      { name: "a", model: "m", baseUrl: broken.baseUrl },
      { name: "b", model: "m", baseUrl: healthy.baseUrl },
    ],
  }, { routes: { both: ["a", "b"] } });
  const text = await (await gateway.chat("both", STREAM)).text();
  assert.equal(text.match(/\[DONE\]/g)?.length, 1);
  assert.equal(text.match(/"Hi"/g)?.length, 1);
  assert.equal(gateway.facts[0].fallbacks, 1);
});

Deno.test("A stream that breaks in the middle ends with an error event, never with [DONE]", async () => {
  for (const how of ["destroy", "end"] as const) {
    await using server = await startModelServer(({ response }) => {
      startStream(response);
      response.write(chunk({ content: "Once upon" }));
      setTimeout(() => how === "end" ? response.end() : response.destroy(), 5);
    });
    await using gateway = gatewayOf({
      endpoints: [{ name: "a", model: "gpt-4.1-mini", baseUrl: server.baseUrl }],
    });
    const response = await gateway.chat("a", STREAM);
    assert.equal(response.status, 200);
    const text = await response.text();
    assert.match(text, /Once upon/);
    assert.match(text, /"error"/);
    assert.doesNotMatch(text, /\[DONE\]/);
    assert.equal(server.requests.length, 1);
    const [facts] = gateway.facts;
    assert.equal(facts.outcome, "error");
    assert.equal(facts.status, 200);
    assert.ok(facts.usage!.completionTokens > 0, "the part that arrived is counted");
    assert.equal(gateway.app.inFlight, 0);
  }
});

Deno.test("Errors of a provider pass through to clients of its format, without secrets", async () => {
  await using server = await startModelServer((request) =>
    refuse(request, 400, "bad tool for sk-secret-upstream", { "x-should-retry": "false" })
  );
  await using gateway = gatewayOf({
    endpoints: [{ name: "a", model: "m", baseUrl: server.baseUrl, apiKey: "sk-secret-upstream" }],
  });
  const response = await gateway.chat("a", STREAM);
  assert.equal(response.status, 400);
  assert.equal(response.headers.get("content-type"), "application/json");
  const { error } = await response.json();
  assert.equal(error.type, "x");
  assert.match(error.message, /^bad tool for \[key removed\]$/);
  assert.doesNotMatch(gateway.facts[0].error!, /sk-secret/);

  const translated = await gateway.send("/v1/messages", {
    model: "a",
    max_tokens: 10,
    messages: [{ role: "user", content: "Hi" }],
  });
  assert.equal(translated.status, 400);
  const body = await translated.json();
  assert.equal(body.type, "error");
  assert.doesNotMatch(JSON.stringify(body), /sk-secret/);
});

Deno.test("A rejected provider key is not reported as the client's", async () => {
  await using server = await startModelServer((request) =>
    refuse(request, 401, "bad key sk-secret-x")
  );
  await using gateway = gatewayOf({
    endpoints: [{ name: "a", model: "m", baseUrl: server.baseUrl, apiKey: "sk-secret-x" }],
  });
  const response = await gateway.chat("a");
  assert.equal(response.status, 502);
  assert.doesNotMatch(await response.text(), /sk-secret/);
});

Deno.test("Rate limits of a provider are retried, then reported with their wait", async () => {
  await using server = await startModelServer((request, i) =>
    i < 2 ? refuse(request, 429, "slow down", { "retry-after": "0" }) : answer(request, "Hi")
  );
  await using gateway = gatewayOf({
    endpoints: [{ name: "a", model: "m", baseUrl: server.baseUrl }],
  });
  assert.equal(await textOf(await gateway.chat("a")), "Hi");
  assert.equal(gateway.facts[0].retries, 2);
  assert.equal(gateway.facts[0].fallbacks, 0);

  await using limited = await startModelServer((request) =>
    refuse(request, 429, "slow down", { "retry-after": "7" })
  );
  await using other = gatewayOf({
    retryTimes: 0,
    endpoints: [{ name: "a", model: "m", baseUrl: limited.baseUrl }],
  });
  const response = await other.chat("a");
  assert.equal(response.status, 429);
  assert.equal(response.headers.get("retry-after"), "7");
});

Deno.test("A full queue refuses further calls at once", async () => {
  await using server = await startModelServer(() => {});
  await using gateway = gatewayOf({
    endpoints: [{ name: "a", model: "m", baseUrl: server.baseUrl, concurrencyLimit: 1 }],
  }, { maxQueue: 2 });
  const leave = new AbortController();
  const calls = [1, 2, 3].map(() => gateway.chat("a", {}, { signal: leave.signal }));
  await server.untilOpen(1);
  const response = await gateway.chat("a");
  assert.equal(response.status, 429);
  assert.ok(Number(response.headers.get("retry-after")) > 0);
  assert.match((await response.json()).error.message, /waiting/);
  leave.abort();
  await Promise.all(calls);
  await server.untilOpen(0);
  assert.equal(gateway.app.inFlight, 0);
});

Deno.test("A call waits for a slot no longer than maxWait", async () => {
  await using server = await startModelServer(() => {});
  await using gateway = gatewayOf({
    maxWait: 0.05,
    endpoints: [{ name: "a", model: "m", baseUrl: server.baseUrl, concurrencyLimit: 1 }],
  });
  const leave = new AbortController();
  const first = gateway.chat("a", {}, { signal: leave.signal });
  await server.untilOpen(1);
  const response = await gateway.chat("a");
  assert.equal(response.status, 429);
  assert.match((await response.json()).error.message, /no endpoint was free within 0.05 s/);
  assert.ok(gateway.facts[0].queued >= 0.04);
  leave.abort();
  await first;
});

Deno.test("The timeout that a client announces ends its call", async () => {
  await using server = await startModelServer(() => {});
  await using gateway = gatewayOf({
    endpoints: [{ name: "a", model: "m", baseUrl: server.baseUrl }],
  });
  const headers = { "x-stainless-timeout": "0.2" };
  const response = await gateway.chat("a", {}, { headers });
  assert.equal(response.status, 504);
  await server.untilOpen(0);
  assert.equal(gateway.app.inFlight, 0);
});

Deno.test("Silent streams get keep-alive comments, also before the first token", async () => {
  const arrived = Promise.withResolvers<ModelRequest>();
  await using server = await startModelServer((request) => {
    startStream(request.response);
    arrived.resolve(request);
  });
  await using gateway = gatewayOf(
    { endpoints: [{ name: "a", model: "m", baseUrl: server.baseUrl }] },
    { keepAlive: 0.02 },
  );
  const response = await gateway.chat("a", STREAM);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  assert.equal((await reader.read()).value, ": ping\n\n");
  assert.equal((await reader.read()).value, ": ping\n\n");
  const { response: upstream } = await arrived.promise;
  upstream.write(chunk({ content: "Hi" }));
  upstream.end(STREAM_END);
  let rest = "";
  for (let step = await reader.read(); !step.done; step = await reader.read()) rest += step.value;
  assert.match(rest, /"Hi"[\s\S]*\[DONE\]/);
});

Deno.test("After a keep-alive a failure is an error event", async () => {
  const arrived = Promise.withResolvers<ModelRequest>();
  await using server = await startModelServer(arrived.resolve);
  await using gateway = gatewayOf(
    { endpoints: [{ name: "a", model: "m", baseUrl: server.baseUrl }] },
    { keepAlive: 0.02 },
  );
  const response = await gateway.chat("a", STREAM);
  assert.equal(response.status, 200);
  refuse(await arrived.promise, 400, "no");
  const text = await response.text();
  assert.match(text, /: ping/);
  assert.match(text, /data: \{"error":\{"message":"no"/);
  assert.doesNotMatch(text, /DONE/);
});

Deno.test("After a keep-alive a failure completes the JSON array that Gemini's clients may ask for", async () => {
  const arrived = Promise.withResolvers<ModelRequest>();
  await using server = await startModelServer(arrived.resolve);
  await using gateway = gatewayOf(
    { endpoints: [{ name: "a", model: "m", baseUrl: server.baseUrl }] },
    { keepAlive: 0.02 },
  );
  const contents = [{ role: "user", parts: [{ text: "Hi" }] }];
  const response = await gateway.send("/v1beta/models/a:streamGenerateContent", { contents });
  assert.equal(response.status, 200);
  refuse(await arrived.promise, 400, "no");
  const [{ error }] = JSON.parse(await response.text());
  assert.deepEqual([error.code, error.message], [400, "no"]);
});

for (
  const [path, body, expected] of [
    ["/v1/chat/completions", { stream: true, messages: HELLO }, /"Hi"[^]*\n\n: ping\n\n/],
    ["/v1/responses", { stream: true, input: "Hi" }, /"Hi"[^]*\n\n: ping\n\n/],
    [
      "/v1/messages",
      { stream: true, max_tokens: 9, messages: HELLO },
      /"Hi"[^]*\n\nevent: ping\ndata: \{"type": "ping"\}\n\n/,
    ],
    [
      "/v1beta/models/a:streamGenerateContent?alt=sse",
      { contents: [{ role: "user", parts: [{ text: "Hi" }] }] },
      /"Hi"[^]*\n\n: ping\n\n/,
    ],
  ] as const
) {
  Deno.test(`A pause in the middle of an answer is filled as ${path} allows`, async () => {
    let finish = () => {};
    await using server = await startModelServer(({ response }) => {
      startStream(response);
      response.write(chunk({ content: "Hi" }));
      finish = () => response.end(STREAM_END);
    });
    await using gateway = gatewayOf(
      { endpoints: [{ name: "a", model: "m", baseUrl: server.baseUrl }] },
      { keepAlive: 0.02 },
    );
    const response = await gateway.send(path, { model: "a", ...body });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!expected.test(text)) text += (await reader.read()).value;
    finish();
    for (let step = await reader.read(); !step.done; step = await reader.read()) text += step.value;
    assert.match(text, expected);
    assert.doesNotMatch(text, /"error":\{|event: error/);
  });
}

Deno.test("Only the timeout of the pool limits a silent provider; keep-alives are no sign of life", async () => {
  for (const stream of [true, false]) {
    await using server = await startModelServer((request) => {
      setTimeout(() => answer(request, "At last"), 300);
    });
    const endpoints = [{ name: "a", model: "m", baseUrl: server.baseUrl }];
    await using patient = gatewayOf({ endpoints }, { keepAlive: 0.02 });
    assert.equal(await textOf(await patient.chat("a", { stream })), "At last");
    await using strict = gatewayOf(
      { endpoints, timeout: 0.1, retryTimes: 0 },
      { keepAlive: 0.02 },
    );
    const response = await strict.chat("a", { stream });
    assert.equal(response.status, stream ? 200 : 504);
    assert.match(await response.text(), /"upstream_timeout"/);
  }
});
