/** Warnings about spans that the SDK drops. */
import assert from "node:assert/strict";
import {
  BatchSpanProcessor,
  InMemorySpanExporter,
  type ReadableSpan,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { WaitingSpans } from "../../lib/telemetry/export/waiting_spans.ts";

Deno.test("spans that the SDK drops lead to a warning", async () => {
  const warnings: string[] = [];
  const waiting = new WaitingSpans(4, (message) => warnings.push(message));
  const exported: ReadableSpan[] = [];
  const memory = new InMemorySpanExporter();
  const send = memory.export.bind(memory);
  memory.export = (spans, done) => {
    exported.push(...spans);
    send(spans, done);
  };
  const exporter = waiting.count(memory);
  const queue = { exporter, maxQueueSize: 4, maxExportBatchSize: 4, scheduledDelayMillis: 1e6 };
  const batches = new BatchSpanProcessor(queue);
  const provider = new TracerProvider({ spanProcessors: [waiting, batches] });
  const tracer = provider.getTracer("test");
  const record = (count: number) => {
    for (let i = 0; i < count; i++) tracer.startSpan("span").end();
  };
  record(3);
  await provider.forceFlush();
  record(3);
  await provider.forceFlush();
  assert.equal(exported.length, 6);
  assert.deepEqual(warnings, []);
  record(20);
  await provider.shutdown();
  assert.equal(warnings.length, 26 - exported.length);
  assert.match(warnings[0], /spans are lost/);
});
