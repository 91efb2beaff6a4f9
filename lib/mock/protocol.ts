/**
 * What the mock knows of a protocol: reading requests and writing answers, streams and errors.
 *
 * @module
 */
import * as v from "valibot";
import type { MockAnswer, MockQuestion } from "./question.ts";

/** What goes wrong on purpose or by the request's own fault. */
export type MockTrouble =
  | { kind: "invalid"; message: string; param?: string }
  | { kind: "rate_limit"; message: string }
  | { kind: "server_error"; message: string }
  | { kind: "overloaded"; message: string }
  | { kind: "not_found"; message: string };

/** Where a server's limit of requests stands. */
export interface RequestLimit {
  /** Requests a second. */
  limit: number;
  /** How many more there may be in this second. */
  remaining: number;
  /** Seconds until all of them are free again. */
  reset: number;
}

/** One event of a stream. */
export interface MockEvent {
  /** The name, where the protocol has names. */
  event?: string;
  data: string;
  /** Whether it carries a token, which takes time to write. */
  token?: true;
}

/** One protocol. */
export interface MockProtocol {
  /** Reads the body of a request; `stream` and `model` may come from its path. */
  read(body: unknown, path: { model?: string; stream?: boolean }): MockQuestion | MockTrouble;
  /** The body of a plain answer. */
  body(answer: MockAnswer): unknown;
  /** The events of a streamed answer. */
  events(answer: MockAnswer, body: unknown): Iterable<MockEvent>;
  /** The status and body of an error; `status` is one to say instead of the usual. */
  error(trouble: MockTrouble, status?: number): { status: number; body: unknown };
  /** The body of the list of models. */
  models(models: readonly string[]): unknown;
  /** Headers that go with each answer; `limit` tells of the limit of requests a second. */
  headers(requests: number, limit: RequestLimit | undefined): Record<string, string>;
}

/** Checks a body against a schema. */
export function readBody<S extends v.GenericSchema>(
  schema: S,
  body: unknown,
): { value: v.InferOutput<S> } | { trouble: MockTrouble } {
  const result = v.safeParse(schema, body);
  if (result.success) return { value: result.output };
  const [issue] = result.issues;
  const param = v.getDotPath(issue) ?? undefined;
  const message = `Invalid request body${param ? `, '${param}'` : ""}: ${issue.message}`;
  return { trouble: { kind: "invalid", message, param } };
}

/** Seconds since 1970. */
export function timestamp(): number {
  return Math.floor(Date.now() / 1000);
}
