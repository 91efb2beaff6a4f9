/**
 * Defines what workers send back for records, and encodes it.
 *
 * @module
 */
import type { IndexedRecord, Outcome } from "../batch/executor.ts";
import type { CallFacts } from "../chat/call_facts.ts";
import type { ChatResult } from "../chat/result.ts";
import { SchemaMismatchError } from "../chat/schema_mismatch_error.ts";
import type { FlexLLMError, PartialCompletion } from "../errors.ts";
import type { WorkEntry } from "./record_codec.ts";
import { decodeError, encodeError, type WireError } from "./error_codec.ts";
import {
  decodeFacts,
  decodeResult,
  encodeFacts,
  encodeResult,
  type WireFacts,
  type WireResult,
} from "./result_codec.ts";

/** What a worker sends back for one record. Short names: there is one for each record. */
export interface WorkResult {
  /** The index of the record. */
  i: number;
  /** The hash of its content. */
  h: string;
  /** How often it was given to a worker, if more than once. */
  d?: number;
  f?: WireFacts;
  /** The answer. */
  r?: WireResult;
  /** The error; with neither answer nor error, the record is given back. */
  e?: WireError;
  /** Whether the worker has left the job because of the error. */
  x?: true;
  /** Whether the record is given back in spite of the error, which is not its own. */
  b?: true;
  /** USD that an attempt has cost whose record is given back. */
  c?: number;
}

/** A group of results of one worker. */
export interface ResultGroup {
  /** The id of the entry in the stream. */
  id: string;
  worker: string;
  /** Counts the groups of the worker: one that arrives twice is dropped. */
  sequence: number;
  /** Attempts that failed and were retried, since the last group. */
  retries: number;
  results: WorkResult[];
}

/** Whether a worker gives the record back, unanswered. */
export function isGivenBack({ b, r, e }: WorkResult): boolean {
  return b === true || (r === undefined && e === undefined);
}

/** Whether a worker has an answer to the record. */
export function isAnswered({ b, r }: WorkResult): boolean {
  return b !== true && r !== undefined;
}

/** What every result of an entry has; alone, it gives the record back. */
export function resultHead({ index, hash, deliveries }: WorkEntry): WorkResult {
  return deliveries > 1 ? { i: index, h: hash, d: deliveries } : { i: index, h: hash };
}

/** The result of a record that was answered. */
export function answered(result: ChatResult, facts: CallFacts | undefined) {
  return { r: encodeResult(result), f: facts && encodeFacts(facts) };
}

/** The result of a record that failed. */
export function failed(error: FlexLLMError, facts: CallFacts | undefined) {
  return { e: encodeError(error), f: facts && encodeFacts(facts) };
}

function factsOf(
  { f }: WorkResult,
  outcome: Pick<CallFacts, "usage" | "cost" | "cached" | "outcome" | "errorCode">,
): CallFacts | undefined {
  return f && decodeFacts(f, outcome);
}

/** The outcome of a record from its result, which must have an answer or an error. */
export function outcomeOf(record: IndexedRecord, wire: WorkResult): Outcome {
  if (wire.r !== undefined) {
    const result = decodeResult(wire.r);
    const { usage, cost, cached } = result;
    const facts = factsOf(wire, { usage, cost, cached, outcome: "success" });
    return { record, ok: true, result, facts };
  }
  const error = decodeError(wire.e!);
  const { usage = null, cost = 0 } = billedOf(error);
  const outcome = error.code === "aborted" ? "aborted" : "error";
  const facts = factsOf(wire, { usage, cost, cached: false, outcome, errorCode: error.code });
  return { record, ok: false, error, facts };
}

function billedOf(error: FlexLLMError): Pick<PartialCompletion, "usage" | "cost"> {
  return (error instanceof SchemaMismatchError ? error.result : undefined) ?? error.partial ?? {};
}

/** What the calls of a result have cost in USD; `null` if unknown. */
export function costOf({ r, e, c = 0 }: WorkResult): number | null {
  if (r !== undefined) return r.cached ? 0 : r.cost;
  if (e === undefined) return c;
  const { cost = 0 } = billedOf(decodeError(e));
  return cost;
}

/** A group of results from an entry of the done stream. */
export function resultGroup(id: string, fields: readonly string[]): ResultGroup {
  const [, worker, , sequence, , body] = fields;
  const [number, retries = "0"] = sequence.split("+");
  return {
    id,
    worker,
    sequence: Number(number),
    retries: Number(retries),
    results: JSON.parse(body),
  };
}
