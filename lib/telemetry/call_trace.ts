/**
 * Traces one call: a span for the call, one for each attempt and one for the lookup in the cache; and its metrics.
 *
 * @module
 */
import type { Attributes, Context } from "@opentelemetry/api";
import type { Message } from "../chat/messages.ts";
import type { SamplingOptions } from "../chat/options.ts";
import type { FinishReason } from "../chat/result.ts";
import { type AttemptStart, AttemptTrace } from "./attempt_trace.ts";
import { batchOf } from "./batch_trace.ts";
import { callMetrics } from "./call_metrics.ts";
import { type ContentCapture, contentCapture } from "./content_capture.ts";
import type { EndFacts } from "./end_facts.ts";
import { errorStatus } from "./error_status.ts";
import {
  inputMessages,
  outputMessages,
  type RecordedAnswer,
  recordedReason,
  systemParts,
  toolDefinitions,
} from "./message_content.ts";
import { type EndpointIdentity, modelAttributes, requestAttributes } from "./request_attributes.ts";
import { NAME } from "./semantic_names.ts";
import { KIND, type OpenSpan, type Telemetry } from "./telemetry.ts";

/** The event that has the content of a call. */
const CONTENT_EVENT = "gen_ai.client.inference.operation.details";

/** What is known about a call when it starts. */
export interface CallStart {
  /** @default "chat" */
  operation?: "chat" | "embeddings";
  /** The first endpoint. */
  endpoint: EndpointIdentity;
  model: string;
  stream: boolean;
  /** The context that the call belongs to. @default the active context */
  context?: Context;
}

/** What a call sends. */
export interface CallRequest {
  messages: readonly Message[];
  options: SamplingOptions;
  /** The number of answers. @default 1 */
  choices?: number;
}

/** What a call received, as far as it is known. */
export interface CallAnswer {
  /** The provider's id of the answer. */
  id?: string;
  model?: string;
  finishReason?: FinishReason;
  /** The answer, or the part that arrived. */
  content?: RecordedAnswer;
}

/** The spans of one call. */
export class CallTrace {
  readonly #telemetry: Telemetry;
  readonly #operation: string;
  readonly #call: OpenSpan | undefined;
  readonly #stream: boolean;
  /** The context in which attempts start: they may otherwise run in that of another call. */
  readonly #context: Context;
  #endpoint: EndpointIdentity;
  #lookup: OpenSpan | undefined;
  #attempt: AttemptTrace | undefined;

  /** Starts the span of a call. */
  constructor(telemetry: Telemetry, start: CallStart) {
    const { operation = "chat", endpoint, model, stream } = start;
    this.#telemetry = telemetry;
    this.#operation = operation;
    this.#endpoint = endpoint;
    this.#stream = stream;
    const parent = start.context ?? telemetry.active();
    const attributes = modelAttributes(endpoint, operation, model);
    if (stream) attributes[NAME.requestStream] = true;
    const options = { kind: KIND.client, attributes, ...batchOf(parent) };
    this.#call = telemetry.start(`${operation} ${model}`, options, parent);
    this.#context = this.#call?.context ?? parent;
  }

  /** Whether the span is recorded, and its attributes are worth computing. */
  get isRecording(): boolean {
    return this.#call?.span.isRecording() ?? false;
  }

  /** Runs `work` as a part of the call. */
  run<T>(work: () => T): T {
    return this.#telemetry.run(this.#call, work);
  }

  /** Starts to look for a stored answer. */
  lookingUp(): void {
    this.#lookup ??= this.#telemetry.start("cache lookup", { kind: KIND.internal }, this.#context);
  }

  /** Ends the lookup. Only the first call after {@link CallTrace.lookingUp} counts. */
  lookedUp(isHit: boolean): void {
    this.#lookup?.span.setAttribute(NAME.cacheHit, isHit).end();
    this.#lookup = undefined;
  }

  /** Starts an attempt. */
  attempt(start: AttemptStart): AttemptTrace {
    this.#endpoint = start.endpoint;
    return this.#attempt = new AttemptTrace(this.#telemetry, this.#context, start);
  }

  /** The last attempt. */
  get lastAttempt(): AttemptTrace | undefined {
    return this.#attempt;
  }

  /** Ends the call. `request` and `answer` are only computed if the span is recorded. */
  end(facts: EndFacts, request: () => CallRequest | undefined, answer: () => CallAnswer): void {
    this.lookedUp(false);
    const isRecording = this.isRecording;
    const metered = this.#telemetry.instruments;
    const received = isRecording || metered !== undefined ? answer() : {};
    const model = modelAttributes(this.#endpoint, this.#operation, facts.model);
    if (received.model) model[NAME.responseModel] = received.model;
    if (metered !== undefined) callMetrics(metered, facts, model, this.#stream);
    if (this.#call === undefined) return;
    const { span } = this.#call;
    if (isRecording) {
      span.setAttributes({ ...model, ...endAttributes(facts, received) });
      // The gateway has names of its own for endpoints.
      if (facts.endpoint !== undefined) span.setAttribute(NAME.endpoint, this.#endpoint.name);
      try {
        this.#describe(this.#call, request(), facts, received);
      } catch {
        // Clients of the gateway send what no format allows, and some servers accept it.
      }
      if (facts.outcome === "error") span.setStatus(errorStatus(this.#telemetry.api, facts));
    }
    span.end();
  }

  #describe(
    open: OpenSpan,
    request: CallRequest | undefined,
    facts: EndFacts,
    { content }: CallAnswer,
  ): void {
    if (request !== undefined) {
      open.span.setAttributes(requestAttributes(request.options, request.choices));
    }
    const capture: ContentCapture = contentCapture(this.#telemetry.api);
    if (!capture.onSpans && !capture.onEvents) return;
    const attributes = contentAttributes(request, content, facts.redact);
    if (capture.onSpans) open.span.setAttributes(attributes);
    if (!capture.onEvents) return;
    const model = modelAttributes(this.#endpoint, this.#operation, facts.model);
    this.#telemetry.emit(CONTENT_EVENT, { ...model, ...attributes }, open);
  }
}

function endAttributes(facts: EndFacts, { id, finishReason }: CallAnswer): Attributes {
  const { usage, cached, cost, attempts } = facts;
  const attributes: Attributes = {
    [NAME.cacheHit]: cached,
    [NAME.queueSeconds]: facts.queued,
    [NAME.retries]: Math.max(0, attempts - 1),
  };
  const optional: Record<string, Attributes[string] | null> = {
    [NAME.responseId]: id,
    [NAME.finishReasons]: finishReason && [recordedReason(finishReason)],
    [NAME.timeToFirstChunk]: facts.firstToken,
    [NAME.cost]: cached ? 0 : cost,
    [NAME.callId]: facts.id,
    [NAME.recordIndex]: facts.index,
    [NAME.errorType]: facts.errorCode,
  };
  // A cached answer uses no tokens, and backends would bill for any reported here.
  if (usage !== null && !cached) {
    optional[NAME.inputTokens] = usage.promptTokens;
    optional[NAME.outputTokens] = usage.completionTokens;
    optional[NAME.cacheReadTokens] = usage.cachedTokens;
    optional[NAME.cacheWriteTokens] = usage.cacheWriteTokens;
    optional[NAME.reasoningTokens] = usage.reasoningTokens;
  }
  for (const [name, value] of Object.entries(optional)) {
    if (value !== undefined && value !== null) attributes[name] = value;
  }
  return attributes;
}

/** The content as JSON: attributes of spans hold no objects. */
function contentAttributes(
  request: CallRequest | undefined,
  answer: RecordedAnswer | undefined,
  redact: (text: string) => string,
): Attributes {
  const { messages = [], options: { tools = [] } = {} } = request ?? {};
  const system = systemParts(messages);
  const all = {
    [NAME.systemInstructions]: system.length > 0 ? system : undefined,
    [NAME.inputMessages]: request && inputMessages(messages),
    [NAME.outputMessages]: answer && outputMessages(answer),
    [NAME.toolDefinitions]: tools.length > 0 ? toolDefinitions(tools) : undefined,
  };
  const attributes: Attributes = {};
  for (const [name, value] of Object.entries(all)) {
    if (value !== undefined) attributes[name] = redact(JSON.stringify(value));
  }
  return attributes;
}
