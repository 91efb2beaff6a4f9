/** Messages of network errors, which do not depend on the runtime. */
import assert from "node:assert/strict";
import { LLMClient } from "../../mod.ts";

/** Error messages of Bun 1.4, Node 22 and undici, some of which Deno shares, with and without a cause. */
const ERRORS: [error: Error, message: string][] = [
  [
    Object.assign(
      new TypeError("ECONNREFUSED: Unable to connect. Is the computer able to access the url?"),
      {
        code: "ECONNREFUSED",
      },
    ),
    "connection refused",
  ],
  [
    new TypeError("fetch failed", {
      cause: Object.assign(new Error("connect ETIMEDOUT 10.0.0.1:443"), { code: "ETIMEDOUT" }),
    }),
    "the server is unreachable",
  ],
  [
    Object.assign(new Error("connect EHOSTUNREACH 10.0.0.1:443"), { code: "EHOSTUNREACH" }),
    "the server is unreachable",
  ],
  [
    new TypeError("fetch failed", {
      cause: Object.assign(new Error("connect EADDRNOTAVAIL"), { code: "EADDRNOTAVAIL" }),
    }),
    "no local port is free for the connection",
  ],
  [
    new Error(
      'Malformed_HTTP_Response fetching "http://127.0.0.1:1/v1/chat/completions". For more ' +
        "information, pass `verbose: true` in the second argument to fetch()",
    ),
    "the server's answer is not HTTP",
  ],
  [
    new Error(
      'Something_New fetching "http://127.0.0.1:1/v1/chat/completions". For more information, ' +
        "pass `verbose: true` in the second argument to fetch()",
    ),
    "the request failed: Something_New",
  ],
  [
    Object.assign(new Error("Connect Timeout Error (attempted address: 10.0.0.1:443)"), {
      code: "UND_ERR_CONNECT_TIMEOUT",
    }),
    "the server is unreachable",
  ],
  [
    Object.assign(new Error("Headers Overflow Error"), { code: "UND_ERR_HEADERS_OVERFLOW" }),
    "the headers of the answer are too large",
  ],
  [
    Object.assign(new Error("Expected HTTP/"), { code: "HPE_INVALID_CONSTANT" }),
    "the server's answer is not HTTP",
  ],
  [
    Object.assign(new Error("other side closed"), { code: "UND_ERR_SOCKET" }),
    "the connection was closed before the answer was complete",
  ],
  [
    Object.assign(new Error("incorrect header check"), { code: "Z_DATA_ERROR" }),
    "the server's answer is not HTTP",
  ],
  [
    new TypeError("EFOO: Was there a typo in the url or port?"),
    "the request failed: EFOO",
  ],
];

for (const [error, message] of ERRORS) {
  Deno.test(`"${error.message.slice(0, 50)}" is: ${message}`, async () => {
    await using client = new LLMClient({
      baseUrl: "http://127.0.0.1:1/v1",
      model: "m",
      retryTimes: 0,
      fetch: () => Promise.reject(error),
    });
    await assert.rejects(client.chatCompletions([{ role: "user", content: "Hi" }]), {
      code: "connection",
      message: `${message} (http://127.0.0.1:1/v1/chat/completions)`,
    });
  });
}
