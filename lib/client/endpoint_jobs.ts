/**
 * Encodes records into rows of provider jobs and decodes their answers, with the client's own encoding, cache,
 * prices and budget.
 *
 * @module
 */
import type { BatchApi, RowResult } from "../batch_api/batch_api.ts";
import type { BatchHttp } from "../batch_api/batch_http.ts";
import { createBatchHttp } from "../batch_api/http.ts";
import { batchApiOf } from "../batch_api/registry.ts";
import { withoutSecrets } from "../batch_api/without_secrets.ts";
import type { IndexedRecord, Outcome } from "../batch/executor.ts";
import type { RequestTemplate } from "../batch/executors/live.ts";
import { collectedFacts } from "../batch/jobs/collected_facts.ts";
import type { JobClient, PreparedRow } from "../batch/jobs/job_client.ts";
import { parseRowId, rowFingerprint } from "../batch/jobs/row_id.ts";
import { loadFingerprint } from "../batch/journal/fingerprint.ts";
import { checkRecord, recordError } from "../batch/record_problem.ts";
import type { ChatOptions } from "../chat/options.ts";
import { withRecordOptions } from "../chat/record_options.ts";
import type { ChatResult } from "../chat/result.ts";
import { ConfigurationError } from "../errors.ts";
import { parseExact } from "../json/json.ts";
import { CostTracker } from "../pricing/cost_tracker.ts";
import { promptSize } from "../pricing/token_estimate.ts";
import type { Protocol } from "../protocols/protocol.ts";
import { keyFingerprint } from "../redact.ts";
import { Lazy } from "../runtime/lazy.ts";
import type { Reservation } from "../scheduling/budget.ts";
import { withParsed } from "./answer.ts";
import { resultOf } from "./attempt.ts";
import type { Call } from "./call.ts";
import type { CallPipeline } from "./call_pipeline.ts";
import type { EndpointClient } from "./endpoint_client.ts";
import { checkBatchable, noBatchApi, severalEndpoints } from "./job_problems.ts";
import { answerOf, rowError } from "./job_answer.ts";
import { rowRequest } from "./job_row.ts";
import { costBy } from "./metering.ts";

/** Seconds without progress after which a request fails at the earliest. */
const MIN_TIMEOUT = 300;

/** The options of a {@link JobClient}. */
export interface JobClientOptions {
  /**
   * Whether rows are only written to files for the user to take elsewhere, which needs no batch API.
   *
   * @default false
   */
  offline?: boolean;
  /**
   * Whether results are written to a journal, so that metadata must be valid JSON.
   *
   * @default true
   */
  isJournaled?: boolean;
}

/**
 * The interface through which provider jobs use the endpoint of a client. `request` has the options for every
 * record.
 *
 * @throws {ConfigurationError} if the client has several endpoints, its service has no batch API, or a batch
 *   API cannot take an option
 */
export function endpointJobs(
  pipeline: CallPipeline,
  request: RequestTemplate,
  options: JobClientOptions = {},
): JobClient {
  if (pipeline.endpoints.length !== 1) throw severalEndpoints(pipeline.endpoints);
  return new EndpointJobs(pipeline, pipeline.endpoints[0], request, options);
}

/** Provider jobs at the only endpoint of a client. */
class EndpointJobs implements JobClient {
  readonly http: BatchHttp;
  readonly endpoint: string;
  readonly keyFingerprint: string;
  readonly model: string | undefined;
  readonly report: ((outcome: Outcome) => void) | undefined;
  readonly #pipeline: CallPipeline;
  readonly #endpoint: EndpointClient;
  readonly #request: RequestTemplate;
  readonly #isJournaled: boolean;
  readonly #protocol: Protocol;
  readonly #api: BatchApi | undefined;
  readonly #costs: CostTracker;
  readonly #pricer = new Lazy(() => this.#endpoint.loadBatchPricer());

  constructor(
    pipeline: CallPipeline,
    endpoint: EndpointClient,
    request: RequestTemplate,
    { offline = false, isJournaled = true }: JobClientOptions,
  ) {
    checkBatchable(request);
    const { connection } = endpoint;
    this.#pipeline = pipeline;
    this.#endpoint = endpoint;
    this.#request = request;
    this.#isJournaled = isJournaled;
    this.#protocol = endpoint.protocolOf({ messages: [], options: request, stream: false });
    const api = batchApiOf(connection.endpoint, this.#protocol);
    this.#api = api && withoutSecrets(api, endpoint.secrets);
    if (this.#api === undefined && !offline) throw noBatchApi(endpoint);
    // Without a tracker, nothing limits the cost, and nobody reads it.
    this.#costs = pipeline.options.costTracker ?? new CostTracker();
    this.http = createBatchHttp(connection.endpoint, connection.fetch, {
      protocol: this.#protocol,
      // A create that is given up too early leaves a job that has to be looked for.
      timeout: Math.max(MIN_TIMEOUT, pipeline.options.timeout),
      signal: pipeline.signal,
    });
    this.endpoint = endpoint.name;
    this.keyFingerprint = keyFingerprint(endpoint.secrets);
    this.model = request.model ?? endpoint.model;
    this.report = pipeline.listeners.isEmpty ? undefined : (outcome) => this.#notify(outcome);
  }

  get api(): BatchApi {
    if (this.#api === undefined) throw noBatchApi(this.#endpoint);
    return this.#api;
  }

  parse(text: string): unknown {
    return this.#protocol.exactNumbers ? parseExact(text) : JSON.parse(text);
  }

  async prepare(record: IndexedRecord): Promise<{ cached: ChatResult } | PreparedRow> {
    checkRecord(record, this.#isJournaled);
    try {
      return await this.#prepare(record);
    } catch (error) {
      throw recordError(record, error);
    }
  }

  async #prepare(record: IndexedRecord): Promise<{ cached: ChatResult } | PreparedRow> {
    const options = this.#optionsOf(record);
    checkBatchable(options);
    const call = await this.#pipeline.encode(record.messages, options);
    const encoded = call.encode(this.#endpoint);
    const { cache, metering } = this.#pipeline;
    const cached = await cache?.get(encoded);
    if (cached !== undefined) return { cached };
    const request = rowRequest(encoded);
    const problem = this.#api?.rowProblem?.(request);
    if (problem !== undefined) throw new ConfigurationError(problem);
    const size = sizeOf(call);
    const pricer = await this.#pricer.get();
    const metered = { promptSize: size, options: call.options };
    return {
      request,
      promptTokens: metering.promptTokens(size),
      maxCost: metering.maxRowCost(metered, this.#endpoint, request.model, pricer),
    };
  }

  async decode(
    row: Extract<RowResult, { kind: "answer" | "error" }>,
    record: IndexedRecord,
    sentModel?: string,
  ): Promise<ChatResult> {
    const options = this.#optionsOf(record);
    const protocol = this.#endpoint.protocolOf({
      messages: record.messages,
      options,
      stream: false,
    });
    if (row.kind === "error") throw rowError(protocol, this.#endpoint, row);
    const model = sentModel ?? options.model ?? this.#endpoint.model ?? "";
    const endpoint = this.#endpoint;
    const pricer = await this.#pricer.get();
    const answered = answerOf(protocol, endpoint, row.body);
    const cost = costBy(pricer, model, answered.completion);
    // The time that a job takes says nothing about one of its rows.
    const result = resultOf({ endpoint, request: { model } }, answered, cost, 0);
    if (result.usage !== null) {
      const size = promptSize(record.messages, options);
      this.#pipeline.metering.learn(size, result.usage);
    }
    const { responseFormat } = options;
    if (responseFormat !== undefined) await withParsed(result, responseFormat);
    await this.#store(row.id, record, options, result);
    return result;
  }

  /** Writes an answer to the cache under the key of a live call, if that call would send the same. */
  async #store(
    rowId: string,
    record: IndexedRecord,
    options: ChatOptions,
    result: ChatResult,
  ): Promise<void> {
    const { cache } = this.#pipeline;
    if (cache === undefined) return;
    let encoded;
    try {
      encoded = (await this.#pipeline.encode(record.messages, options)).encode(this.#endpoint);
    } catch {
      // An attachment is gone since the request was sent. The answer is still good, but has no key.
      return;
    }
    const sent = parseRowId(rowId);
    if (sent !== undefined) {
      await loadFingerprint();
      // The command has other options than when the row was sent, or an attachment has changed.
      if (rowFingerprint(rowRequest(encoded)) !== sent.fingerprint) return;
    }
    await cache.put({ result, encoded });
  }

  #notify(outcome: Outcome): void {
    const { record } = outcome;
    const head = {
      index: record.index,
      at: Date.now(),
      model: record.options?.model ?? this.model ?? "",
      endpoint: this.endpoint,
    };
    const [ending, received] = outcome.ok
      ? [{ result: outcome.result }, { result: outcome.result }]
      : [{ error: outcome.error }, { cause: outcome.error }];
    const { facts = collectedFacts(head, ending) } = outcome;
    this.#pipeline.listeners.notify(facts, { messages: record.messages, ...received });
  }

  #optionsOf(record: IndexedRecord): ChatOptions {
    return record.options === undefined
      ? this.#request
      : withRecordOptions(this.#request, record.options);
  }

  reserve(cost: number, signal?: AbortSignal): Promise<Reservation> {
    return this.#costs.reserveRows(cost, signal);
  }

  restore(cost: number): Reservation {
    return this.#costs.restore(cost);
  }
}

/** The size of a call's prompt, which a client without limits does not measure. */
function sizeOf({ promptSize: size, messages, options }: Call): number {
  return size || promptSize(messages, options);
}
