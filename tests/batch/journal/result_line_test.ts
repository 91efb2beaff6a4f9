import assert from "node:assert/strict";
import type { CallFacts } from "../../../lib/chat/call_facts.ts";
import type { ChatResult } from "../../../lib/chat/result.ts";
import { TimeoutError } from "../../../lib/errors.ts";
import { parseLine } from "../../../lib/batch/journal/parse_line.ts";
import {
  encodeRecord,
  errorRecord,
  recordedResult,
  successRecord,
} from "../../../lib/batch/journal/result_line.ts";

const HEAD = { index: 7, messages: [{ role: "user" as const, content: "Why?" }] };

const RESULT: ChatResult = {
  content: "Because",
  thinking: null,
  refusal: null,
  toolCalls: [],
  message: { role: "assistant", content: "Because" },
  usage: { promptTokens: 1, completionTokens: 2, totalTokens: 3 },
  cost: 0.5,
  finishReason: "stop",
  model: "m-1",
  endpoint: "http://a/v1",
  cached: false,
  latency: 0.81249,
  raw: {},
};

const FACTS: CallFacts = {
  at: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  model: "m",
  endpoint: "http://a/v1",
  queued: 0.25049,
  attempts: 2,
  firstToken: 0.1,
  duration: 2,
  usage: null,
  cost: null,
  cached: false,
  outcome: "success",
};

Deno.test("a line contains the facts of its call", () => {
  const line = encodeRecord(successRecord(HEAD, RESULT, FACTS));
  assert.equal(
    line,
    '{"index":7,"output":"Because","status":"success","input":[{"role":"user","content":"Why?"}],' +
      '"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3},"model":"m-1",' +
      '"endpoint":"http://a/v1","cost":0.5,"at":"2026-01-02T03:04:05.678Z","latency":0.812,' +
      '"queued":0.25,"first_token":0.1,"attempts":2,"finish_reason":"stop"}',
  );
  const record = parseLine(line);
  assert.ok(typeof record === "object");
  assert.equal(recordedResult(record).endpoint, "http://a/v1");
});

Deno.test("a failure contains the facts of its call, and unknown facts are absent", () => {
  const error = new TimeoutError("no answer within 10 s", 10);
  const { firstToken: _, endpoint: __, ...unsent } = FACTS;
  assert.deepEqual(JSON.parse(encodeRecord(errorRecord(HEAD, error, { ...unsent, attempts: 0 }))), {
    index: 7,
    output: null,
    status: "error",
    input: HEAD.messages,
    at: "2026-01-02T03:04:05.678Z",
    queued: 0.25,
    attempts: 0,
    error: "no answer within 10 s",
    error_code: "timeout",
  });
  const without = JSON.parse(encodeRecord(successRecord(HEAD, RESULT)));
  for (const field of ["at", "queued", "first_token", "attempts", "endpoint"]) {
    assert.equal(field in without, false, field);
  }
});
