/**
 * Defines the facts about a finished request to the gateway, the source of metrics, logs and the status page.
 *
 * @module
 */
import type { CallFacts } from "../chat/call_facts.ts";

/** One finished request of a client. Times are in seconds unless noted otherwise. */
export interface GatewayFacts extends Omit<CallFacts, "outcome" | "model" | "cached"> {
  /** The id of the call, as in `x-flexllm-call-id`. */
  id: string;
  /** The HTTP method. */
  method: string;
  /** The path without its query; model names in it are kept. */
  path: string;
  /** What was requested: `chat`, `count_tokens`, `embeddings`, `models`, or another path. */
  operation: string;
  /** The format of the client: the name of a {@link Protocol}. */
  format?: string;
  /** The name of the virtual key. */
  key?: string;
  /** The key's team. */
  team?: string;
  /** The requested model, as far as the request could be read. */
  requestedModel?: string;
  /** The route, once it is known: of a bounded set, unlike {@link GatewayFacts.requestedModel}. */
  route?: string;
  /** The model at the endpoint of the last attempt. */
  model?: string;
  /** The lane of the last attempt. */
  lane?: "native" | "translated";
  /** Whether the client asked for a stream. */
  stream: boolean;
  /** The HTTP status that was sent; `undefined` if the client left before there was one. */
  status?: number;
  /** Attempts after the first at the same endpoint. */
  retries: number;
  /** Attempts after the first at another endpoint. */
  fallbacks: number;
  /** Time that the gateway added: the duration without queue, upstream and slow readers. */
  overhead: number;
  /** What the response cache did. */
  cache: "hit" | "miss" | "off";
  /** How it ended. `aborted`: the client left. */
  outcome: "success" | "error" | "aborted";
  /** The message of the error, without secrets. */
  error?: string;
}

/** Called with the facts of each request when its answer has ended. */
export type GatewayObserver = (facts: GatewayFacts) => void;
