import assert from "node:assert/strict";
import { openaiChat as openai } from "../../lib/protocols/openai_chat/openai_chat.ts";
import { decodeResponse } from "../../lib/protocols/decode_response.ts";
import { retryAfterSeconds } from "../../lib/protocols/response_error.ts";
import type { HttpError, RateLimitError } from "../../lib/errors.ts";
import type { SchemaMismatchError } from "../../lib/chat/schema_mismatch_error.ts";
import { ContentBlockedError } from "../../lib/errors.ts";
import { connect } from "../../lib/services/connect.ts";
import type { EndpointOptions } from "../../lib/client/client_options.ts";
import type { Protocol } from "../../lib/protocols/protocol.ts";
import { anthropic } from "../../lib/protocols/anthropic/anthropic.ts";
import { gemini } from "../../lib/protocols/gemini/gemini.ts";
import { type ClientOptions, LLMClient } from "../../mod.ts";
import { decodeEvent } from "../support/decode_event.ts";

type AnyError = HttpError & RateLimitError & SchemaMismatchError;

function errorOf(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
  server: EndpointOptions = { baseUrl: "https://host.example/v1", apiKey: "key" },
  provider: Protocol = openai,
): AnyError {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const answer = { status, headers: new Headers(headers), body: text };
  try {
    decodeResponse(provider, answer, connect(server).endpoint);
  } catch (error) {
    return error as AnyError;
  }
  throw new Error("no error was thrown");
}

/** The error of a chunk in a stream. */
function streamErrorOf(chunk: unknown): AnyError {
  try {
    decodeEvent(openai.streamDecoder(), JSON.stringify(chunk));
  } catch (error) {
    return error as AnyError;
  }
  throw new Error("no error was thrown");
}

const OPENAI_ERROR = { error: { message: "Bad key", type: "invalid_request_error", code: "x" } };

Deno.test("statuses map to an error class, and to whether a retry can help", () => {
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
  // xAI's Responses API, recorded.
  const said = "Incorrect API key provided. You can obtain an API key from https://console.x.ai.";
  const { code, fatal } = errorOf(400, JSON.stringify({ code: "invalid-argument", error: said }));
  assert.deepEqual([code, fatal], ["authentication", true]);
});

Deno.test("a 429 for a used-up quota is not retried", () => {
  const error = errorOf(429, { error: { message: "No credit", code: "insufficient_quota" } });
  assert.deepEqual([error.code, error.retryable, error.fatal], ["quota_exceeded", false, true]);
});

Deno.test("a 402 with a retry time is retried", () => {
  // OpenRouter: `in_flight_budget_exhausted`.
  const error = errorOf(402, { error: { code: 402, message: "Insufficient credits" } }, {
    "retry-after": "3",
  });
  assert.deepEqual([error.code, error.retryable, error.retryAfter], ["rate_limit", true, 3]);
});

Deno.test("x-should-retry overrides the status", () => {
  assert.equal(errorOf(500, OPENAI_ERROR, { "x-should-retry": "false" }).retryable, false);
  assert.equal(errorOf(400, OPENAI_ERROR, { "x-should-retry": "true" }).retryable, true);
});

Deno.test("the hint of a rate limit names the requested wait, or the flag to wait longer", () => {
  const body = { error: { message: "slow down" } };
  assert.equal(errorOf(429, body, { "retry-after": "5" }).hint, "The server asked to wait 5 s.");
  assert.match(errorOf(429, body).hint!, /--max-wait/);
});

Deno.test("the retry time is read in all three forms", () => {
  const seconds = (headers: Record<string, string>) =>
    retryAfterSeconds(new Headers({ date: "Thu, 01 Jan 2026 00:00:00 GMT", ...headers }));
  assert.equal(seconds({ "retry-after": "12" }), 12);
  assert.equal(seconds({ "retry-after-ms": "250", "retry-after": "1" }), 0.25);
  assert.equal(seconds({ "retry-after": "Thu, 01 Jan 2026 00:00:30 GMT" }), 30);
  assert.equal(seconds({ "retry-after": "Wed, 31 Dec 2025 00:00:00 GMT" }), 0);
  assert.equal(seconds({ "retry-after": "soon" }), undefined);
  // Headers that were sent twice, and text that Date.parse would accept.
  assert.equal(seconds({ "retry-after": "2, 2" }), 2);
  assert.equal(seconds({ "retry-after": "7, 7, 7" }), 7);
  assert.equal(seconds({ "retry-after": "in 2" }), undefined);
  assert.equal(seconds({ "retry-after": "-1" }), undefined);
  assert.equal(seconds({ "retry-after": "1e3" }), undefined);
  assert.equal(seconds({ "retry-after": "Thursday, 01-Jan-26 00:00:10 GMT" }), 10);
  assert.equal(seconds({ "retry-after": "Thu Jan  1 00:00:20 2026" }), 20);
  assert.equal(seconds({ date: "1", "retry-after": "5" }), 5);
  assert.equal(seconds({}), undefined);
});

Deno.test("error bodies of other servers are decoded", () => {
  assert.match(errorOf(400, { error: "model not found" }).message, /model not found/); // Ollama
  assert.match(errorOf(422, { detail: "wrong field" }).message, /wrong field/); // Mistral
  assert.match(errorOf(502, "<html><h1>502 Bad Gateway</h1></html>").message, /502 Bad Gateway/);
  assert.equal(errorOf(500, "").message, "the server answered 500");
  assert.equal(errorOf(500, OPENAI_ERROR, { "x-request-id": "req_1" }).requestId, "req_1");
});

Deno.test("the error for a 200 that is not a completion says what it is", () => {
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

Deno.test("a 200 with an error object is that error", () => {
  // OpenRouter responds with 200 if the error occurs during generation.
  const limited = errorOf(200, { error: { code: 429, message: "Slow down" } });
  assert.deepEqual([limited.code, limited.retryable], ["rate_limit", true]);
  const refused = errorOf(200, { error: { message: "context too long", type: "bad_request" } });
  assert.deepEqual([refused.code, refused.retryable], ["http", false]);
});

Deno.test("used-up credit and quotas fail immediately, whatever the service calls them", () => {
  const bodies: [status: number, body: unknown][] = [
    // Zhipu and Z.ai: "Error codes".
    [429, { error: { code: "1113", message: "Insufficient balance or no resource package." } }],
    [429, { error: { code: "1113", message: "您的账户已欠费，请充值后重试。" } }],
    [429, { error: { code: 1113, message: "x" } }],
    [429, { error: { code: "1310", message: "Weekly/Monthly Limit Exhausted." } }],
    [429, { error: { code: "1308", message: "Usage limit reached for 5 hour." } }],
    // Kimi: "Error codes".
    [429, { error: { type: "exceeded_current_quota_error", message: "check your plan" } }],
    [403, { error: { type: "exceeded_current_quota_error", message: "x" } }],
    // DeepSeek, OpenRouter, StepFun, Hugging Face.
    [402, { error: { message: "Insufficient Balance", type: "unknown_error", code: null } }],
    [402, { error: { code: 402, message: "This request requires more credits" } }],
    [402, { error: "You have exceeded your monthly included credits" }],
    // Volcengine Ark: "错误码".
    [403, {
      error: { code: "AccountOverdueError", type: "Forbidden", message: "overdue balance" },
    }],
    [429, { error: { code: "SetLimitExceeded", type: "TooManyRequests", message: "x" } }],
    // Alibaba Cloud Model Studio: "Error codes".
    [400, { error: { code: "Arrearage", type: "Arrearage", message: "Access denied" } }],
    [403, { error: { code: "AllocationQuota.FreeTierOnly", message: "x" } }],
    [429, { error: { code: "insufficient_quota", message: "Free allocated quota exceeded." } }],
    // SiliconFlow, Novita: no `error` object.
    [403, { code: 30001, message: "Sorry, your account balance is insufficient", data: null }],
    [403, { code: 403, reason: "NOT_ENOUGH_BALANCE", message: "not enough balance", metadata: {} }],
    // MiniMax, inside a 200.
    [200, { base_resp: { status_code: 1008, status_msg: "insufficient balance" } }],
    [429, { type: "error", error: { type: "x", message: "insufficient balance (1008)" } }],
    // xAI: the code is a sentence.
    [403, {
      code: "The caller does not have permission",
      error:
        "Your team has either used all available credits or reached its monthly spending limit.",
    }],
    [429, { code: "Some resource has been exhausted", error: "… used all available credits …" }],
    // Together, Fireworks, Groq, Anthropic behind a proxy.
    [402, { error: { message: "Credit limit exceeded", type: "credit_limit" } }],
    [412, {
      error: { message: "Account suspended, possibly due to reaching the monthly spending limit" },
    }],
    [400, { error: { message: "Organization has reached its limit", code: "blocked_api_access" } }],
    [400, { error: { message: "Your credit balance is too low to access the Anthropic API." } }],
    // one-api, new-api.
    [403, {
      error: { code: "insufficient_user_quota", type: "new_api_error", message: "用户额度不足" },
    }],
    // Baidu.
    [429, { error: { code: "BILLING_INSUFFICIENT_BALANCE", message: "x" } }],
    // OpenAI.
    [429, {
      error: { type: "insufficient_quota", code: "credit_balance_exhausted", message: "x" },
    }],
    [429, { error: { type: "insufficient_quota", code: null, message: "x" } }],
  ];
  for (const [status, body] of bodies) {
    const error = errorOf(status, body);
    assert.equal(error.code, "quota_exceeded", JSON.stringify(body));
    assert.deepEqual([error.retryable, error.fatal], [false, true]);
    assert.match(error.hint!, /Top up/);
  }
  const claudeError = errorOf(
    400,
    {
      type: "error",
      error: { type: "invalid_request_error", message: "Your credit balance is too low" },
    },
    {},
    { provider: "claude" },
    anthropic,
  );
  assert.equal(claudeError.code, "quota_exceeded");
  // The same in a stream.
  assert.equal(streamErrorOf({ error: { code: "1113", message: "x" } }).code, "quota_exceeded");
  assert.equal(
    streamErrorOf({ error: { type: "exceeded_current_quota_error", message: "x" } }).code,
    "quota_exceeded",
  );
});

Deno.test("codes that look like a quota but mean a rate limit are retried", () => {
  const bodies: [status: number, body: unknown, concurrent?: boolean][] = [
    [429, { error: { code: "1302", message: "High concurrency usage of this API" } }, true],
    [429, { error: { code: "1302", message: "您当前使用该API的并发数过高" } }, true],
    [429, { error: { code: "1303", message: "High frequency usage of this API" } }],
    [429, { error: { code: "1305", message: "该模型当前访问量过大" } }],
    [429, { error: { type: "rate_limit_reached_error", message: "reached max request: 3" } }],
    [429, {
      error: { type: "rate_limit_reached_error", message: "max organization concurrency: 1" },
    }, true],
    [429, { error: { code: "Throttling.RateQuota", message: "Requests rate limit exceeded" } }],
    [429, { error: { code: "Throttling.AllocationQuota", message: "Allocated quota exceeded" } }],
    [429, { error: { code: "RateLimitExceeded.EndpointTPMExceeded", message: "x" } }],
    [429, { error: { code: "token_quota_exceeded", type: "too_many_tokens_error", message: "x" } }],
    [429, { error: { message: "Rate limit reached for requests", code: "rate_limit_exceeded" } }],
    [200, { base_resp: { status_code: 1002, status_msg: "rate limit" } }],
    [200, { error: { code: "1302", message: "x" } }, true],
  ];
  for (const [status, body, concurrent = false] of bodies) {
    const error = errorOf(status, body);
    assert.equal(error.code, "rate_limit", JSON.stringify(body));
    assert.deepEqual([error.retryable, error.concurrent], [true, concurrent], JSON.stringify(body));
  }
  // Qwen's limit of tokens per minute, with OpenAI's message.
  const body = {
    error: {
      code: "insufficient_quota",
      type: "insufficient_quota",
      message: "You exceeded your current quota, please check your plan and billing details.",
    },
  };
  assert.equal(errorOf(429, body, {}, { provider: "qwen" }).code, "rate_limit");
  assert.equal(errorOf(429, body, {}, { provider: "openai" }).code, "quota_exceeded");
});

Deno.test("a rejected prompt is content_blocked, with the service's own reason", () => {
  const bodies: [status: number, body: unknown, reason: string][] = [
    [
      400,
      { error: { code: "content_policy_violation", message: "rejected" } },
      "content_policy_violation",
    ],
    // Azure: "Content filtering".
    [400, {
      error: {
        message: "The response was filtered due to the prompt",
        type: null,
        param: "prompt",
        code: "content_filter",
        status: 400,
        innererror: { code: "ResponsibleAIPolicyViolation" },
      },
    }, "content_filter"],
    // LiteLLM in front of Azure.
    [400, {
      error: {
        message: "litellm.ContentPolicyViolationError: …",
        type: null,
        code: "400",
        provider_specific_fields: { innererror: { code: "ResponsibleAIPolicyViolation" } },
      },
    }, "ResponsibleAIPolicyViolation"],
    [
      400,
      { error: { code: "1301", message: "系统检测到输入或生成内容可能包含不安全或敏感内容" } },
      "1301",
    ],
    [400, { error: { code: "data_inspection_failed", message: "x" } }, "data_inspection_failed"],
    [400, { error: { code: "DataInspectionFailed", message: "x" } }, "DataInspectionFailed"],
    [
      400,
      { error: { code: "InputTextSensitiveContentDetected.PolicyViolation", message: "x" } },
      "InputTextSensitiveContentDetected.PolicyViolation",
    ],
    [400, { error: { type: "content_filter", message: "considered high risk" } }, "content_filter"],
    [400, {
      error: {
        message: "Content Exists Risk",
        type: "invalid_request_error",
        code: "invalid_request_error",
      },
    }, "invalid_request_error"],
    [
      403,
      { code: "x", error: "Content violates usage guidelines. Failed check: SAFETY_CHECK" },
      "x",
    ],
    [
      451,
      { error: { type: "censorship_blocked", message: "failed review" } },
      "censorship_blocked",
    ],
    [200, { base_resp: { status_code: 1026, status_msg: "input new_sensitive" } }, "1026"],
    [
      500,
      { error: { code: "sensitive_words_detected", message: "x" } },
      "sensitive_words_detected",
    ],
    // OpenRouter: "Moderation errors".
    [403, {
      error: {
        code: 403,
        message: "Your input was flagged",
        metadata: { reasons: ["violence"], flagged_input: "…", provider_name: "OpenAI" },
      },
    }, "content_policy_violation"],
    // OpenRouter, with the message of the upstream provider.
    [400, {
      error: {
        code: 400,
        message: "Provider returned error",
        metadata: {
          raw: '{"error":{"code":"content_filter","message":"no"}}',
          provider_name: "Azure",
        },
      },
    }, "content_policy_violation"],
  ];
  for (const [status, body, reason] of bodies) {
    const error = errorOf(status, body);
    assert.ok(error instanceof ContentBlockedError, `${error.name}: ${JSON.stringify(body)}`);
    assert.deepEqual([error.reason, error.retryable, error.fatal], [reason, false, false]);
  }
  assert.equal(streamErrorOf({ error: { code: "1301", message: "x" } }).code, "content_blocked");
});

Deno.test("errors of Gemini's OpenAI-compatible API are decoded like those of its own API", () => {
  const details = [
    {
      "@type": "type.googleapis.com/google.rpc.QuotaFailure",
      violations: [{ quotaId: "GenerateRequestsPerMinutePerProjectPerModel-FreeTier" }],
    },
    { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "34s" },
  ];
  const error = {
    code: 429,
    message: "You exceeded your current quota",
    status: "RESOURCE_EXHAUSTED",
    details,
  };
  const perDay = structuredClone(error);
  perDay.details[0].violations![0].quotaId = "GenerateRequestsPerDayPerProjectPerModel-FreeTier";
  const badKey = {
    code: 400,
    message: "API key not valid. Please pass a valid API key.",
    status: "INVALID_ARGUMENT",
    details: [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "API_KEY_INVALID" }],
  };
  const none = {
    ...error,
    message: "Quota exceeded for metric: x, limit: 0, model: y",
    details: [],
  };
  for (const provider of [openai, gemini]) {
    for (const wrap of [(e: unknown) => [{ error: e }], (e: unknown) => ({ error: e })]) {
      const of = (e: { code: number }) =>
        errorOf(e.code, wrap(e), {}, { provider: "openai" }, provider);
      const limited = of(error);
      assert.deepEqual([limited.code, limited.retryAfter], ["rate_limit", 34]);
      assert.match(limited.message, /429: You exceeded your current quota$/);
      assert.equal(of(perDay).code, "quota_exceeded");
      assert.equal(of(none).code, "quota_exceeded");
      const auth = of(badKey);
      assert.deepEqual([auth.code, auth.fatal], ["authentication", true]);
    }
  }
});

Deno.test("OpenRouter's message names the upstream provider and its error", () => {
  const answer = (raw: unknown) => ({
    error: {
      code: 400,
      message: "Provider returned error",
      metadata: { raw, provider_name: "Azure" },
    },
  });
  const inner = {
    error: { message: "Unsupported value: 'temperature'", code: "unsupported_value" },
  };
  for (const raw of [JSON.stringify(inner), inner]) {
    assert.equal(
      errorOf(400, answer(raw)).message,
      "the server answered 400: Provider returned error (Azure): Unsupported value: 'temperature'",
    );
  }
  assert.match(
    errorOf(502, answer("upstream timed out")).message,
    /\(Azure\): upstream timed out$/,
  );
  assert.match(streamErrorOf(answer("cut")).message, /Provider returned error \(Azure\): cut/);
  // The account at the upstream provider is OpenRouter's.
  const raw = '{"error":{"code":"insufficient_quota","message":"no credit"}}';
  assert.equal(errorOf(429, answer(raw)).code, "http");
});

Deno.test("Groq: an answer that doesn't match its schema, and an invalid call", () => {
  const schema = errorOf(400, {
    error: {
      message: "Generated JSON does not match the expected schema.",
      type: "invalid_request_error",
      code: "json_validate_failed",
      failed_generation: '{"a": "x"}',
    },
  });
  assert.deepEqual([schema.code, schema.content], ["schema_mismatch", '{"a": "x"}']);
  assert.match(schema.problems[0], /does not match/);
  const tool = errorOf(400, {
    error: {
      message: "Failed to call a function.",
      code: "tool_use_failed",
      failed_generation: "<function=f>",
    },
  });
  assert.deepEqual([tool.code, tool.retryable, tool.partial?.content], [
    "http",
    true,
    "<function=f>",
  ]);
  const streamed = streamErrorOf({
    error: { message: "x", code: "json_validate_failed", failed_generation: "" },
  });
  assert.deepEqual([streamed.code, streamed.content], ["schema_mismatch", ""]);
});

Deno.test("a server that is loading its model is recognized", () => {
  const loading: [number, unknown][] = [
    // llama.cpp, also behind llama-swap and RamaLama.
    [503, { error: { code: 503, message: "Loading model", type: "unavailable_error" } }],
    [500, { error: { message: "llm server loading model", type: "api_error" } }], // Ollama
    [503, { error: "Model org/m is currently loading", estimated_time: 20 }], // Hugging Face
    [503, { error: { message: "The server is starting up" } }],
  ];
  for (const [status, body] of loading) {
    const error = errorOf(status, body);
    assert.deepEqual([error.code, error.loading, error.retryable], ["http", true, true]);
  }
  assert.equal(streamErrorOf(loading[0][1]).loading, true);
  for (
    const [status, body] of [
      [503, { error: { message: "The server is overloaded" } }],
      [404, { error: { message: "loading model failed: not found" } }],
      [500, { error: { message: "internal error" } }],
    ] as [number, unknown][]
  ) assert.equal(errorOf(status, body).loading, false);
});

Deno.test("the error for a missing key names the variable to set", () => {
  const body = { error: { message: "Missing key" } };
  const hint = (server: EndpointOptions) => errorOf(401, body, {}, server).hint!;
  assert.match(
    hint({ provider: "openai" }),
    /^No key was sent: set OPENAI_API_KEY, run `flexllm keys/,
  );
  assert.equal(
    hint({ baseUrl: "http://server.test/v1" }),
    "No key was sent: set FLEXLLM_API_KEY, or add api_key to the configuration.",
  );
  assert.match(hint({ provider: "zhipu" }), /ZHIPUAI_API_KEY/);
  assert.match(hint({ baseUrl: "https://h.example/v1" }), /FLEXLLM_API_KEY/);
  assert.match(hint({ provider: "openai", apiKey: "k" }), /^Check the API key \(OPENAI_API_KEY,/);
  assert.match(errorOf(403, body, {}, { provider: "openai" }).hint!, /No key was sent/);
});

Deno.test("a used-up quota ends a call immediately, plain and streamed", async () => {
  for (const stream of [false, true]) {
    let requests = 0;
    const options: ClientOptions = {
      provider: "zhipu",
      model: "glm-4.6",
      apiKey: "k",
      fetch: () => {
        requests++;
        const body = { error: { code: "1113", message: "您的账户已欠费，请充值后重试。" } };
        return Promise.resolve(Response.json(body, { status: 429 }));
      },
    };
    await using client = new LLMClient(options);
    const messages = [{ role: "user" as const, content: "hi" }];
    const work = stream
      ? client.chatCompletionsStream(messages).finalResult()
      : client.chatCompletions(messages);
    await assert.rejects(work, { code: "quota_exceeded" });
    assert.equal(requests, 1);
  }
});

Deno.test("error bodies of gateways and validators are decoded", () => {
  const detail = [{ loc: ["body", "messages", 0], msg: "field required", type: "missing" }];
  assert.match(errorOf(422, { detail }).message, /422: messages\.0: field required$/);
  assert.match(errorOf(422, { object: "error", message: { detail } }).message, /field required$/);
  assert.match(
    errorOf(401, { statusCode: 401, message: "Access denied" }).message,
    /Access denied$/,
  );
  assert.equal(errorOf(403, { error_code: 17, error_msg: "limit" }).providerCode, "17");
  const internal = errorOf(200, { base_resp: { status_code: 1000, status_msg: "unknown error" } });
  assert.deepEqual([internal.code, internal.retryable], ["http", true]);
  assert.equal(
    errorOf(200, { base_resp: { status_code: 1004, status_msg: "login fail" } }).code,
    "authentication",
  );
  // Zhipu's 1002 is an invalid token, sent with status 401.
  assert.equal(errorOf(401, { error: { code: "1002", message: "x" } }).code, "authentication");
});
