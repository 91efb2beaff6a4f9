/**
 * Builds the headers of the answers to calls.
 *
 * @module
 */
import type { ProtocolServer } from "../../protocols/serve.ts";
import type { Admission, RateStates } from "../access.ts";

/** What is known about a call when the headers of its answer are sent. */
export interface ResponseFacts {
  /** The id of the call. */
  readonly id: string;
  /** The route that answers. */
  readonly route?: string;
  /** The name of the endpoint that answers. */
  readonly endpoint?: string;
  /** The model at that endpoint. */
  readonly model?: string;
  /** Attempts so far; absent if nothing was sent. */
  readonly attempts?: number;
  /** Moves to another endpoint so far. */
  readonly fallbacks?: number;
  readonly cache?: "hit" | "miss" | "off";
  /** USD; only known for whole answers. */
  readonly cost?: number | null;
  /** Milliseconds that the gateway has added so far. */
  readonly overhead?: number;
  /** See {@link GatewayCall.dropped}. */
  readonly dropped?: ReadonlySet<string>;
  /** See {@link GatewayCall.outputLimit}. */
  readonly outputLimit?: number;
  /** The limits and the spending of the key. */
  readonly admission?: Pick<Admission, "limits" | "spent">;
  /** The limits that refused the call: there is no admission then. */
  readonly limits?: RateStates;
}

/** An amount in USD, exact to a billionth, never in scientific notation. */
function dollars(amount: number): string {
  return amount.toFixed(9).replace(/\.?0+$/, "");
}

/** Header values are ASCII; names of models, endpoints and clients' fields may be anything. */
const NOT_ASCII = /[^\x20-\x7e]/;

/** Clients and proxies refuse answers whose headers exceed 8 or 16 kB. */
const MAX_TEXT = 1000;

function headerText(text: string): string {
  const short = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 3)}...` : text;
  // Half a surrogate pair, which JSON allows, cannot be encoded.
  return NOT_ASCII.test(short) ? encodeURI(short.toWellFormed()) : short;
}

/** Maximum fields to name in a header. */
const MAX_DROPPED = 50;

/**
 * Returns the headers of the answer to a call: its ids, the state of the key's limits in the spelling of the
 * client's format, and what the gateway did.
 */
export function responseHeaders(
  server: ProtocolServer,
  facts: ResponseFacts,
): Record<string, string> {
  const { admission, dropped } = facts;
  const limits = facts.limits ?? admission?.limits;
  const headers = server.headers(facts.id, limits?.requests, limits?.tokens);
  headers["x-flexllm-call-id"] = facts.id;
  const put = (name: string, value: string | number | undefined) => {
    if (value !== undefined) headers[`x-flexllm-${name}`] = String(value);
  };
  const putText = (name: string, value: string | undefined) =>
    put(name, value === undefined ? undefined : headerText(value));
  putText("route", facts.route);
  putText("endpoint", facts.endpoint);
  putText("model", facts.model);
  put("attempts", facts.attempts);
  put("fallbacks", facts.fallbacks);
  if (facts.cache !== "off") put("cache", facts.cache);
  if (typeof facts.cost === "number") put("cost", dollars(facts.cost));
  if (admission !== undefined) put("key-spend", dollars(admission.spent));
  put("output-limit", facts.outputLimit);
  put("overhead-ms", facts.overhead?.toFixed(2));
  if (dropped !== undefined && dropped.size > 0) {
    putText("dropped", [...dropped].slice(0, MAX_DROPPED).join(", "));
  }
  return headers;
}

/**
 * Makes `headers` those of a stream: no cache, no proxy and no compression may hold chunks back.
 *
 * Sources: nginx, "X-Accel-Buffering"; RFC 9111, "no-transform".
 */
export function streamHeaders(
  headers: Record<string, string>,
  contentType: string,
): Record<string, string> {
  headers["content-type"] = contentType;
  headers["cache-control"] = "no-cache, no-transform";
  headers["x-accel-buffering"] = "no";
  return headers;
}
