/** Which failures stop a batch, and which records count as failed. */
import assert from "node:assert/strict";
import { type StopContext, StopPolicy } from "../../lib/batch/stop_policy.ts";
import {
  AbortedError,
  AuthenticationError,
  BudgetExceededError,
  ConfigurationError,
  ConnectionError,
  ContentBlockedError,
  copyError,
  HttpError,
  InvalidInputError,
  QuotaExceededError,
  RateLimitError,
  TimeoutError,
  UnavailableError,
} from "../../lib/errors.ts";

const CONCURRENCY = 4;

const REFUSED_KEY = new AuthenticationError("bad key", { status: 401 });
const FORBIDDEN = new AuthenticationError("not that", { status: 403 });
const NO_MODEL = new HttpError("no such model", { status: 404 });
const BROKEN = new HttpError("oops", { status: 500 });
const BAD_REQUEST = new HttpError("too long", { status: 400 });
const NO_QUOTA = new QuotaExceededError("no credit", { status: 402 });
const NO_BUDGET = new BudgetExceededError(1, 0.9, 0.2);
const NO_SERVER = new UnavailableError("down");
const NO_CONNECTION = new ConnectionError("refused");
const WRONG_OPTION = new ConfigurationError("thinking: not supported");
const ABORTED = new AbortedError();
const partial = { content: "", thinking: null, cost: 0.1 };
const ABORTED_PAID = copyError(ABORTED, { partial });
const REFUSED_PAID = copyError(REFUSED_KEY, { partial });

type Step = "answer" | { error: unknown; times?: number; context?: StopContext };

/** The decision after the last step. `S` stops the batch, `R` records the failure. */
const CASES: [what: string, steps: Step[], decision: "" | "R" | "S" | "SR", hadAnswers?: true][] = [
  ["an error that is a bug", [{ error: new TypeError("x") }], "S"],
  ["a rejected prompt", [{ error: BAD_REQUEST }], "R"],
  ["many rejected prompts", [{ error: BAD_REQUEST, times: 1000 }], "R"],
  ["a blocked prompt", [{ error: new ContentBlockedError("no", "SAFETY") }], "R"],
  ["an invalid record", [{ error: new InvalidInputError("no messages") }], "R"],

  ["a refused key at the start", [{ error: REFUSED_KEY }], "S"],
  ["a refused key after an answer", ["answer", { error: REFUSED_KEY }], "R"],
  [
    "more refusals in a row than requests in flight",
    ["answer", { error: REFUSED_KEY, times: CONCURRENCY + 1 }],
    "S",
  ],
  [
    "as many refusals in a row as requests in flight",
    ["answer", { error: REFUSED_KEY, times: CONCURRENCY }],
    "R",
  ],
  [
    "refusals with answers between them",
    [
      "answer",
      { error: REFUSED_KEY, times: CONCURRENCY },
      "answer",
      { error: REFUSED_KEY, times: CONCURRENCY },
    ],
    "R",
  ],
  [
    "refusals with a rejected prompt between them",
    [
      "answer",
      { error: REFUSED_KEY, times: CONCURRENCY },
      { error: BAD_REQUEST },
      { error: REFUSED_KEY },
    ],
    "R",
  ],
  ["a refused key whose record was paid for", [{ error: REFUSED_PAID }], "SR"],
  ["a model that does not exist", [{ error: NO_MODEL }], "S"],

  ["no quota", ["answer", { error: NO_QUOTA }], "S"],
  ["no budget", ["answer", { error: NO_BUDGET }], "S"],
  ["a server that stayed unreachable", ["answer", { error: NO_SERVER }], "S"],

  ["a few failures at the start", [{ error: BROKEN, times: 9 }], "R"],
  ["ten failures at the start", [{ error: BROKEN, times: 10 }], "SR"],
  ["ten failures after an answer", ["answer", { error: BROKEN, times: 10 }], "R"],
  ["a thousand failures after an answer", ["answer", { error: BROKEN, times: 1000 }], "R"],
  ["timeouts at the start", [{ error: new TimeoutError("slow", 120), times: 10 }], "SR"],
  [
    "rate limits at the start",
    [{ error: new RateLimitError("slow down", { status: 429 }), times: 10 }],
    "SR",
  ],
  ["99 failures when resuming", [{ error: BROKEN, times: 99 }], "R", true],
  ["100 failures when resuming", [{ error: BROKEN, times: 100 }], "SR", true],
  ["ten refused connections when resuming", [{ error: NO_CONNECTION, times: 10 }], "SR", true],

  ["a forbidden prompt", [{ error: FORBIDDEN }], "R"],
  ["ten forbidden prompts at the start", [{ error: FORBIDDEN, times: 10 }], "SR"],
  ["ten forbidden prompts after an answer", ["answer", { error: FORBIDDEN, times: 10 }], "R"],
  ["100 forbidden prompts after an answer", ["answer", { error: FORBIDDEN, times: 100 }], "SR"],

  ["an option that the model does not support", [{ error: WRONG_OPTION }], "S"],
  [
    "an unsupported option of one record",
    [{ error: WRONG_OPTION, context: { hasOwnOptions: true } }],
    "R",
  ],
  ["an unsupported option after an answer", ["answer", { error: WRONG_OPTION }], "R"],

  [
    "failures of one endpoint while another is healthy",
    [{ error: BROKEN, times: 50, context: { hasHealthyEndpoint: true } }],
    "R",
  ],
  [
    "a refused key while another endpoint is healthy",
    [{ error: REFUSED_KEY, context: { hasHealthyEndpoint: true } }],
    "R",
  ],
  [
    "no budget while an endpoint is healthy",
    [{ error: NO_BUDGET, context: { hasHealthyEndpoint: true } }],
    "S",
  ],

  ["a request aborted by this run", [{ error: ABORTED, context: { isStopping: true } }], ""],
  [
    "an aborted request that was paid for",
    [{ error: ABORTED_PAID, context: { isStopping: true } }],
    "R",
  ],
  ["a closed client", [{ error: ABORTED }], "S"],
  ["a closed client, request paid for", [{ error: ABORTED_PAID }], "SR"],
];

for (const [what, steps, expected, hadAnswers] of CASES) {
  const meaning = `${expected.includes("S") ? "stops the batch" : "does not stop the batch"}, ` +
    `${expected.includes("R") ? "is recorded" : "is not recorded"}`;
  Deno.test(`${what}: ${meaning}`, () => {
    const policy = new StopPolicy({ concurrency: CONCURRENCY, hadAnswers });
    let last = "";
    for (const step of steps) {
      if (step === "answer") policy.answered();
      else {
        const { error, times = 1, context } = step;
        for (let i = 0; i < times; i++) {
          assert.ok(!last.includes("S"), `stopped too early, after ${i} times`);
          const { stop, record } = policy.failed(error, context);
          last = `${stop ? "S" : ""}${record ? "R" : ""}`;
        }
      }
    }
    assert.equal(last, expected);
  });
}
