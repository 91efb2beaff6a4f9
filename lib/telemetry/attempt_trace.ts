/**
 * Traces one attempt of a call: a request to an endpoint, until the end of its answer.
 *
 * Its attributes are those of an HTTP request: readers of `gen_ai.*` count the tokens of the call only once.
 *
 * @module
 */
import type { Attributes, Context } from "@opentelemetry/api";
import type { AttemptFacts } from "../chat/call_facts.ts";
import { requestsAreTraced } from "../runtime/request_tracing.ts";
import { errorStatus } from "./error_status.ts";
import type { EndpointIdentity } from "./request_attributes.ts";
import { NAME } from "./semantic_names.ts";
import { KIND, type OpenSpan, type Telemetry } from "./telemetry.ts";

/** What is known about an attempt when it starts. */
export interface AttemptStart {
  /** Its number, from 1. */
  attempt: number;
  model: string;
  endpoint: EndpointIdentity;
}

/** The span of one attempt. */
export class AttemptTrace {
  readonly #telemetry: Telemetry;
  readonly #open: OpenSpan | undefined;

  /** Starts the span. */
  constructor(telemetry: Telemetry, parent: Context, { attempt, model, endpoint }: AttemptStart) {
    this.#telemetry = telemetry;
    if (!telemetry.traces) return;
    const { address, port, name } = endpoint;
    const attributes: Attributes = {
      [NAME.httpMethod]: "POST",
      [NAME.serverAddress]: address,
      [NAME.serverPort]: port,
      [NAME.endpoint]: name,
      [NAME.model]: model,
      [NAME.attempt]: attempt,
    };
    if (attempt > 1) attributes[NAME.httpResendCount] = attempt - 1;
    // The request has a span of its own where `fetch` is traced.
    const kind = requestsAreTraced(telemetry.trace) ? KIND.internal : KIND.client;
    this.#open = telemetry.start(`attempt ${model}`, { kind, attributes }, parent);
  }

  /** Runs `work` as a part of the attempt. */
  run<T>(work: () => T): T {
    return this.#telemetry.run(this.#open, work);
  }

  /** Ends the attempt. */
  end(facts: Pick<AttemptFacts, "status" | "outcome" | "errorCode" | "error">): void {
    if (this.#open === undefined) return;
    const { span } = this.#open;
    const { status, outcome, errorCode } = facts;
    if (status !== undefined) span.setAttribute(NAME.httpStatus, status);
    if (errorCode !== undefined) span.setAttribute(NAME.errorType, errorCode);
    if (outcome === "error") span.setStatus(errorStatus(this.#telemetry.api, facts));
    span.end();
  }
}
