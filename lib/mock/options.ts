/**
 * What a mock server can be told to do.
 *
 * @module
 */
import { ConfigurationError } from "../errors.ts";
import type { CannedResponse } from "./canned.ts";
import { MOCK_ERROR_KINDS, type MockErrorKind } from "./error_kinds.ts";

/** One value, or any between two, both included. */
export type NumberRange = number | readonly [min: number, max: number];

/** The options of the mock server. */
export interface MockOptions {
  /** Seconds before an answer begins; default 0. */
  delay?: NumberRange;
  /** Characters of an answer's text; default 10 to 1000. */
  length?: NumberRange;
  /** The models it lists; any model can be asked. Default `mock`. */
  models?: readonly string[];
  /** Requests a second; above it the answer is 429 with `Retry-After`. Default no limit. */
  rps?: number;
  /** Tokens an answer is written at a second, streamed or not; default no limit. */
  tokenRate?: number;
  /** The share of requests that fail, from 0 to 1; default 0. */
  errorRate?: number;
  /** How they fail, each kind as often as the others; default `server_error`. */
  errorKinds?: readonly MockErrorKind[];
  /** Seconds between the beginning of a streamed answer and its first token; default 0. */
  firstToken?: NumberRange;
  /** Answers for the requests that fit their patterns, the first that fits; others are made up. */
  responses?: readonly CannedResponse[];
  /** Accept request bodies that the real APIs refuse; default false. */
  lenient?: boolean;
  /**
   * Makes answers, delays and errors the same in each run. An answer depends on the seed and on the
   * conversation alone, not on the order of the requests. Default 0.
   */
  seed?: number;
}

/** The options with the defaults in the places of those left out. */
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
      `${name}: expected a number of at least 0, or a range from small to large, got ${min}-${max}`,
    );
  }
  return [min, max];
}

function checkedRate(name: string, value: number | undefined): number {
  if (value === undefined) return Infinity;
  if (!(value > 0)) {
    throw new ConfigurationError(`${name}: expected a number above 0, got ${value}`);
  }
  return value;
}

/**
 * Fills in the defaults.
 *
 * @throws {ConfigurationError} when a value is out of its range
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
    throw new ConfigurationError(`seed: expected a whole number, got ${seed}`);
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
