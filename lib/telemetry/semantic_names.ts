/**
 * Lists the names of spans, attributes and metrics, all in one table: those of OpenTelemetry's conventions, and
 * flexllm's own for what the conventions do not name.
 *
 * Source: open-telemetry/semantic-conventions-genai, schema 1.42.0 (`gen_ai.*`, in development), and
 * open-telemetry/semantic-conventions (`error.*`, `server.*`, `http.*`, `url.*`, stable).
 *
 * @module
 */

/** The version of the conventions for generative AI. */
export const CONVENTIONS_VERSION = "1.42.0";

/** Where the schema of these names is published. */
export const SCHEMA_URL: string = `https://opentelemetry.io/schemas/gen-ai/${CONVENTIONS_VERSION}`;

/** The name under which spans and metrics are recorded. */
export const SCOPE_NAME = "flexllm";

/** The attributes of spans and metrics, with what they hold. */
export const ATTRIBUTES = {
  operationName: ["gen_ai.operation.name", "`chat`, or `embeddings` in the gateway"],
  providerName: ["gen_ai.provider.name", "the service, such as `openai` or `aws.bedrock`"],
  requestModel: ["gen_ai.request.model", "the requested model"],
  requestStream: ["gen_ai.request.stream", "`true` for a stream"],
  requestMaxTokens: ["gen_ai.request.max_tokens", "`maxTokens`"],
  requestTemperature: ["gen_ai.request.temperature", "`temperature`"],
  requestTopP: ["gen_ai.request.top_p", "`topP`"],
  requestTopK: ["gen_ai.request.top_k", "`topK`"],
  requestSeed: ["gen_ai.request.seed", "`seed`"],
  requestStop: ["gen_ai.request.stop_sequences", "`stop`"],
  requestFrequencyPenalty: ["gen_ai.request.frequency_penalty", "`frequencyPenalty`"],
  requestPresencePenalty: ["gen_ai.request.presence_penalty", "`presencePenalty`"],
  requestChoices: ["gen_ai.request.choice.count", "the number of answers, if not 1"],
  outputType: ["gen_ai.output.type", "`json` for a structured answer"],
  responseId: ["gen_ai.response.id", "the provider's id of the answer"],
  responseModel: ["gen_ai.response.model", "the model, under the provider's name for it"],
  finishReasons: ["gen_ai.response.finish_reasons", "why the model stopped"],
  timeToFirstChunk: [
    "gen_ai.response.time_to_first_chunk",
    "seconds from sending the last attempt to its first content; only for streams",
  ],
  inputTokens: ["gen_ai.usage.input_tokens", "input tokens, cached ones included"],
  outputTokens: ["gen_ai.usage.output_tokens", "output tokens, thinking included"],
  cacheReadTokens: [
    "gen_ai.usage.cache_read.input_tokens",
    "input tokens from the provider's prompt cache",
  ],
  cacheWriteTokens: [
    "gen_ai.usage.cache_creation.input_tokens",
    "input tokens written to the provider's prompt cache",
  ],
  reasoningTokens: ["gen_ai.usage.reasoning.output_tokens", "output tokens spent on thinking"],
  tokenType: ["gen_ai.token.type", "`input` or `output`"],
  systemInstructions: ["gen_ai.system_instructions", "content: the system messages"],
  inputMessages: ["gen_ai.input.messages", "content: the other messages"],
  outputMessages: ["gen_ai.output.messages", "content: the answer"],
  toolDefinitions: ["gen_ai.tool.definitions", "content: the tools"],
  errorType: ["error.type", "the error's code, such as `rate_limit`"],
  serverAddress: ["server.address", "the host of the endpoint"],
  serverPort: ["server.port", "its port"],
  httpMethod: ["http.request.method", "the HTTP method"],
  httpRoute: ["http.route", "the path, without names of models"],
  httpStatus: ["http.response.status_code", "the HTTP status"],
  httpResendCount: ["http.request.resend_count", "the number of earlier attempts, if any"],
  urlPath: ["url.path", "the path of the request"],
  urlScheme: ["url.scheme", "`http` or `https`"],
  cost: ["flexllm.cost.usd", "cost in USD, failed attempts included; absent if unknown"],
  cacheHit: ["flexllm.cache.hit", "whether the answer came from the response cache"],
  retries: ["flexllm.retries", "attempts after the first"],
  queueSeconds: [
    "flexllm.queue_seconds",
    "seconds in queues, for rate limits and between attempts",
  ],
  endpoint: ["flexllm.endpoint", "the base URL of the endpoint, without secrets"],
  model: ["flexllm.model", "the model of an attempt"],
  attempt: ["flexllm.attempt", "the number of an attempt, from 1"],
  callId: ["flexllm.call.id", "the call, as in the call log and in `x-flexllm-call-id`"],
  recordIndex: ["flexllm.record.index", "the index of the record, in a batch"],
  recordStatus: ["flexllm.record.status", "`succeeded` or `failed`"],
  recordsSucceeded: ["flexllm.batch.succeeded", "records with an answer from this run"],
  recordsFailed: ["flexllm.batch.failed", "records that failed in this run"],
  recordsRestored: ["flexllm.batch.restored", "records that earlier runs had finished"],
  interrupted: ["flexllm.batch.interrupted", "whether the batch was stopped before its end"],
  route: ["flexllm.route", "the route of the gateway"],
  lane: ["flexllm.lane", "`native` or `translated`"],
  key: ["flexllm.key", "the name of the virtual key"],
  team: ["flexllm.team", "its team"],
} as const;

/** The names of attributes by their use in the code. */
export type AttributeKey = keyof typeof ATTRIBUTES;

/** The name of each attribute. */
export const NAME: { readonly [Key in AttributeKey]: (typeof ATTRIBUTES)[Key][0] } = Object
  .fromEntries(
    Object.entries(ATTRIBUTES).map(([key, [name]]) => [key, name]),
  ) as { [Key in AttributeKey]: (typeof ATTRIBUTES)[Key][0] };

/** `count` numbers, from `first`, each `factor` times the one before. */
function powers(first: number, factor: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => Number((first * factor ** i).toPrecision(12)));
}

/** The conventions end at 81.92 s, but answers with thinking take longer. */
const SECONDS = powers(0.01, 2, 17);
const TOKENS = powers(1, 4, 14);
/** The conventions for HTTP end at 10 s. */
const HTTP_SECONDS = [
  ...[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
  ...[30, 60, 120, 300, 600],
];

/** A metric. */
export interface MetricDefinition {
  readonly name: string;
  readonly kind: "histogram" | "counter";
  readonly unit: string;
  readonly description: string;
  /** The upper bounds of a histogram's buckets. */
  readonly buckets?: readonly number[];
  readonly attributes: readonly AttributeKey[];
}

const MODEL: readonly AttributeKey[] = [
  "operationName",
  "providerName",
  "requestModel",
  "responseModel",
  "serverAddress",
  "serverPort",
];

/** The metrics by their use in the code. */
export type MetricKey =
  | "duration"
  | "tokens"
  | "timeToFirstChunk"
  | "cost"
  | "queue"
  | "retries"
  | "records"
  | "serverDuration";

/** The metrics. */
export const METRICS: Readonly<Record<MetricKey, MetricDefinition>> = {
  duration: {
    name: "gen_ai.client.operation.duration",
    kind: "histogram",
    unit: "s",
    description: "Duration of a call, with its retries",
    buckets: SECONDS,
    attributes: [...MODEL, "errorType", "cacheHit"],
  },
  tokens: {
    name: "gen_ai.client.token.usage",
    kind: "histogram",
    unit: "{token}",
    description: "Tokens of a call; none for a cached answer",
    buckets: TOKENS,
    attributes: [...MODEL, "tokenType"],
  },
  timeToFirstChunk: {
    name: "gen_ai.client.operation.time_to_first_chunk",
    kind: "histogram",
    unit: "s",
    description: "Time from sending the last attempt to its first content; only for streams",
    buckets: SECONDS,
    attributes: MODEL,
  },
  cost: {
    name: "flexllm.cost.usd",
    kind: "counter",
    unit: "{USD}",
    description: "Cost of calls, failed attempts included",
    attributes: MODEL,
  },
  queue: {
    name: "flexllm.queue.duration",
    kind: "histogram",
    unit: "s",
    description: "Time that a call waited: in queues, for rate limits and between attempts",
    buckets: SECONDS,
    attributes: MODEL,
  },
  retries: {
    name: "flexllm.retries",
    kind: "counter",
    unit: "{attempt}",
    description: "Attempts after the first of a call",
    attributes: MODEL,
  },
  records: {
    name: "flexllm.batch.records",
    kind: "counter",
    unit: "{record}",
    description: "Finished records of batches",
    attributes: ["recordStatus"],
  },
  serverDuration: {
    name: "http.server.request.duration",
    kind: "histogram",
    unit: "s",
    description: "Duration of a request to the gateway",
    buckets: HTTP_SECONDS,
    attributes: ["httpMethod", "httpRoute", "httpStatus", "urlScheme", "errorType"],
  },
};

/** The kinds of spans, with their names. */
export const SPANS = {
  call: ["chat MODEL", "one call, with its retries"],
  attempt: ["attempt MODEL", "one request to an endpoint, until the end of its answer"],
  cache: ["cache lookup", "the search for a stored answer, or the wait for an identical call"],
  batch: ["batch", "one run of a batch"],
  request: ["METHOD PATH", "one request to the gateway"],
} as const;

/** Values of `gen_ai.provider.name` for services, where the conventions have another name for them. */
export const PROVIDERS: Readonly<Record<string, string>> = {
  claude: "anthropic",
  gemini: "gcp.gemini",
  "gemini-openai": "gcp.gemini",
  vertex: "gcp.vertex_ai",
  bedrock: "aws.bedrock",
  azure: "azure.ai.openai",
  mistral: "mistral_ai",
  moonshot: "moonshot_ai",
  xai: "x_ai",
};
