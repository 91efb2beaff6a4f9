/** Which errors are the fault of the endpoint, so that another one may succeed. */
import assert from "node:assert/strict";
import {
  AbortedError,
  AuthenticationError,
  BudgetExceededError,
  ConnectionError,
  ContentBlockedError,
  copyError,
  type FlexLLMError,
  HttpError,
  InvalidInputError,
  MalformedResponseError,
  QuotaExceededError,
  RateLimitError,
  TimeoutError,
  UnavailableError,
} from "../../lib/errors.ts";

const ENDPOINT: FlexLLMError[] = [
  new ConnectionError("refused"),
  new TimeoutError("slow", 120),
  new MalformedResponseError("a web page"),
  new RateLimitError("slow down", { status: 429 }),
  new AuthenticationError("bad key", { status: 401 }),
  new QuotaExceededError("no credit", { status: 402 }),
  new HttpError("no such model", { status: 404 }),
  new HttpError("oops", { status: 500 }),
  new HttpError("no more retries", { status: 429, retryable: false }),
];

const REQUEST: FlexLLMError[] = [
  new HttpError("too long", { status: 400 }),
  new ContentBlockedError("no", "SAFETY"),
  new InvalidInputError("no messages"),
  new AbortedError(),
  new BudgetExceededError(1, 1, 1),
  new UnavailableError("down"),
];

Deno.test("endpointFault separates faults of the endpoint from faults of the request", () => {
  for (const error of ENDPOINT) assert.equal(error.endpointFault, true, String(error));
  for (const error of REQUEST) assert.equal(error.endpointFault, false, String(error));
});

Deno.test("a copy of an error has the same endpointFault", () => {
  const copy = copyError(ENDPOINT[3], { partial: { content: "", thinking: null } });
  assert.equal(copy.endpointFault, true);
});
