/** The lines of the mock's access log. */
import assert from "node:assert/strict";
import type { MockAccess } from "../../../mod.ts";
import { accessLine } from "../../../commands/mock/access_log.ts";

const ACCESS: MockAccess = {
  time: new Date(2026, 0, 2, 3, 4, 5),
  method: "POST",
  path: "/v1/chat/completions",
  model: "gpt-x",
  status: 200,
  streamed: false,
  promptTokens: 12,
  completionTokens: 345,
  duration: 0.25,
  outcome: "complete",
};

function line(access: Partial<MockAccess>): string {
  return accessLine({ ...ACCESS, ...access }, (_, text) => text);
}

Deno.test("each kind of request has an aligned line", () => {
  const none = { promptTokens: undefined, completionTokens: undefined };
  const lines = [
    line({}),
    line({ streamed: true, duration: 12.345 }),
    line({ method: "GET", path: "/v1/models", model: undefined, ...none, duration: 0.0004 }),
    line({ path: "/v1/embeddings", completionTokens: undefined, duration: 0.9996 }),
    line({ status: 400, error: "Invalid value", ...none, duration: 100 }),
    line({ status: 429, fault: "rate_limit", error: "Error injected", ...none }),
    line({ streamed: true, fault: "disconnect", outcome: "broken" }),
    line({ streamed: true, outcome: "broken", note: "line 3" }),
    line({ status: undefined, outcome: "aborted", ...none }),
  ];
  assert.equal(
    lines.join("\n"),
    `\
03:04:05 200  250 ms    12 → 345   POST /v1/chat/completions  gpt-x
03:04:05 200 12.35 s    12 → 345   POST /v1/chat/completions  gpt-x  stream
03:04:05 200    0 ms               GET  /v1/models
03:04:05 200  1.00 s    12 → -     POST /v1/embeddings  gpt-x
03:04:05 400   100 s               POST /v1/chat/completions  gpt-x  Invalid value
03:04:05 429  250 ms               POST /v1/chat/completions  gpt-x  injected rate_limit
03:04:05 200  250 ms    12 → 345   POST /v1/chat/completions  gpt-x  stream  injected disconnect
03:04:05 200  250 ms    12 → 345   POST /v1/chat/completions  gpt-x  stream  line 3  connection broken
03:04:05 ---  250 ms               POST /v1/chat/completions  gpt-x  client left`,
  );
});

Deno.test("the text of a request stays on its line and cannot control the terminal", () => {
  const text = line({
    model: "a\x1b[31m\nb",
    path: `/${"x".repeat(500)}`,
    status: 400,
    error: "first\nsecond\x1b]0;title\x07",
  });
  assert.doesNotMatch(text, /\p{Cc}/u);
  assert.match(text, / a b {2}first second/);
  assert.match(text, /\/x{98}…/);
});

Deno.test("statuses are colored by their class", () => {
  const styles = ([status, style]: [number | undefined, string]) => {
    const painted: [string, string][] = [];
    accessLine({ ...ACCESS, status }, (style, text) => (painted.push([style, text]), text));
    assert.ok(
      painted.some(([s, text]) => s === style && text === String(status ?? "---")),
      String(status),
    );
  };
  ([[200, "green"], [404, "yellow"], [500, "red"], [undefined, "yellow"]] as const)
    .forEach(([status, style]) => styles([status, style]));
});
