/**
 * The options of the mock's batch APIs.
 *
 * @module
 */
import { ConfigurationError } from "../../errors.ts";
import { type BatchFault, parseBatchFault } from "./fault_kinds.ts";

/** A provider whose batch API the mock has. */
export type BatchVendor =
  | "openai"
  | "azure"
  | "groq"
  | "together"
  | "mistral"
  | "anthropic"
  | "gemini"
  | "xai"
  | "openrouter"
  | "fireworks";

/** All of them. Each is also a path prefix: `/together/v1`. */
export const BATCH_VENDORS: readonly BatchVendor[] = [
  "openai",
  "azure",
  "groq",
  "together",
  "mistral",
  "anthropic",
  "gemini",
  "xai",
  "openrouter",
  "fireworks",
];

/** The options of the mock's batch APIs. */
export interface MockBatchOptions {
  /**
   * Seconds from the creation of a job to its end. The state of a job only depends on its age, so it also
   * proceeds while the mock is stopped.
   *
   * @default 0
   */
  duration?: number;
  /**
   * Faults to inject: `KIND`, `KIND=VALUE`, and which jobs or requests they hit: `expire=30%@1` lets the
   * first job expire with 30 % of its rows done. docs/mock.md lists the kinds.
   *
   * @default []
   */
  faults?: readonly string[];
  /**
   * Maximum estimated tokens of all unfinished jobs of a model; above it, new jobs fail with
   * `token_limit_exceeded`.
   *
   * @default no limit
   */
  queuedTokens?: number;
  /**
   * The provider to imitate on paths that several providers share, such as `/v1/batches`. A path prefix
   * such as `/groq` has precedence.
   *
   * @default the provider whose SDK sends the request, or OpenAI
   */
  api?: BatchVendor;
  /**
   * The folder for jobs and files, which then survive a restart, even after `kill -9`.
   *
   * @default memory and temporary files
   */
  state?: string;
}

/** The options with all defaults filled in. */
export interface BatchSettings {
  /** Milliseconds. */
  duration: number;
  faults: readonly BatchFault[];
  queuedTokens: number;
  api?: BatchVendor;
  state?: string;
  /** Whether each key has its own files and jobs, as workspaces do. */
  hasWorkspaces: boolean;
  seed: number;
}

/**
 * Fills in the defaults.
 *
 * @throws {ConfigurationError} if a value is out of range
 */
export function batchSettings(
  { duration = 0, faults = [], queuedTokens = Infinity, api, state }: MockBatchOptions,
  { apiKeys, seed }: { apiKeys: readonly string[]; seed: number },
): BatchSettings {
  if (!(duration >= 0 && Number.isFinite(duration))) {
    throw new ConfigurationError(`batch.duration: expected seconds ≥ 0, got ${duration}`);
  }
  if (!(queuedTokens > 0)) {
    throw new ConfigurationError(`batch.queuedTokens: expected a number > 0, got ${queuedTokens}`);
  }
  if (api !== undefined && !BATCH_VENDORS.includes(api)) {
    throw new ConfigurationError(`batch.api: expected ${BATCH_VENDORS.join(", ")}, got ${api}`);
  }
  return {
    duration: duration * 1000,
    faults: faults.map(parseBatchFault),
    queuedTokens,
    api,
    state,
    hasWorkspaces: apiKeys.length > 1,
    seed,
  };
}
