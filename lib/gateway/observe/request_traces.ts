/**
 * Traces the requests to a gateway: a server span for each, as a child of the client's span.
 *
 * @module
 */
import type { Attributes } from "@opentelemetry/api";
import { errorStatus } from "../../telemetry/error_status.ts";
import { activeContext, type GlobalApi } from "../../telemetry/global_api.ts";
import { NAME } from "../../telemetry/semantic_names.ts";
import {
  activeTelemetry,
  hasActiveSpan,
  KIND,
  type OpenSpan,
  type Telemetry,
} from "../../telemetry/telemetry.ts";
import type { GatewayFacts } from "../gateway_facts.ts";
import type { Arrival } from "../http/arrival.ts";

const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]);

/** A path that contains a model, and the operation of Gemini's API after it. */
const MODEL_PATH =
  /\/models\/.+?(:(?:generateContent|streamGenerateContent|countTokens|embedContent|batchEmbedContents))?$/;

const GETTER = {
  get: (headers: Headers, name: string) => headers.get(name) ?? undefined,
  keys: (headers: Headers) => [...headers.keys()],
};

/** The path of a known route with a placeholder for the model: metrics need a bounded set. */
export function routeOf(path: string): string {
  return path.replace(MODEL_PATH, "/models/{model}$1");
}

interface OpenRequest {
  readonly telemetry: Telemetry;
  readonly open: OpenSpan | undefined;
  /** The attributes of the metric; absent where the server measures requests itself. */
  readonly metered: Attributes | undefined;
  /** Called first when the request ends. */
  onEnd?: (facts: GatewayFacts) => void;
}

function remoteParent(api: GlobalApi, { request: { headers } }: Arrival) {
  const context = activeContext(api);
  return api.propagation?.extract(context, headers, GETTER) ?? context;
}

/** The spans of the requests in progress. */
export class RequestTraces {
  readonly #open = new Map<string, OpenRequest>();

  /** Answers a request within its span. {@link RequestTraces.end} has to be called with its facts. */
  async run(
    arrival: Arrival,
    isKnown: boolean,
    answer: () => Promise<Response>,
  ): Promise<Response> {
    const telemetry = activeTelemetry();
    if (telemetry === undefined) return await answer();
    const { id, path, request } = arrival;
    const method = METHODS.has(request.method) ? request.method : "_OTHER";
    const attributes: Attributes = {
      [NAME.httpMethod]: method,
      [NAME.urlScheme]: /^https:/i.test(request.url) ? "https" : "http",
    };
    if (isKnown) attributes[NAME.httpRoute] = routeOf(path);
    // Deno's own tracing, and a server that the gateway is mounted in, have a span for the request.
    const isInner = hasActiveSpan(telemetry);
    const parent = isInner ? telemetry.active() : remoteParent(telemetry.api, arrival);
    const name = isKnown ? `${method} ${routeOf(path)}` : method === "_OTHER" ? "HTTP" : method;
    const open = telemetry.start(name, {
      kind: isInner ? KIND.internal : KIND.server,
      attributes: { ...attributes, [NAME.urlPath]: path.slice(0, 200) },
    }, parent);
    this.#open.set(id, { telemetry, open, metered: isInner ? undefined : attributes });
    return await telemetry.run(open, answer);
  }

  /** Calls `onEnd` with the facts of a request, before its span ends. */
  beforeEnd(id: string, onEnd: (facts: GatewayFacts) => void): void {
    const request = this.#open.get(id);
    if (request !== undefined) request.onEnd = onEnd;
  }

  /** Ends the span of a request. */
  end(facts: GatewayFacts): void {
    const request = this.#open.get(facts.id);
    if (request === undefined) return;
    this.#open.delete(facts.id);
    request.onEnd?.(facts);
    const { telemetry, open, metered } = request;
    const { status, errorCode, duration } = facts;
    const ending: Attributes = {};
    if (status !== undefined) ending[NAME.httpStatus] = status;
    if (errorCode !== undefined) ending[NAME.errorType] = errorCode;
    if (metered !== undefined) {
      telemetry.instruments?.record("serverDuration", duration, { ...metered, ...ending });
    }
    if (open === undefined) return;
    const { span } = open;
    span.setAttributes({ ...ending, ...callerAttributes(facts) });
    // A client's mistake is no error of the server.
    if (status !== undefined && status >= 500) {
      span.setStatus(errorStatus(telemetry.api, facts));
    }
    span.end();
  }
}

function callerAttributes({ id, route, lane, key, team }: GatewayFacts): Attributes {
  const attributes: Attributes = { [NAME.callId]: id };
  if (route !== undefined) attributes[NAME.route] = route;
  if (lane !== undefined) attributes[NAME.lane] = lane;
  if (key !== undefined) attributes[NAME.key] = key;
  if (team !== undefined) attributes[NAME.team] = team;
  return attributes;
}
