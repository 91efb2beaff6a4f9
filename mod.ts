/**
 * flexllm sends any number of prompts to any LLM endpoint: within limits, with retries and resume,
 * and never pays for an answer twice.
 *
 * ```ts
 * import { LLMClient } from "@flexllm/flexllm";
 *
 * await using client = new LLMClient({
 *   baseUrl: "https://api.openai.com/v1",
 *   apiKey: "your-api-key",
 *   model: "gpt-5.4-mini",
 * });
 * const { content } = await client.chatCompletions([{ role: "user", content: "Hello!" }]);
 * ```
 *
 * Runs on Deno, Bun 1.4 and Node 22.13 or later; only the Deno KV cache needs Deno. The command line is
 * `./cli`.
 *
 * @module
 */
export { LLMClient } from "./lib/client/client.ts";
export { LLMClientPool } from "./lib/client/pool.ts";
export { createGatewayApp, type GatewayApp } from "./lib/gateway/gateway_app.ts";
export type { GatewayOptions, GatewayRoute } from "./lib/gateway/gateway_options.ts";
export type { AttemptFacts, CallContent, CallFacts } from "./lib/chat/call_facts.ts";
export { CallLog, type CallLogOptions } from "./lib/log/call_log.ts";
export type { LogLevel } from "./lib/log/log_level.ts";
export type { GatewayFacts, GatewayObserver } from "./lib/gateway/gateway_facts.ts";
export type {
  ClientOptions,
  LimitOptions,
  PoolEndpoint,
  PoolOptions,
  RequestOptions,
} from "./lib/client/client_options.ts";
export type { RedisOptions } from "./lib/client/redis_options.ts";
export type {
  BudgetOnStoreLoss,
  RatesOnStoreLoss,
  StoreLossPolicy,
} from "./lib/redis/redis_settings.ts";
export type { Affordability, SharedMoney } from "./lib/scheduling/shared/shared_money.ts";
export type { CacheOptions } from "./lib/cache/options.ts";
export type { StoreName } from "./lib/cache/open_store.ts";
export type { CacheStore, KeyedEntry, StoredEntry } from "./lib/cache/store.ts";
export type { EndpointStats } from "./lib/client/endpoint_stats.ts";
export type { LoadBalance } from "./lib/scheduling/load_balancer.ts";
export type { ChatClient } from "./lib/client/chat_client.ts";
export type { BatchInput } from "./lib/chat/record.ts";
export { CompletionStream } from "./lib/client/completion_stream.ts";
export type { StreamEventSource } from "./lib/client/event_iterator.ts";
export type { ServerOptions } from "./lib/services/connect.ts";
export type { ProviderName } from "./lib/services/providers.ts";
export type { EndpointOptions } from "./lib/client/client_options.ts";
export { parseThoughts, type Thoughts } from "./lib/protocols/parse_thoughts.ts";
export type { ModelInfo } from "./lib/protocols/protocol.ts";
export type { RetryNotice } from "./lib/chat/retry_notice.ts";
export type { ApiName, OfficialProvider } from "./lib/protocols/registry.ts";
export type { ServiceName } from "./lib/services/services.ts";
export type { Fetch } from "./lib/transport/http.ts";

export type { AttachmentOptions } from "./lib/transport/load_file.ts";
export type {
  AssistantMessage,
  AudioPart,
  CacheControl,
  ContentPart,
  DocumentPart,
  FilePart,
  ImagePart,
  Message,
  ProviderMessage,
  SystemMessage,
  TextPart,
  ToolMessage,
  UserMessage,
} from "./lib/chat/messages.ts";
export type {
  AnyResponseFormat,
  ChatOptions,
  FunctionTool,
  JsonSchemaFormat,
  Parsed,
  ProviderTool,
  ResponseFormat,
  SamplingOptions,
  Thinking,
  ThinkingLevel,
  Tool,
  ToolChoice,
} from "./lib/chat/options.ts";
export type {
  StandardSchemaIssue,
  StandardSchemaProps,
  StandardSchemaResult,
  StandardSchemaV1,
} from "./lib/chat/standard_schema.ts";
export { isFunctionTool } from "./lib/chat/options.ts";
export type { ChatResult, Citation, FinishReason, TokenLogprob } from "./lib/chat/result.ts";
export type { Usage } from "./lib/usage.ts";
export type { ToolCall } from "./lib/chat/tool_call.ts";
export type { StreamEvent } from "./lib/chat/events.ts";

export type { BatchItem, BatchIterator, BatchResult } from "./lib/batch/items.ts";
export type { JobLimits, JobOptions } from "./lib/batch/job_options.ts";
export type { BatchOptions } from "./lib/batch/options.ts";
export type {
  ProviderBatch,
  ProviderBatchOptions,
  ProviderBatchStatus,
  SubmitBatchOptions,
} from "./lib/batch/provider_batch.ts";
export type { PartStatus, PartStatusName } from "./lib/batch/jobs/part_status.ts";
export type { JobStatus } from "./lib/batch_api/batch_api.ts";
export type { BatchRecord } from "./lib/chat/record.ts";
export type { BatchSummary } from "./lib/batch/summary.ts";

export {
  type CostRow,
  CostTracker,
  type CostTrackerOptions,
  type SpendingLedger,
} from "./lib/pricing/cost_tracker.ts";
export type { Budget, BudgetWaiter, Charge, Reservation } from "./lib/scheduling/budget.ts";
export {
  type CostQuery,
  estimateCost,
  getPricing,
  listPricing,
  type ModelPricing,
  type PricingQuery,
} from "./lib/pricing/get_pricing.ts";
export type { BatchPrice } from "./lib/pricing/batch_price.ts";
export type { PriceRow } from "./lib/pricing/price.ts";
export type { Rate, Rates, TieredRate } from "./lib/pricing/rates.ts";

export { createMockApp, type MockApp } from "./lib/mock/mock_app.ts";
export type { CannedCitation, CannedResponse } from "./lib/mock/canned.ts";
export type { MockErrorKind } from "./lib/mock/error_kinds.ts";
export type { BatchVendor, MockBatchOptions } from "./lib/mock/batch/batch_options.ts";
export type { MockAccess } from "./lib/mock/access_log.ts";
export type {
  MockOptions,
  MockRecordOptions,
  MockReplayOptions,
  NumberRange,
} from "./lib/mock/options.ts";
export { type MockServer, type MockServerOptions, startMockServer } from "./lib/mock/server.ts";

export {
  AbortedError,
  AuthenticationError,
  BudgetExceededError,
  CacheError,
  ConfigurationError,
  ConnectionError,
  ContentBlockedError,
  type ErrorCode,
  type ErrorDetails,
  FlexLLMError,
  HttpError,
  type HttpErrorDetails,
  InternalError,
  InvalidInputError,
  JournalError,
  JournalMismatchError,
  type MalformedResponseDetails,
  MalformedResponseError,
  type PartialCompletion,
  QuotaExceededError,
  RateLimitError,
  TimeoutError,
  UnavailableError,
} from "./lib/errors.ts";
export { SchemaMismatchError } from "./lib/chat/schema_mismatch_error.ts";

export type { AccessOptions, AccessSettings } from "./lib/gateway/access/access_settings.ts";
export type { KeyAccess } from "./lib/gateway/access/key_access.ts";
export { openAccess } from "./lib/gateway/access/open_access.ts";
export { type KeyFile, type ListedKey, openKeyStore } from "./lib/gateway/access/open_key_store.ts";
export {
  type IssuedKey,
  type KeyChanges,
  type KeySpending,
  type KeyStore,
} from "./lib/gateway/access/key_store.ts";
export type { KeySettings } from "./lib/gateway/access/key_settings.ts";
export type { ConfiguredLimits } from "./lib/gateway/access/accounts.ts";
export type {
  Account,
  BalanceState,
  KeyChange,
  KeyTable,
  Ledger,
  LedgerReservation,
  ReserveOutcome,
  ReserveRequest,
  ScopeBudget,
  Shortage,
  SpendCounts,
  SpendFilter,
  SpendRow,
  StoredKey,
} from "./lib/gateway/ledger/ledger.ts";
export type { BudgetPeriod } from "./lib/gateway/ledger/periods.ts";
export type {
  Access,
  AccessDemand,
  Admission,
  Caller,
  KeyReport,
  LimitState,
  RateStates,
  SharedStoreReport,
} from "./lib/gateway/access.ts";
export type { Budgets, KeyLimits, VirtualKey } from "./lib/gateway/key_limits.ts";
export type { Clock } from "./lib/runtime/clock.ts";
