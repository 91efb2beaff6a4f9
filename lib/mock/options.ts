/**
 * The options of the mock server.
 *
 * @module
 */
import { ConfigurationError } from "../errors.ts";
import type { CannedResponse } from "./canned.ts";
import { MOCK_ERROR_KINDS, type MockErrorKind } from "./error_kinds.ts";

/** A fixed number, or a range to pick from at random (inclusive). */
export type NumberRange = number | readonly [min: number, max: number];

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
  };
}
