/** What a gateway records of its requests, calls and attempts, in both lanes. */
import assert from "node:assert/strict";
import process from "node:process";
import { trace } from "@opentelemetry/api";
import { ATTRIBUTES } from "../../lib/telemetry/semantic_names.ts";
import { routeOf } from "../../lib/gateway/observe/request_traces.ts";
import { gatewayOf, textOf } from "../support/gateway.ts";
import { parentOf, RecordedTelemetry, SpanKind } from "../support/recorded_telemetry.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";
const TRACEPARENT = `00-${TRACE}-${PARENT}-01`;
const KEY = "sk-provider-key-123456";
const USAGE = { prompt_tokens: 10, completion_tokens: 20, total_tokens: 30 };

function answer(): Response {
  const message = { role: "assistant", content: "Hi there" };
  const choices = [{ index: 0, finish_reason: "stop", message }];
  return Response.json({ id: "c-1", model: "m-1", choices, usage: USAGE });
}

function stream(): Response {
  const event = (fields: object) => `data: ${JSON.stringify({ model: "m-1", ...fields })}\n\n`;
  return new Response(
    event({ choices: [{ index: 0, delta: { content: "Hi" } }] }) +
      event({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }], usage: USAGE }) +
      "data: [DONE]\n\n",
    { headers: { "content-type": "text/event-stream" } },
  );
}

function gateway(answers: () => Response, sent: Record<string, string>[] = []) {
  return gatewayOf({
    endpoints: [{
      name: "fast",
      model: "m",
      baseUrl: "http://llm.example/v1",
      apiKey: KEY,
      fetch: (_url, { headers }) => {
        sent.push(headers as Record<string, string>);
        return Promise.resolve(answers());
      },
    }],
  });
}

Deno.test("a request is a server span below the client's, with the call and its attempts", async () => {
  await using recorded = new RecordedTelemetry();
  const sent: Record<string, string>[] = [];
  let requests = 0;
  await using gate = gateway(
    () => requests++ === 0 ? Response.json({ error: {} }, { status: 500 }) : answer(),
    sent,
  );
  const response = await gate.chat("fast", {}, { headers: { traceparent: TRACEPARENT } });
  assert.equal(await textOf(response), "Hi there");
  const request = recorded.only("POST /v1/chat/completions");
  assert.equal(request.kind, SpanKind.SERVER);
  assert.equal(request.spanContext().traceId, TRACE);
  assert.equal(parentOf(request), PARENT);
  assert.equal(request.attributes["http.response.status_code"], 200);
  assert.equal(request.attributes["flexllm.route"], "fast");
  assert.equal(request.attributes["flexllm.lane"], "native");
  assert.equal(request.attributes["flexllm.call.id"], response.headers.get("x-flexllm-call-id"));
  const call = recorded.only("chat m");
  assert.equal(call.kind, SpanKind.CLIENT);
  assert.equal(parentOf(call), request.spanContext().spanId);
  assert.equal(call.attributes["gen_ai.response.model"], "m-1");
  assert.equal(call.attributes["gen_ai.usage.input_tokens"], 10);
  assert.equal(call.attributes["flexllm.retries"], 1);
  assert.equal(call.attributes["flexllm.endpoint"], "http://llm.example/v1");
  const attempts = recorded.named("attempt m");
  assert.deepEqual(attempts.map(parentOf), Array(2).fill(call.spanContext().spanId));
  assert.deepEqual(
    attempts.map(({ attributes }) => attributes["http.response.status_code"]),
    [500, 200],
  );
  // The provider sees the attempt as the parent, not the client of the gateway.
  const parents = attempts.map((span) => `00-${TRACE}-${span.spanContext().spanId}-01`);
  assert.deepEqual(sent.map(({ traceparent }) => traceparent), parents);
  const metrics = await recorded.metrics();
  const data = metrics.get("http.server.request.duration")?.dataPoints[0];
  assert.deepEqual(data?.attributes, {
    "http.request.method": "POST",
    "http.route": "/v1/chat/completions",
    "http.response.status_code": 200,
    "url.scheme": "http",
  });
  assert.ok(metrics.has("gen_ai.client.token.usage"));
});

Deno.test("the spans of a streamed and translated call end with its stream", async () => {
  await using recorded = new RecordedTelemetry();
  await using gate = gateway(stream);
  const response = await gate.send("/v1/messages", {
    model: "fast",
    max_tokens: 50,
    stream: true,
    messages: [{ role: "user", content: "Hello!" }],
  });
  await response.text();
  const request = recorded.only("POST /v1/messages");
  assert.equal(request.attributes["flexllm.lane"], "translated");
  const call = recorded.only("chat m");
  assert.equal(call.attributes["gen_ai.request.stream"], true);
  assert.equal(call.attributes["gen_ai.request.max_tokens"], 50);
  assert.equal(typeof call.attributes["gen_ai.response.time_to_first_chunk"], "number");
  assert.equal(parentOf(recorded.only("attempt m")), call.spanContext().spanId);
  const known = new Set<string>(Object.values(ATTRIBUTES).map(([name]) => name));
  for (const { attributes } of recorded.spans) {
    for (const name of Object.keys(attributes)) assert.ok(known.has(name), name);
  }
});

Deno.test("refused and failed requests have spans with their errors, but no keys", async () => {
  await using recorded = new RecordedTelemetry();
  await using gate = gateway(() =>
    Response.json({ error: { message: `no such key: ${KEY}` } }, { status: 401 })
  );
  assert.equal((await gate.chat("unknown")).status, 404);
  assert.equal((await gate.chat("fast")).status >= 400, true);
  const [unknown, failed] = recorded.named("POST /v1/chat/completions");
  assert.equal(unknown.attributes["http.response.status_code"], 404);
  assert.equal(unknown.status.code, 0);
  assert.equal(recorded.only("chat m").attributes["error.type"], "authentication");
  assert.equal(failed.attributes["error.type"], "authentication");
  assert.doesNotMatch(await recorded.text(), new RegExp(KEY));
});

Deno.test("a malformed request that the server accepts is answered, and has a span", async () => {
  await using recorded = new RecordedTelemetry();
  await using gate = gateway(answer);
  const variable = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT";
  process.env[variable] = "SPAN_ONLY";
  try {
    const messages = [null, { role: "user", content: [null, { type: "text" }] }, { role: 7 }];
    for (
      const malformed of [{ messages }, { stop: { a: 1 } }, { tools: [null] }, { messages: 1 }]
    ) {
      const response = await gate.chat("fast", malformed);
      assert.equal(response.status, 200, await response.text());
    }
  } finally {
    delete process.env[variable];
  }
  assert.equal(recorded.named("chat m").length, 4);
});

Deno.test("health checks have no spans, unknown paths no route", async () => {
  await using recorded = new RecordedTelemetry();
  await using gate = gateway(answer);
  await (await gate.app.request("http://localhost/health/live")).text();
  await (await gate.app.request("http://localhost/wp-login.php?password=x")).text();
  const span = recorded.only("GET");
  assert.equal(recorded.spans.length, 1);
  assert.equal(span.name, "GET");
  assert.equal(span.attributes["http.route"], undefined);
  assert.equal(span.attributes["url.path"], "/wp-login.php");
});

Deno.test("in an application that traces its requests, the gateway's span is inside", async () => {
  await using recorded = new RecordedTelemetry();
  await using gate = gateway(answer);
  await trace.getTracer("server").startActiveSpan("outer", async (span) => {
    await (await gate.chat("fast", {}, { headers: { traceparent: TRACEPARENT } })).text();
    span.end();
  });
  const request = recorded.only("POST /v1/chat/completions");
  assert.equal(request.kind, SpanKind.INTERNAL);
  assert.equal(parentOf(request), recorded.only("outer").spanContext().spanId);
  assert.equal((await recorded.metrics()).has("http.server.request.duration"), false);
});

Deno.test("embeddings are calls as well", async () => {
  await using recorded = new RecordedTelemetry();
  const embedding = { object: "embedding", index: 0, embedding: [1] };
  await using gate = gateway(() =>
    Response.json({ data: [embedding], usage: { prompt_tokens: 3, total_tokens: 3 } })
  );
  const response = await gate.send("/v1/embeddings", { model: "fast", input: "text" });
  assert.equal(response.status, 200);
  const call = recorded.only("embeddings m");
  assert.equal(call.attributes["gen_ai.operation.name"], "embeddings");
  assert.equal(call.attributes["gen_ai.usage.input_tokens"], 3);
  assert.equal(parentOf(recorded.only("attempt m")), call.spanContext().spanId);
});

Deno.test("routes contain no names of models", () => {
  assert.equal(routeOf("/v1/chat/completions"), "/v1/chat/completions");
  assert.equal(
    routeOf("/v1beta/models/a/b-2.5:streamGenerateContent"),
    "/v1beta/models/{model}:streamGenerateContent",
  );
  assert.equal(routeOf("/v1/models/llama:8b"), "/v1/models/{model}");
});
