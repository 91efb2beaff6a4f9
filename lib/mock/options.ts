/**
 * The options of the mock server.
 *
 * @module
 */
import { ConfigurationError } from "../errors.ts";
import type { MockAccess } from "./access_log.ts";
import { type BatchSettings, batchSettings, type MockBatchOptions } from "./batch/batch_options.ts";
import type { CannedResponse } from "./canned.ts";
import { MOCK_ERROR_KINDS, type MockErrorKind } from "./error_kinds.ts";

/** A fixed number, or a range to pick from at random (inclusive). */
export type NumberRange = number | readonly [min: number, max: number];

/** Records real traffic; see {@link MockOptions.record}. */
export interface MockRecordOptions {
  /** The base URL of the real server, e.g. `https://api.openai.com/v1`. */
  url: string | URL;
  /** The JSONL file to append to. */
  file: string | URL;
  /**
   * Answer requests that the file already has from it, without waiting, and record only the others.
   *
   * @default false
   */
  onlyNew?: boolean;
  /**
   * Sends the requests to the real server.
   *
   * @default the runtime's `fetch`
   */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

/** Replays recorded traffic; see {@link MockOptions.replay}. */
export interface MockReplayOptions {
  /** A file that a recording mock wrote. */
  file: string | URL;
  /**
   * How much faster than recorded to answer: 10 means a tenth of the time, `Infinity` means no waits.
   *
   * @default 1
   */
  speed?: number;
  /**
   * Whether to repeat the last answer to a request after all recorded ones were replayed. If `false`,
   * further requests fail with status 404.
   *
   * @default true
   */
  repeat?: boolean;
}

/** The options of the mock server. */
export interface MockOptions {
  /**
   * Seconds before an answer starts.
   *
   * @default 0
   */
  delay?: NumberRange;
  /**
   * Characters per answer.
   *
   * @default [10, 1000]
   */
  length?: NumberRange;
  /**
   * The models to list. Requests may use any model.
   *
   * @default ["mock"]
   */
  models?: readonly string[];
  /**
   * Maximum requests per second; further ones get a 429 with `Retry-After`.
   *
   * @default no limit
   */
  rps?: number;
  /**
   * Tokens per second, in plain and streamed answers.
   *
   * @default no limit
   */
  tokenRate?: number;
  /**
   * The share of requests that fail, from 0 to 1.
   *
   * @default 0
   */
  errorRate?: number;
  /**
   * How requests fail; all kinds are equally likely.
   *
   * @default ["server_error"]
   */
  errorKinds?: readonly MockErrorKind[];
  /**
   * Seconds between the start of a stream and its first token.
   *
   * @default 0
   */
  firstToken?: NumberRange;
  /**
   * Canned responses. The first one that matches is used; if none matches, the answer is generated.
   *
   * @default []
   */
  responses?: readonly CannedResponse[];
  /**
   * Accept request bodies that the real APIs reject.
   *
   * @default false
   */
  lenient?: boolean;
  /**
   * Seeds answers, delays and errors. An answer depends only on the seed and the conversation, not on the
   * order of requests.
   *
   * @default 0
   */
  seed?: number;
  /**
   * Accept only requests with one of these API keys. Others are rejected as the provider does.
   *
   * @default any key, or none
   */
  apiKey?: string | readonly string[];
  /** The batch APIs: how long jobs take, faults, and where to store them. */
  batch?: MockBatchOptions;
  /** Called for every request when its answer ends. */
  onRequest?: (access: MockAccess) => void;
  /**
   * Pass all requests on to a real server, and record them. The options for generated answers have no effect.
   *
   * @default off
   */
  record?: MockRecordOptions;
  /**
   * Answer with recorded traffic: a file, or a file with options. The options for generated answers have no
   * effect.
   *
   * @default off
   */
  replay?: string | URL | MockReplayOptions;
}

/** The options with all defaults filled in. */
export interface MockSettings {
  delay: readonly [number, number];
  length: readonly [number, number];
  models: readonly string[];
  rps: number;
  tokenRate: number;
  errorRate: number;
  errorKinds: readonly MockErrorKind[];
  firstToken: readonly [number, number];
  responses: readonly CannedResponse[];
  lenient: boolean;
  seed: number;
  apiKeys: readonly string[];
  batch: BatchSettings;
}

function checkedRange(name: string, range: NumberRange): readonly [number, number] {
  const [min, max] = typeof range === "number" ? [range, range] : range;
  if (!(min >= 0 && max >= min && Number.isFinite(max))) {
    throw new ConfigurationError(
      `${name}: expected a number ≥ 0 or a range such as 1-5, got ${min}-${max}`,
    );
  }
  return [min, max];
}

function checkedRate(name: string, value: number | undefined): number {
  if (value === undefined) return Infinity;
  if (!(value > 0)) {
    throw new ConfigurationError(`${name}: expected a number > 0, got ${value}`);
  }
  return value;
}

function checkedKeys(apiKey: MockOptions["apiKey"] = []): readonly string[] {
  const keys = typeof apiKey === "string" ? [apiKey] : apiKey;
  if (keys.some((key) => !/^[\x21-\x7e]+$/.test(key))) {
    throw new ConfigurationError("apiKey: expected printable ASCII characters without spaces");
  }
  return keys;
}

/**
 * Fills in the defaults.
 *
 * @throws {ConfigurationError} if a value is out of range
 */
export function mockSettings(options: MockOptions): MockSettings {
  const { errorRate = 0, seed = 0, models = ["mock"], errorKinds = ["server_error"] } = options;
  const unknown = errorKinds.find((kind) => !MOCK_ERROR_KINDS.includes(kind));
  if (unknown !== undefined || errorKinds.length === 0) {
    throw new ConfigurationError(
      `errorKinds: expected ${MOCK_ERROR_KINDS.join(", ")}, got ${unknown}`,
    );
  }
  if (!(errorRate >= 0 && errorRate <= 1)) {
    throw new ConfigurationError(`errorRate: expected a number from 0 to 1, got ${errorRate}`);
  }
  if (!Number.isSafeInteger(seed)) {
    throw new ConfigurationError(`seed: expected an integer, got ${seed}`);
  }
  const apiKeys = checkedKeys(options.apiKey);
  return {
    delay: checkedRange("delay", options.delay ?? 0),
    length: checkedRange("length", options.length ?? [10, 1000]),
    models,
    rps: checkedRate("rps", options.rps),
    tokenRate: checkedRate("tokenRate", options.tokenRate),
    errorRate,
    errorKinds,
    firstToken: checkedRange("firstToken", options.firstToken ?? 0),
    responses: options.responses ?? [],
    lenient: options.lenient ?? false,
    seed,
    apiKeys,
    batch: batchSettings(options.batch ?? {}, { apiKeys, seed }),
  };
}
