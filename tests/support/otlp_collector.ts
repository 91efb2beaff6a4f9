/** A collector of OpenTelemetry that accepts OTLP over HTTP as JSON, and keeps what it got. */
import { buffer } from "node:stream/consumers";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";

/** A span as it arrives. */
export interface ExportedSpan {
  name: string;
  kind: number;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  status: { code?: number; message?: string };
  attributes: Record<string, unknown>;
}

interface Value {
  stringValue?: string;
  intValue?: string | number;
  doubleValue?: number;
  boolValue?: boolean;
  arrayValue?: { values?: Value[] };
}

interface Attribute {
  key: string;
  value: Value;
}

type RawSpan = Omit<ExportedSpan, "attributes"> & { attributes?: Attribute[] };

function valueOf(value: Value): unknown {
  if (value.arrayValue !== undefined) return (value.arrayValue.values ?? []).map(valueOf);
  if (value.intValue !== undefined) return Number(value.intValue);
  return value.stringValue ?? value.doubleValue ?? value.boolValue;
}

function attributesOf(attributes: Attribute[] = []): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, valueOf(value)]));
}

/** A running collector. */
export interface Collector extends AsyncDisposable {
  readonly url: string;
  /** The bodies that arrived, by path. */
  readonly bodies: { path: string; type: string; text: string }[];
  /** The headers of the last request. */
  headers: Record<string, unknown>;
  readonly spans: ExportedSpan[];
  readonly metricNames: Set<string>;
  /** The attributes of the resource of the last export. */
  readonly resource: Record<string, unknown>;
}

/** Starts a collector that answers with `status`. */
export async function startCollector(status = 200): Promise<Collector> {
  const bodies: Collector["bodies"] = [];
  const server = createServer(async (request, response) => {
    collector.headers = request.headers;
    const bytes = await buffer(request);
    const text = (request.headers["content-encoding"] === "gzip" ? gunzipSync(bytes) : bytes)
      .toString();
    bodies.push({ path: request.url!, type: String(request.headers["content-type"]), text });
    response.writeHead(status, { "content-type": "application/json" }).end("{}");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // deno-lint-ignore no-explicit-any
  const parsed = (path: string): any[] =>
    bodies.filter((body) => body.path === path).map(({ text }) => JSON.parse(text));
  const collector: Collector = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bodies,
    headers: {},
    get spans() {
      return parsed("/v1/traces").flatMap(({ resourceSpans }) => resourceSpans)
        .flatMap(({ scopeSpans }) => scopeSpans).flatMap(({ spans }) => spans)
        .map((span: RawSpan) => ({ ...span, attributes: attributesOf(span.attributes) }));
    },
    get metricNames() {
      return new Set<string>(
        parsed("/v1/metrics").flatMap(({ resourceMetrics }) => resourceMetrics)
          .flatMap(({ scopeMetrics }) => scopeMetrics).flatMap(({ metrics }) => metrics)
          .map(({ name }) => name),
      );
    },
    get resource() {
      return attributesOf(parsed("/v1/traces").at(-1)?.resourceSpans[0].resource.attributes);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return collector;
}
