/** What OpenTelemetry's environment variables mean to commands. */
import assert from "node:assert/strict";
import { parseCapture } from "../../lib/telemetry/content_capture.ts";
import {
  collectorsOf,
  type Environment,
  exportSettings,
  namesCollector,
  numberOf,
  positiveOf,
} from "../../lib/telemetry/export/export_settings.ts";
import { samplerOf } from "../../lib/telemetry/export/sampler.ts";

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://localhost:4318" };

function read(env: Environment) {
  const warnings: string[] = [];
  return { ...exportSettings(env, (message) => warnings.push(message)), warnings };
}

Deno.test("without a collector, or disabled, nothing is exported", () => {
  for (const env of [{}, { OTEL_SERVICE_NAME: "x" }, { ...ENDPOINT, OTEL_SDK_DISABLED: "True" }]) {
    assert.equal(namesCollector(env), false);
    assert.deepEqual(read(env), { warnings: [] });
  }
});

Deno.test("signals are exported where their collector is named, as protobuf or JSON", () => {
  const protobuf = "http/protobuf";
  assert.deepEqual(read(ENDPOINT), { traces: protobuf, metrics: protobuf, warnings: [] });
  assert.deepEqual(
    read({ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "https://collector/v1/metrics" }),
    { metrics: protobuf, warnings: [] },
  );
  assert.deepEqual(
    read({
      ...ENDPOINT,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: "http/protobuf",
    }),
    { traces: "http/json", metrics: protobuf, warnings: [] },
  );
  assert.deepEqual(
    read({ ...ENDPOINT, OTEL_TRACES_EXPORTER: "none" }),
    { metrics: protobuf, warnings: [] },
  );
});

Deno.test("the collectors are those of the signals that are exported", () => {
  const collectors = (env: Environment) => collectorsOf(env, exportSettings(env, assert.fail));
  assert.deepEqual(collectors(ENDPOINT), ["http://localhost:4318"]);
  const traces = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://traces/v1/traces" };
  assert.deepEqual(collectors(traces), ["http://traces/v1/traces"]);
  const both = { ...ENDPOINT, ...traces };
  assert.deepEqual(collectors(both), ["http://traces/v1/traces", "http://localhost:4318"]);
  const one = { ...both, OTEL_METRICS_EXPORTER: "none" };
  assert.deepEqual(collectors(one), ["http://traces/v1/traces"]);
});

Deno.test("wrong variables are explained, without secrets, and switch the signal off", () => {
  const { warnings, ...settings } = read({
    OTEL_EXPORTER_OTLP_ENDPOINT: "ftp://user:password@host/x?key=secret",
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "http://localhost:4318/v1/metrics",
    OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: "grpc",
  });
  assert.deepEqual(settings, {});
  assert.deepEqual(warnings, [
    'OTEL_EXPORTER_OTLP_ENDPOINT: expected a URL such as http://localhost:4318, got "ftp://host/x"; ' +
    "nothing is sent",
    'OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: expected http/protobuf or http/json, got "grpc"; ' +
    "no metrics are sent",
  ]);
  const { warnings: [console] } = read({ ...ENDPOINT, OTEL_TRACES_EXPORTER: "console" });
  assert.match(console, /^OTEL_TRACES_EXPORTER: expected otlp or none, got "console"/);
});

Deno.test("samplers are those of the specification", () => {
  const sampler = (env: Environment) => {
    const warnings: string[] = [];
    const text = samplerOf(env, (message) => warnings.push(message)).toString();
    return { text, warnings };
  };
  assert.match(sampler({}).text, /^ParentBased\{root=AlwaysOnSampler/);
  const ratio = { OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.25" };
  assert.equal(sampler(ratio).text, "TraceIdRatioBased{0.25}");
  assert.equal(sampler({ OTEL_TRACES_SAMPLER: "always_off" }).text, "AlwaysOffSampler");
  const wrong = sampler({ OTEL_TRACES_SAMPLER: "constructor" });
  assert.match(wrong.warnings[0], /^OTEL_TRACES_SAMPLER: expected one of always_on, /);
  for (const argument of ["1%", "-1", "5"]) {
    const { text, warnings } = sampler({ ...ratio, OTEL_TRACES_SAMPLER_ARG: argument });
    assert.equal(text, "TraceIdRatioBased{1}");
    assert.match(warnings[0], /^OTEL_TRACES_SAMPLER_ARG: expected a number from 0 to 1, got /);
  }
});

Deno.test("numbers that are none are ignored", () => {
  assert.equal(numberOf({ A: " 512 " }, "A"), 512);
  for (const text of [undefined, "", " ", "x", "-1", "NaN"]) {
    assert.equal(numberOf({ A: text }, "A"), undefined);
  }
  // A longer timer would end at once.
  assert.equal(numberOf({ A: "1e12" }, "A"), 2 ** 31 - 1);
  // The SDK would export empty batches forever.
  for (const text of ["0", "0.5"]) assert.equal(positiveOf({ A: text }, "A"), undefined);
  assert.equal(positiveOf({ A: "2.5" }, "A"), 2);
});

Deno.test("an unknown value of the variable for texts is explained", () => {
  assert.equal(parseCapture("Span_And_Event").capture.onEvents, true);
  const { capture, problem } = parseCapture("true");
  assert.deepEqual(capture, { onSpans: false, onEvents: false });
  assert.match(problem!, /expected one of NO_CONTENT, SPAN_ONLY, EVENT_ONLY, SPAN_AND_EVENT/);
});
