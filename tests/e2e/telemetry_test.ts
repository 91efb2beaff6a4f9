/** The spans and metrics that commands send to a collector. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import process from "node:process";
import { flexllm, ROOT, type Running, start } from "../support/cli.ts";
import { startHttpServer } from "../support/http_server.ts";
import { completion } from "../support/model_server.ts";
import { type Collector, startCollector } from "../support/otlp_collector.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const KEY = "sk-secret-key-of-the-test";
const COLLECTOR_KEY = "collector-secret";

function envOf({ url }: Collector): Record<string, string> {
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_HEADERS: `x-key=${COLLECTOR_KEY}`,
    OTEL_SERVICE_NAME: "nightly",
    OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test",
    FLEXLLM_API_KEY: KEY,
  };
}

function model() {
  return startHttpServer(() => ({
    headers: { "content-type": "application/json" },
    text: completion(`An answer with ${KEY}`),
  }));
}

function textOf({ bodies }: Collector): string {
  return bodies.map(({ text }) => text).join("\n");
}

Deno.test("batch sends a span for each call and its metrics, without texts and keys", async () => {
  await using collector = await startCollector();
  await using server = await model();
  using folder = temporaryFolder();
  const args = ["batch", "-o", folder.file("out.jsonl"), "-m", "m", "--no-cache"];
  const { code, stderr } = await flexllm([...args, "--base-url", `${server.origin}/v1`], {
    env: envOf(collector),
    stdin: '{"q":"first question"}\n{"q":"second question"}\n',
  });
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(stderr, /collector|sent/);
  const names = collector.spans.map(({ name }) => name).sort();
  assert.deepEqual(names, ["attempt m", "attempt m", "batch", "chat m", "chat m"]);
  const { resource, metricNames } = collector;
  assert.equal(resource["service.name"], "nightly");
  assert.equal(resource["deployment.environment.name"], "test");
  for (const name of ["gen_ai.client.operation.duration", "gen_ai.client.token.usage"]) {
    assert.ok(metricNames.has(name), name);
  }
  assert.equal(collector.headers["x-key"], COLLECTOR_KEY);
  assert.doesNotMatch(textOf(collector), /question|An answer|secret/);
  const attempts = collector.spans.filter(({ name }) => name === "attempt m");
  const sent = server.requests.map(({ headers }) => String(headers.traceparent)).sort();
  const expected = attempts.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`).sort();
  assert.deepEqual(sent, expected);
});

Deno.test("ask records texts on request, never keys", async () => {
  await using collector = await startCollector();
  await using server = await model();
  const { code, stderr } = await flexllm(
    ["ask", "What is this?", "-m", "m", "--base-url", `${server.origin}/v1`],
    {
      env: {
        ...envOf(collector),
        OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: "SPAN_ONLY",
        OTEL_METRICS_EXPORTER: "none",
      },
    },
  );
  assert.equal(code, 0, stderr);
  const call = collector.spans.find(({ name }) => name === "chat m");
  assert.match(String(call?.attributes["gen_ai.input.messages"]), /What is this\?/);
  assert.match(String(call?.attributes["gen_ai.output.messages"]), /An answer/);
  assert.equal(collector.metricNames.size, 0);
  assert.doesNotMatch(textOf(collector), new RegExp(KEY));
});

async function urlOf(running: Running): Promise<string> {
  while (!/listening on \S+\n/.test(running.stdout())) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return running.stdout().match(/http:\S+/)![0];
}

Deno.test("serve continues the trace of its client, and sends its spans when it stops", async () => {
  await using collector = await startCollector();
  await using running = start(["serve", "-m", "mock", "-p", "0"], { env: envOf(collector) });
  const url = await urlOf(running);
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` },
    body: JSON.stringify({ model: "mock", messages: [{ role: "user", content: "Hello" }] }),
  });
  await response.text();
  running.signal("SIGTERM");
  const { code, stderr } = await running.finished;
  assert.equal(code, 0, stderr);
  const request = collector.spans.find(({ name }) => name === "POST /v1/chat/completions");
  assert.equal(request?.traceId, traceId);
  assert.equal(request?.parentSpanId, "b7ad6b7169203331");
  assert.ok(collector.metricNames.has("http.server.request.duration"));
});

Deno.test("a collector that refuses is one warning, and no failure", async () => {
  await using collector = await startCollector(400);
  const { code, stderr, stdout } = await flexllm(["ask", "Hi", "-m", "mock"], {
    env: envOf(collector),
  });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /Hi/);
  assert.equal(
    stderr.trim().replace(/\s+/g, " "),
    `warning: spans and metrics could not be sent to ${collector.url}: HTTP 400`,
  );
});

interface InfoModule {
  specifier: string;
  dependencies?: { specifier: string; isDynamic?: boolean; code?: unknown }[];
}

Deno.test("without a collector, nothing of OpenTelemetry is loaded", {
  ignore: process.env.FLEXLLM_BINARY !== undefined,
}, () => {
  const info = execFileSync(process.execPath, ["info", "--json", "main.ts"], {
    cwd: ROOT,
    encoding: "utf8",
    maxBuffer: 1e8,
  });
  const modules: InfoModule[] = JSON.parse(info).modules;
  const importing = (matches: (specifier: string) => boolean) =>
    modules.flatMap(({ specifier, dependencies = [] }) =>
      dependencies.filter((each) => each.code !== undefined && matches(each.specifier))
        .map(({ isDynamic = false }) => `${specifier.replace(`file://${ROOT}`, "")} ${isDynamic}`)
    );
  const packages = new Set(importing((name) => name.startsWith("@opentelemetry/")));
  assert.deepEqual([...packages].sort(), [
    "lib/telemetry/export/sampler.ts false",
    "lib/telemetry/export/start_export.ts false",
    "lib/telemetry/export/start_export.ts true",
  ]);
  assert.deepEqual(importing((name) => name.endsWith("/start_export.ts")), [
    "commands/telemetry.ts true",
  ]);
  const command = importing((name) => name === "./telemetry.ts")
    .filter((each) => each.startsWith("commands/"));
  assert.deepEqual(command, ["commands/program.ts true"]);
});

Deno.test({
  name: "Deno's own OpenTelemetry gets our spans around those of its fetch",
  ignore: process.env.FLEXLLM_BINARY !== undefined,
  async fn() {
    await using collector = await startCollector();
    await using server = await model();
    const { code, stderr } = await flexllm(
      ["ask", "Hi", "-m", "m", "--base-url", `${server.origin}/v1`],
      { env: { ...envOf(collector), OTEL_DENO: "true", OTEL_DENO_CONSOLE: "ignore" } },
    );
    assert.equal(code, 0, stderr);
    const { spans } = collector;
    const find = (name: string) => spans.find((span) => span.name === name)!;
    assert.deepEqual(spans.map(({ name }) => name).sort(), ["POST", "attempt m", "chat m"]);
    assert.equal(find("attempt m").parentSpanId, find("chat m").spanId);
    assert.equal(find("POST").parentSpanId, find("attempt m").spanId);
    const [{ headers }] = server.requests;
    assert.equal(headers.traceparent, `00-${find("POST").traceId}-${find("POST").spanId}-01`);
  },
});
