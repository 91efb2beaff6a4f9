import assert from "node:assert/strict";
import { chatCompletions as openai } from "../lib/providers/chat_completions.ts";
import { decodeAnswer } from "../lib/providers/answer.ts";
import { retryAfterSeconds } from "../lib/providers/response_error.ts";
import type { FlexLLMError } from "../lib/errors.ts";

function errorOf(status: number, body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  try {
    decodeAnswer(openai, { status, headers: new Headers(headers), body: text });
  } catch (error) {
    return error as FlexLLMError & { retryAfter?: number; requestId?: string };
  }
  throw new Error("no error was thrown");
}

const OPENAI_ERROR = { error: { message: "Bad key", type: "invalid_request_error", code: "x" } };

Deno.test("statuses map to the class, and to whether another try can help", () => {
  const cases: [status: number, code: string, retryable: boolean, fatal: boolean][] = [
    [400, "http", false, false],
    [401, "authentication", false, true],
    [402, "quota_exceeded", false, true],
    [403, "authentication", false, true],
    [404, "http", false, true],
    [408, "http", true, false],
    [409, "http", true, false],
    [413, "http", false, false],
    [422, "http", false, false],
    [425, "http", true, false],
    [429, "rate_limit", true, false],
    [500, "http", true, false],
    [503, "http", true, false],
    [529, "http", true, false],
  ];
  for (const [status, code, retryable, fatal] of cases) {
    const error = errorOf(status, OPENAI_ERROR);
    assert.deepEqual(
      [status, error.code, error.retryable, error.fatal],
      [status, code, retryable, fatal],
    );
    assert.equal(error.message, `the server answered ${status}: Bad key`);
  }
});

Deno.test("a 429 for a used-up quota is not tried again", () => {
  const error = errorOf(429, { error: { message: "No credit", code: "insufficient_quota" } });
  assert.deepEqual([error.code, error.retryable, error.fatal], ["quota_exceeded", false, true]);
});

Deno.test("a 402 that says when to come back is tried again", () => {
  // OpenRouter: `in_flight_budget_exhausted`.
  const error = errorOf(402, { error: { code: 402, message: "busy" } }, { "retry-after": "3" });
  assert.deepEqual([error.code, error.retryable, error.retryAfter], ["rate_limit", true, 3]);
});

Deno.test("x-should-retry wins over the status", () => {
  assert.equal(errorOf(500, OPENAI_ERROR, { "x-should-retry": "false" }).retryable, false);
  assert.equal(errorOf(400, OPENAI_ERROR, { "x-should-retry": "true" }).retryable, true);
});

Deno.test("the waiting time is read from all three forms", () => {
  const seconds = (headers: Record<string, string>) =>
    retryAfterSeconds(new Headers({ date: "Thu, 01 Jan 2026 00:00:00 GMT", ...headers }));
  assert.equal(seconds({ "retry-after": "12" }), 12);
  assert.equal(seconds({ "retry-after-ms": "250", "retry-after": "1" }), 0.25);
  assert.equal(seconds({ "retry-after": "Thu, 01 Jan 2026 00:00:30 GMT" }), 30);
  assert.equal(seconds({ "retry-after": "Wed, 31 Dec 2025 00:00:00 GMT" }), 0);
  assert.equal(seconds({ "retry-after": "soon" }), undefined);
  assert.equal(seconds({}), undefined);
});

Deno.test("error bodies of other servers are read", () => {
  assert.match(errorOf(400, { error: "model not found" }).message, /model not found/); // Ollama
  assert.match(errorOf(422, { detail: "wrong field" }).message, /wrong field/); // Mistral
  assert.match(errorOf(502, "<html><h1>502 Bad Gateway</h1></html>").message, /502 Bad Gateway/);
  assert.equal(errorOf(500, "").message, "the server answered 500");
  assert.equal(errorOf(500, OPENAI_ERROR, { "x-request-id": "req_1" }).requestId, "req_1");
});

Deno.test("a 200 that is no completion says what it is", () => {
  const page = errorOf(200, "<!doctype html><title>Log in</title>", {
    "content-type": "text/html",
  });
  assert.deepEqual([page.code, page.retryable], ["malformed_response", false]);
  assert.match(page.message, /web page.*Log in/);
  assert.match(page.hint!, /base URL/);

  const empty = errorOf(200, "");
  assert.deepEqual([empty.message, empty.retryable], [
    "the server answered 200 with an empty body",
    true,
  ]);
  assert.equal(errorOf(200, '{"choices":[{"mess').retryable, true);
});

Deno.test("a 200 with an error object is the error that it names", () => {
  // OpenRouter answers 200 when the error comes after generation began.
  const limited = errorOf(200, { error: { code: 429, message: "Slow down" } });
  assert.deepEqual([limited.code, limited.retryable], ["rate_limit", true]);
  const refused = errorOf(200, { error: { message: "context too long", type: "bad_request" } });
  assert.deepEqual([refused.code, refused.retryable], ["http", false]);
});
