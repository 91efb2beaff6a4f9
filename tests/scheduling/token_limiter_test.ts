import assert from "node:assert/strict";
import fc from "fast-check";
import { type TokenHold, TokenLimiter } from "../../lib/scheduling/token_limiter.ts";

interface Request {
  prompt: number;
  completion: number;
  /** Milliseconds to the answer. */
  latency: number;
}

/**
 * Sends requests through a limiter, up to `atOnce` concurrently, and returns when each was answered.
 * `maxCompletion` is the maximum answer that the limiter knows of.
 */
function run(
  perMinute: number,
  requests: readonly Request[],
  { atOnce = Infinity, maxCompletion }: { atOnce?: number; maxCompletion?: number } = {},
): { at: number; tokens: number }[] {
  const limiter = new TokenLimiter(perMinute);
  const inFlight: { end: number; request: Request; hold: TokenHold }[] = [];
  const answered: { at: number; tokens: number }[] = [];
  const settle = (now: number) => {
    inFlight.sort((a, b) => a.end - b.end);
    while (inFlight.length > 0 && inFlight[0].end <= now) {
      const { end, request: { prompt, completion }, hold } = inFlight.shift()!;
      limiter.commit(end, hold, prompt, completion);
      answered.push({ at: end, tokens: prompt + completion });
    }
  };
  let now = 0;
  for (const request of requests) {
    const demand = { prompt: request.prompt, maxCompletion };
    while (true) {
      const at = limiter.nextAt(now, demand);
      if (at <= now && inFlight.length < atOnce) break;
      const nextEnd = Math.min(...inFlight.map(({ end }) => end));
      now = inFlight.length >= atOnce ? nextEnd : Math.min(at, nextEnd);
      settle(now);
    }
    inFlight.push({ end: now + request.latency, request, hold: limiter.take(now, demand) });
  }
  settle(Infinity);
  return answered;
}

/** The largest number of tokens in any minute. */
function busiestMinute(answered: readonly { at: number; tokens: number }[]): number {
  return Math.max(
    ...answered.map(({ at: start }) =>
      answered.filter(({ at }) => at >= start && at < start + 60_000)
        .reduce((sum, { tokens }) => sum + tokens, 0)
    ),
  );
}

Deno.test("TokenLimiter spreads requests over the minute", () => {
  const sizes = Array.from({ length: 20 }, () => ({ prompt: 100, completion: 100, latency: 10 }));
  const times = run(6000, sizes, { maxCompletion: 100 }).map(({ at }) => at);
  assert.deepEqual(times.slice(0, 4), [10, 1910, 3910, 5910]);
});

Deno.test("TokenLimiter never exceeds the limit in any minute", () => {
  const request = fc.record({
    prompt: fc.integer({ min: 1, max: 300 }),
    completion: fc.integer({ min: 0, max: 1000 }),
    latency: fc.integer({ min: 1, max: 20_000 }),
  });
  const requests = fc.array(request, { minLength: 20, maxLength: 120 });
  fc.assert(fc.property(fc.integer({ min: 2000, max: 40_000 }), requests, (limit, requests) => {
    // The first answers are as long as `max_tokens`, so that the limiter learns the maximum.
    const answers = run(
      limit,
      requests.map((each, i) => i < 20 ? { ...each, completion: 1000 } : each),
      {
        maxCompletion: 1000,
      },
    );
    assert.ok(busiestMinute(answers) <= limit, `${busiestMinute(answers)}, limit ${limit}`);
  }));
});

Deno.test("TokenLimiter assumes max_tokens until the first answers arrive", () => {
  const requests = Array.from({ length: 60 }, () => ({
    prompt: 10,
    completion: 4000,
    latency: 5000,
  }));
  const answers = run(60_000, requests, { atOnce: 200, maxCompletion: 4000 });
  assert.ok(busiestMinute(answers) <= 60_000, `${busiestMinute(answers)}`);
});

Deno.test("TokenLimiter uses most of the limit when answers are shorter than max_tokens", () => {
  const requests = Array.from({ length: 1200 }, () => ({
    prompt: 10,
    completion: 190,
    latency: 3000,
  }));
  const answers = run(60_000, requests, { atOnce: 200, maxCompletion: 4000 });
  // 1,200 requests of 200 tokens are four minutes of the limit.
  assert.ok(answers.at(-1)!.at < 4.5 * 60_000, `${answers.at(-1)!.at}`);
  assert.ok(busiestMinute(answers) <= 60_000);
});

Deno.test("TokenLimiter sends a request above the limit on its own", () => {
  const requests = [100, 9000, 100].map((completion) => ({ prompt: 0, completion, latency: 10 }));
  const answers = run(5000, requests, { maxCompletion: 9000 });
  assert.deepEqual(answers.map(({ tokens }) => tokens), [100, 9000, 100]);
});
