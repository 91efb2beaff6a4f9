/** What a client records of its calls: spans, attributes, metrics. */
import assert from "node:assert/strict";
import process from "node:process";
import { type LogRecord, logs, trace } from "@opentelemetry/api";
import { AlwaysOffSampler } from "@opentelemetry/sdk-trace";
import { type ClientOptions, type Fetch, LLMClient, type Message } from "../../mod.ts";
import { ATTRIBUTES, METRICS, SCHEMA_URL, SCOPE_NAME } from "../../lib/telemetry/semantic_names.ts";
import { parentOf, RecordedTelemetry, SpanKind } from "../support/recorded_telemetry.ts";

const KEY = "sk-secret-key-1234567890";
const HELLO: Message[] = [
  { role: "system", content: "Be kind." },
  { role: "user", content: "Hello from me" },
];
const USAGE = {
  prompt_tokens: 10,
  completion_tokens: 20,
  total_tokens: 30,
  prompt_tokens_details: { cached_tokens: 4 },
};

function answer(content = "Hi there"): Response {
  const choices = [{ index: 0, finish_reason: "stop", message: { role: "assistant", content } }];
  return Response.json({ id: "chatcmpl-1", model: "m-1", choices, usage: USAGE });
}

function stream(): Response {
  const event = (fields: object) => `data: ${JSON.stringify({ model: "m-1", ...fields })}\n\n`;
  return new Response(
    event({ choices: [{ index: 0, delta: { content: "Hi" } }] }) +
      event({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }) +
      event({ choices: [], usage: USAGE }) + "data: [DONE]\n\n",
    { headers: { "content-type": "text/event-stream" } },
  );
}

function clientOf(fetch: Fetch, options: Partial<ClientOptions> = {}): LLMClient {
  return new LLMClient({
    baseUrl: "http://llm.example:8080/v1",
    model: "m",
    apiKey: KEY,
    prices: [{ model: "m", input: 1e6, output: 1e6 }],
    retryDelay: 0.001,
    fetch,
    ...options,
  } as ClientOptions);
}

Deno.test("a call is one client span, with an attempt below it", async () => {
  await using recorded = new RecordedTelemetry();
  let sent: Record<string, string> = {};
  await using client = clientOf((_url, { headers }) => {
    sent = headers as Record<string, string>;
    return Promise.resolve(answer());
  });
  await client.chatCompletions(HELLO, { temperature: 0.5, maxTokens: 100, stop: "END", seed: 7 });
  const call = recorded.only("chat m");
  const attempt = recorded.only("attempt m");
  assert.equal(call.kind, SpanKind.CLIENT);
  assert.equal(call.instrumentationScope.name, SCOPE_NAME);
  assert.equal(call.instrumentationScope.schemaUrl, SCHEMA_URL);
  assert.equal(parentOf(call), undefined);
  assert.equal(parentOf(attempt), call.spanContext().spanId);
  const { "flexllm.call.id": id, "flexllm.queue_seconds": queued, ...attributes } = call.attributes;
  assert.match(String(id), /^\w+-\w+$/);
  assert.equal(typeof queued, "number");
  assert.deepEqual(attributes, {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "m",
    "gen_ai.request.temperature": 0.5,
    "gen_ai.request.max_tokens": 100,
    "gen_ai.request.stop_sequences": ["END"],
    "gen_ai.request.seed": 7,
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.response.model": "m-1",
    "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.usage.input_tokens": 10,
    "gen_ai.usage.output_tokens": 20,
    "gen_ai.usage.cache_read.input_tokens": 4,
    "server.address": "llm.example",
    "server.port": 8080,
    "flexllm.cache.hit": false,
    "flexllm.cost.usd": 30,
    "flexllm.endpoint": "http://llm.example:8080/v1",
    "flexllm.retries": 0,
  });
  assert.equal(attempt.attributes["http.response.status_code"], 200);
  const { traceId, spanId } = attempt.spanContext();
  assert.equal(sent.traceparent, `00-${traceId}-${spanId}-01`);
});

Deno.test("calls are children of the span in which they were made", async () => {
  await using recorded = new RecordedTelemetry();
  let requests = 0;
  await using client = clientOf(() => Promise.resolve(requests++ === 0 ? answer() : stream()));
  const unread = await trace.getTracer("app").startActiveSpan("handler", async (span) => {
    await client.chatCompletions(HELLO);
    span.end();
    return { stream: client.chatCompletionsStream(HELLO) };
  });
  for await (const _ of unread.stream);
  const { spanId } = recorded.only("handler").spanContext();
  assert.deepEqual(recorded.named("chat m").map(parentOf), [spanId, spanId]);
});

Deno.test("a retried call has one span, and one for each attempt", async () => {
  await using recorded = new RecordedTelemetry();
  let requests = 0;
  await using client = clientOf(() =>
    Promise.resolve(
      requests++ === 0
        ? Response.json({ error: { message: "slow down" } }, { status: 429 })
        : answer(),
    )
  );
  await client.chatCompletions(HELLO);
  const call = recorded.only("chat m");
  const [first, second] = recorded.named("attempt m");
  assert.equal(call.attributes["flexllm.retries"], 1);
  assert.equal(call.status.code, 0);
  assert.equal(first.attributes["http.response.status_code"], 429);
  assert.equal(first.attributes["error.type"], "rate_limit");
  assert.equal(first.status.code, 2);
  assert.equal(second.attributes["http.request.resend_count"], 1);
  for (const { parentSpanContext } of [first, second]) {
    assert.equal(parentSpanContext?.spanId, call.spanContext().spanId);
  }
});

Deno.test("a failed call has the code of its error, without keys", async () => {
  await using recorded = new RecordedTelemetry();
  await using client = clientOf(() =>
    Promise.resolve(Response.json({ error: { message: `bad key ${KEY}` } }, { status: 401 }))
  );
  await assert.rejects(client.chatCompletions(HELLO));
  const call = recorded.only("chat m");
  assert.equal(call.attributes["error.type"], "authentication");
  assert.equal(call.status.code, 2);
  const data = (await recorded.metrics()).get("gen_ai.client.operation.duration");
  assert.equal(data?.dataPoints[0].attributes["error.type"], "authentication");
  assert.doesNotMatch(await recorded.text(), new RegExp(KEY));
});

Deno.test("the message of an error is content, unless it is our own", async () => {
  await using recorded = new RecordedTelemetry();
  const answers = [
    () => Response.json({ error: { message: "cannot read: Hello from me" } }, { status: 400 }),
    () => Response.json({ error: { message: `cannot read: Hello from ${KEY}` } }, { status: 400 }),
    () => {
      throw new TypeError("refused");
    },
  ];
  await using client = clientOf(() => Promise.resolve().then(answers.shift()), { retryTimes: 0 });
  await assert.rejects(client.chatCompletions(HELLO));
  assert.doesNotMatch(await recorded.text(), /Hello/);
  const variable = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT";
  process.env[variable] = "SPAN_ONLY";
  try {
    await assert.rejects(client.chatCompletions(HELLO));
  } finally {
    delete process.env[variable];
  }
  await assert.rejects(client.chatCompletions(HELLO));
  const messages = recorded.named("chat m").map(({ status }) => status.message ?? "");
  assert.equal(messages[0], "");
  assert.match(messages[1], /cannot read: Hello from \[key removed\]/);
  assert.match(messages[2], /refused|llm\.example/);
});

Deno.test("an aborted call is no error", async () => {
  await using recorded = new RecordedTelemetry();
  const controller = new AbortController();
  await using client = clientOf(() => {
    controller.abort();
    return new Promise(() => {});
  });
  await assert.rejects(client.chatCompletions(HELLO, { signal: controller.signal }));
  const call = recorded.only("chat m");
  assert.equal(call.attributes["error.type"], "aborted");
  assert.equal(call.status.code, 0);
  assert.equal(recorded.only("attempt m").status.code, 0);
});

Deno.test("a stream has its time to the first chunk, and ends when it is read", async () => {
  await using recorded = new RecordedTelemetry();
  await using client = clientOf(() => Promise.resolve(stream()));
  const texts: string[] = [];
  for await (const text of client.chatCompletionsStream(HELLO)) {
    assert.equal(recorded.spans.length, 0);
    texts.push(text);
  }
  const { attributes } = recorded.only("chat m");
  assert.equal(attributes["gen_ai.request.stream"], true);
  assert.equal(typeof attributes["gen_ai.response.time_to_first_chunk"], "number");
  assert.equal(attributes["gen_ai.usage.output_tokens"], 20);
  assert.equal(parentOf(recorded.only("attempt m")), recorded.only("chat m").spanContext().spanId);
  const metrics = await recorded.metrics();
  assert.ok(metrics.has("gen_ai.client.operation.time_to_first_chunk"));
});

Deno.test("a cached answer is a hit without tokens and cost", async () => {
  await using recorded = new RecordedTelemetry();
  await using client = clientOf(() => Promise.resolve(answer()), { cache: { store: "memory" } });
  await client.chatCompletions(HELLO);
  await client.chatCompletions(HELLO);
  const lookups = recorded.named("cache lookup");
  assert.deepEqual(lookups.map(({ attributes }) => attributes["flexllm.cache.hit"]), [false, true]);
  const [, hit] = recorded.named("chat m");
  assert.equal(parentOf(lookups[1]), hit.spanContext().spanId);
  assert.equal(hit.attributes["flexllm.cache.hit"], true);
  assert.equal(hit.attributes["flexllm.cost.usd"], 0);
  assert.equal(hit.attributes["gen_ai.usage.input_tokens"], undefined);
  assert.equal(recorded.named("attempt").length, 1);
  const tokens = (await recorded.metrics()).get("gen_ai.client.token.usage");
  assert.deepEqual(
    tokens?.dataPoints.map(({ value }) => (value as { sum: number }).sum).sort(),
    [10, 20],
  );
});

Deno.test("the records of a batch are traces of their own, linked to it", async () => {
  await using recorded = new RecordedTelemetry();
  await using client = clientOf(() => Promise.resolve(answer()));
  await client.chatCompletionsBatch([HELLO, HELLO]);
  const batch = recorded.only("batch");
  assert.equal(batch.attributes["flexllm.batch.succeeded"], 2);
  const calls = recorded.named("chat m");
  assert.equal(calls.length, 2);
  for (const [index, call] of calls.entries()) {
    assert.equal(parentOf(call), undefined);
    assert.notEqual(call.spanContext().traceId, batch.spanContext().traceId);
    assert.equal(call.links[0].context.spanId, batch.spanContext().spanId);
    assert.equal(call.attributes["flexllm.record.index"], index);
  }
  const records = (await recorded.metrics()).get("flexllm.batch.records");
  assert.equal(records?.dataPoints[0].value, 2);
});

Deno.test("within a span of the application, the records of a batch belong to its trace", async () => {
  await using recorded = new RecordedTelemetry();
  await using client = clientOf(() => Promise.resolve(answer()));
  await trace.getTracer("app").startActiveSpan("handler", async (span) => {
    await client.chatCompletionsBatch([HELLO]);
    span.end();
  });
  const batch = recorded.only("batch");
  assert.equal(parentOf(batch), recorded.only("handler").spanContext().spanId);
  assert.equal(parentOf(recorded.only("chat m")), batch.spanContext().spanId);
});

Deno.test("a trace that is not sampled records no spans, but metrics", async () => {
  await using recorded = new RecordedTelemetry({ sampler: new AlwaysOffSampler() });
  let traceparent: string | undefined;
  await using client = clientOf((_url, { headers }) => {
    traceparent = (headers as Record<string, string>).traceparent;
    return Promise.resolve(answer());
  });
  await client.chatCompletions(HELLO);
  assert.equal(recorded.spans.length, 0);
  assert.match(traceparent ?? "", /-00$/);
  assert.ok((await recorded.metrics()).has("gen_ai.client.operation.duration"));
});

Deno.test("all names are in the table", async () => {
  await using recorded = new RecordedTelemetry();
  await using client = clientOf(() => Promise.resolve(answer()), { cache: { store: "memory" } });
  await client.chatCompletions(HELLO, {
    topP: 0.5,
    topK: 3,
    frequencyPenalty: 1,
    presencePenalty: 1,
  });
  await client.chatCompletionsBatch([HELLO]);
  const known = new Set<string>(Object.values(ATTRIBUTES).map(([name]) => name));
  for (const { name, attributes } of recorded.spans) {
    for (const attribute of Object.keys(attributes)) {
      assert.ok(known.has(attribute), `${attribute} of ${name}`);
    }
  }
  const metrics = new Map(Object.values(METRICS).map((metric) => [metric.name as string, metric]));
  for (const [name, { descriptor, dataPoints }] of await recorded.metrics()) {
    const metric = metrics.get(name);
    assert.equal(descriptor.unit, metric?.unit, name);
    const allowed: readonly string[] = metric!.attributes.map((key) => ATTRIBUTES[key][0]);
    for (const attribute of Object.keys(dataPoints[0].attributes)) {
      assert.ok(allowed.includes(attribute), `${attribute} of ${name}`);
    }
  }
});

Deno.test("content is recorded only where the variable says so", async () => {
  const variable = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT";
  const record = async (value: string | undefined) => {
    await using recorded = new RecordedTelemetry();
    await using client = clientOf(() => Promise.resolve(answer(`Hi, ${KEY}`)));
    if (value === undefined) delete process.env[variable];
    else process.env[variable] = value;
    try {
      await client.chatCompletions(HELLO, {
        tools: [{ type: "function", function: { name: "look", parameters: { type: "object" } } }],
      });
    } finally {
      delete process.env[variable];
    }
    assert.doesNotMatch(await recorded.text(), new RegExp(KEY));
    return recorded.only("chat m");
  };
  for (const value of [undefined, "NO_CONTENT", "nonsense", ""]) {
    const { attributes, events } = await record(value);
    assert.doesNotMatch(JSON.stringify([attributes, events]), /Hello from me|Be kind|Hi,/);
  }
  const { attributes, events } = await record("span_only");
  assert.equal(events.length, 0);
  assert.deepEqual(JSON.parse(String(attributes["gen_ai.input.messages"])), [
    { role: "user", parts: [{ type: "text", content: "Hello from me" }] },
  ]);
  assert.deepEqual(JSON.parse(String(attributes["gen_ai.system_instructions"])), [
    { type: "text", content: "Be kind." },
  ]);
  assert.deepEqual(JSON.parse(String(attributes["gen_ai.output.messages"])), [{
    role: "assistant",
    parts: [{ type: "text", content: "Hi, [key removed]" }],
    finish_reason: "stop",
  }]);
  assert.deepEqual(JSON.parse(String(attributes["gen_ai.tool.definitions"])), [
    { type: "function", name: "look", parameters: { type: "object" } },
  ]);
  const onEvent = await record("EVENT_ONLY");
  assert.equal(onEvent.attributes["gen_ai.input.messages"], undefined);
  assert.equal(onEvent.events[0].name, "gen_ai.client.inference.operation.details");
  assert.match(String(onEvent.events[0].attributes?.["gen_ai.input.messages"]), /Hello from me/);
  const both = await record("SPAN_AND_EVENT");
  assert.ok(both.attributes["gen_ai.output.messages"]);
  assert.equal(both.events.length, 1);
});

Deno.test("an event is a record of the log where the SDK has logs", async () => {
  await using recorded = new RecordedTelemetry();
  const emitted: LogRecord[] = [];
  logs.setGlobalLoggerProvider({
    getLogger: () => ({ emit: (record) => emitted.push(record), enabled: () => true }),
  });
  const variable = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT";
  process.env[variable] = "EVENT_ONLY";
  try {
    await using client = clientOf(() => Promise.resolve(answer()));
    await client.chatCompletions(HELLO);
  } finally {
    delete process.env[variable];
    logs.disable();
  }
  assert.equal(recorded.only("chat m").events.length, 0);
  const [{ eventName, attributes, context }] = emitted;
  assert.equal(eventName, "gen_ai.client.inference.operation.details");
  assert.match(String(attributes?.["gen_ai.input.messages"]), /Hello from me/);
  const { spanId } = recorded.only("chat m").spanContext();
  assert.equal(trace.getSpanContext(context!)?.spanId, spanId);
});

Deno.test("nothing is sent to the server when nothing listens", async () => {
  let sent: Record<string, string> = {};
  await using client = clientOf((_url, { headers }) => {
    sent = headers as Record<string, string>;
    return Promise.resolve(answer());
  });
  await client.chatCompletions(HELLO);
  assert.equal("traceparent" in sent, false);
});
