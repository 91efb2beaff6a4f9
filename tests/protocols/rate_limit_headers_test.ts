import assert from "node:assert/strict";
import { RateLimitReader, resetSeconds } from "../../lib/protocols/rate_limit_headers.ts";
import { allRateLimitHeaders } from "../../lib/protocols/registry.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");

function read(headers: Record<string, string>, tokens?: number) {
  return new RateLimitReader(allRateLimitHeaders()).read(new Headers(headers), tokens, NOW);
}

Deno.test("resets are parsed in every form", () => {
  assert.equal(resetSeconds("12ms", NOW), 0.012);
  assert.equal(resetSeconds("1m30.5s", NOW), 90.5);
  assert.equal(resetSeconds("6m0s", NOW), 360);
  assert.equal(resetSeconds("2026-01-01T00:00:07Z", NOW), 7);
  assert.equal(resetSeconds("59", NOW), 59);
  assert.equal(resetSeconds(String(NOW / 1000 + 5), NOW), 5);
  assert.equal(resetSeconds(String(NOW + 5000), NOW), 5);
  assert.equal(resetSeconds("Thu, 01 Jan 2026 00:00:09 GMT", NOW), 9);
  for (const text of ["soon", "2, 2", "in 3", "May", "1 2026"]) {
    assert.equal(resetSeconds(text, NOW), undefined, text);
  }
});

Deno.test("OpenAI's limit refills continuously", () => {
  // 30 of the 60 refill in 30 s: one per second.
  const headers = {
    "x-ratelimit-limit-requests": "60",
    "x-ratelimit-remaining-requests": "30",
    "x-ratelimit-reset-requests": "30s",
  };
  assert.deepEqual(read(headers), { remaining: 30, wait: 1 });
});

Deno.test("a reset that is a date is relative to the server's clock, not ours", () => {
  for (const hours of [-5, 0, 5]) {
    const there = NOW + hours * 3_600_000;
    const headers = {
      date: new Date(there).toUTCString(),
      "x-ratelimit-limit": "20",
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": String(there + 7000),
    };
    assert.deepEqual(read(headers), { remaining: 0, wait: 7 });
  }
});

Deno.test("token limits are converted to requests of the answer's size, and the tightest limit wins", () => {
  const headers = {
    "x-ratelimit-limit-requests": "500",
    "x-ratelimit-remaining-requests": "499",
    "x-ratelimit-reset-requests": "120ms",
    "x-ratelimit-limit-tokens": "10000",
    "x-ratelimit-remaining-tokens": "4000",
    "x-ratelimit-reset-tokens": "36s",
  };
  assert.deepEqual(read(headers, 1000), { remaining: 4, wait: 6 });
  assert.equal(read(headers)!.remaining, 499);
});

Deno.test("Anthropic's and common headers are read", () => {
  const anthropic = {
    "anthropic-ratelimit-requests-limit": "50",
    "anthropic-ratelimit-requests-remaining": "0",
    "anthropic-ratelimit-requests-reset": "2026-01-01T00:01:00Z",
  };
  assert.deepEqual(read(anthropic), { remaining: 0, wait: 1.2 });
  const openrouter = {
    "x-ratelimit-limit": "20",
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": String(NOW + 42_000),
  };
  // A window: nothing refills before its end.
  assert.deepEqual(read(openrouter), { remaining: 0, wait: 42 });
});

Deno.test("limits of 0 or -1, and limits without a reset, are ignored", () => {
  for (const [limit, remaining] of [["0", "0"], ["-1", "-1"], ["60", "-1"]]) {
    const headers = {
      "x-ratelimit-limit-requests": limit,
      "x-ratelimit-remaining-requests": remaining,
      "x-ratelimit-reset-requests": "1s",
    };
    assert.equal(read(headers), undefined);
  }
  assert.equal(
    read({ "x-ratelimit-limit-requests": "5", "x-ratelimit-remaining-requests": "1" }),
    undefined,
  );
});

Deno.test("the headers of a server that sends no limits are sampled", () => {
  const reader = new RateLimitReader(allRateLimitHeaders());
  const looks = () =>
    Array.from({ length: 100 }, () => {
      if (!reader.wantsToRead()) return 0;
      reader.read(new Headers(), 1, NOW);
      return 1;
    }).reduce((sum: number, each) => sum + each, 0);
  assert.ok(looks() <= 10);
  assert.ok(looks() >= 1);
  const headers = new Headers({
    "x-ratelimit-limit-requests": "10",
    "x-ratelimit-remaining-requests": "3",
    "x-ratelimit-reset-requests": "7s",
  });
  while (!reader.wantsToRead());
  assert.equal(reader.read(headers, 1, NOW)?.remaining, 3);
  // From now on, every response is checked.
  assert.ok(reader.wantsToRead() && reader.wantsToRead());
});
