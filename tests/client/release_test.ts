/** Property test: however calls end, nothing stays in flight and nothing stays reserved. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  ConfigurationError,
  CostTracker,
  type Fetch,
  FlexLLMError,
  LLMClientPool,
  type Message,
} from "../../mod.ts";
import { TokenLimiter } from "../../lib/scheduling/token_limiter.ts";
import { type Deed, TOKEN_PRICE } from "../support/billing_server.ts";

const PRICES = [{ model: "m", input: TOKEN_PRICE * 1e6, output: TOKEN_PRICE * 1e6 }];
const SCHEMA = {
  type: "json_schema",
  json_schema: { name: "a", schema: { type: "object", required: ["a"] } },
} as const;

/** What a server does with one request. Delays are turns of the event loop. */
type Act = Deed | "tools" | "cut" | "empty" | "limit";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

interface Server {
  fetch: Fetch;
  billed: number;
}

const USAGE = { prompt_tokens: 10, completion_tokens: 20, total_tokens: 30 };
const BILL = 30 * TOKEN_PRICE;
const PROMPT_BILL = 10 * TOKEN_PRICE;

/** A streamed response with `turns` of the event loop before each chunk. */
function chunked(
  chunks: readonly (object | string)[],
  turns: number,
  signal: AbortSignal | null | undefined,
  bill: () => void,
): Response {
  const encoder = new TextEncoder();
  let next = 0;
  const isCut = chunks.at(-1) !== "[DONE]";
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      signal?.addEventListener("abort", () => {
        try {
          controller.error(signal.reason);
        } catch {
          // Already closed.
        }
      });
    },
    async pull(controller) {
      for (let i = 0; i < turns; i++) await turn();
      if (signal?.aborted) return;
      if (next < chunks.length) {
        const chunk = chunks[next++];
        // An incomplete stream is billed only for its prompt; by now the token counts have been read.
        if (chunk === "[DONE]") bill();
        const data = typeof chunk === "string" ? chunk : JSON.stringify(chunk);
        return controller.enqueue(encoder.encode(`data: ${data}\n\n`));
      }
      if (isCut) controller.error(new TypeError("connection reset by peer"));
      else controller.close();
    },
  }, { highWaterMark: 0 });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

function server(acts: readonly Act[], turns: number): Server {
  let received = 0;
  const it: Server = {
    billed: 0,
    fetch: async (_url, init) => {
      const { signal } = init;
      const act = acts[received++ % acts.length];
      const { stream } = JSON.parse(String(init.body));
      for (let i = 0; i < turns; i++) {
        await turn();
        if (signal?.aborted) throw signal.reason;
      }
      if (act === "overload") return new Response("{}", { status: 503 });
      if (act === "limit") {
        return new Response("{}", { status: 429, headers: { "retry-after": "0" } });
      }
      const isStreamed = stream && !["break", "empty", "silence"].includes(act);
      it.billed += isStreamed ? PROMPT_BILL : BILL;
      if (act === "break") throw new TypeError("connection reset by peer");
      if (act === "empty") return new Response("");
      if (act === "silence") {
        return await new Promise((_, reject) => {
          const alive = setInterval(() => {}, 1000);
          const end = () => {
            clearInterval(alive);
            reject(signal?.reason);
          };
          if (signal?.aborted) end();
          else signal?.addEventListener("abort", end);
        });
      }
      const message = act === "refuse"
        ? { role: "assistant", content: null, refusal: "No." }
        : act === "tools"
        ? {
          role: "assistant",
          content: null,
          tool_calls: [{
            index: 0,
            id: "c",
            type: "function",
            function: { name: "f", arguments: "{}" },
          }],
        }
        : { role: "assistant", content: act === "misfit" ? "no JSON" : '{"a":1}' };
      const reason = act === "half" ? "error" : act === "tools" ? "tool_calls" : "stop";
      if (!stream) {
        const choices = [{ index: 0, finish_reason: reason, message }];
        return Response.json({ model: "m", choices, usage: USAGE });
      }
      const first = { model: "m", choices: [{ index: 0, delta: message }] };
      const rest = [
        { model: "m", choices: [{ index: 0, delta: {}, finish_reason: reason }] },
        { model: "m", choices: [], usage: USAGE },
        "[DONE]",
      ];
      return chunked(act === "cut" ? [first] : [first, ...rest], turns, signal, () => {
        it.billed += BILL - PROMPT_BILL;
      });
    },
  };
  return it;
}

const act = fc.constantFrom<Act>(
  "answer",
  "answer",
  "answer",
  "misfit",
  "refuse",
  "overload",
  "limit",
  "break",
  "half",
  "silence",
  "tools",
  "cut",
  "empty",
);

function withoutFormat(act: Act): Act {
  return act === "limit" || act === "break" || act === "silence" ? act : "overload";
}

const call = fc.record({
  question: fc.integer({ min: 0, max: 3 }),
  way: fc.constantFrom("plain", "read", "left", "result", "unread"),
  /** Turns of the event loop until it is aborted. */
  abortAfter: fc.option(fc.integer({ min: 0, max: 12 }), { nil: undefined, freq: 2 }),
  hasSchema: fc.boolean(),
  schemaRetries: fc.integer({ min: 0, max: 2 }),
  /** An audio part, which one of the endpoints does not support. */
  hasAudio: fc.boolean(),
  client: fc.integer({ min: 0, max: 1 }),
  cache: fc.boolean(),
});
type Call = typeof call extends fc.Arbitrary<infer T> ? T : never;

function messagesOf({ question, hasAudio }: Call): Message[] {
  const text = `Question ${question}, to be answered with care`;
  if (!hasAudio) return [{ role: "user", content: text }];
  const data = "UklGRiQAAABXQVZF";
  return [{
    role: "user",
    content: [{ type: "text", text }, {
      type: "input_audio",
      input_audio: { data, format: "wav" },
    }],
  }];
}

/** Makes one call; it may only fail with a FlexLLMError. */
async function perform(pool: LLMClientPool, it: Call): Promise<void> {
  const controller = new AbortController();
  const options = {
    maxTokens: 20,
    signal: it.abortAfter === undefined ? undefined : controller.signal,
    responseFormat: it.hasSchema ? SCHEMA : undefined,
    cache: it.cache,
  };
  const aborting = async () => {
    for (let i = 0; i < it.abortAfter!; i++) await turn();
    controller.abort();
  };
  if (it.abortAfter !== undefined) aborting();
  try {
    const messages = messagesOf(it);
    if (it.way === "plain") {
      await pool.chatCompletions(messages, { ...options, schemaRetries: it.schemaRetries });
      return;
    }
    const stream = pool.chatCompletionsStream(messages, options);
    if (it.way === "result") await stream.finalResult();
    if (it.way === "unread" || it.way === "result") return;
    for await (const _ of stream.events) if (it.way === "left") break;
  } catch (error) {
    if (!(error instanceof FlexLLMError)) throw error;
  }
}

Deno.test("slots, tokens and money are released however calls end", async () => {
  const scenario = fc.record({
    acts: fc.array(fc.array(act, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 3 }),
    calls: fc.array(call, { minLength: 1, maxLength: 12 }),
    turns: fc.integer({ min: 0, max: 3 }),
    concurrency: fc.integer({ min: 1, max: 3 }),
    limit: fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined, freq: 3 }),
    /** The amount at which the warning callback throws. */
    warning: fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined, freq: 1 }),
    retryTimes: fc.integer({ min: 0, max: 2 }),
    closeAfter: fc.option(fc.integer({ min: 0, max: 30 }), { nil: undefined, freq: 1 }),
  });
  // The tokens that are reserved at all endpoints.
  const holds = new Set<object>();
  const { take, commit, release } = TokenLimiter.prototype;
  TokenLimiter.prototype.take = function (...of) {
    const hold = take.apply(this, of);
    holds.add(hold);
    return hold;
  };
  const ended = (hold: object) => assert.ok(holds.delete(hold), "tokens released twice");
  TokenLimiter.prototype.commit = function (now, hold, ...of) {
    ended(hold);
    commit.call(this, now, hold, ...of);
  };
  TokenLimiter.prototype.release = function (now, hold, ...of) {
    ended(hold);
    release.call(this, now, hold, ...of);
  };
  try {
    await fc.assert(
      fc.asyncProperty(scenario, async (it) => {
        const limit = it.limit === undefined ? undefined : it.limit / 100;
        const costTracker = new CostTracker({
          limit,
          warning: it.warning === undefined ? undefined : it.warning / 100,
          onWarning() {
            throw new ConfigurationError("too much was spent");
          },
        });
        const servers: Server[] = [];
        const pools = [0, 1].map(() =>
          new LLMClientPool({
            endpoints: it.acts.map((acts, i) => {
              // The second endpoint supports no audio, and its protocol does not match this server.
              const made = server(i === 1 ? acts.map(withoutFormat) : acts, it.turns);
              servers.push(made);
              return {
                provider: i === 1 ? "claude" as const : "openai" as const,
                apiKey: "k",
                baseUrl: `http://host${i}/v1`,
                model: "m",
                fetch: made.fetch,
                prices: PRICES,
                concurrencyLimit: it.concurrency,
                maxTpm: 1e9,
              };
            }),
            costTracker,
            retryDelay: 0,
            recoveryTime: 0,
            maxWait: 0.01,
            timeout: 0.05,
            retryTimes: it.retryTimes,
            cache: { store: "memory" },
          })
        );
        const closing = async () => {
          for (let i = 0; i < it.closeAfter!; i++) await turn();
          await pools[0].close();
        };
        await Promise.all([
          ...it.calls.map((call) => perform(pools[call.client], call)),
          it.closeAfter === undefined ? undefined : closing(),
        ]);
        // Abandoned streams end within a few turns.
        for (let i = 0; i < 20; i++) await turn();
        for (const pool of pools) {
          for (const { inFlight } of pool.stats) assert.equal(inFlight, 0, "in flight");
        }
        assert.equal(costTracker.reserved, 0, "reserved");
        assert.equal(holds.size, 0, "tokens held");
        for (const pool of pools) await pool.close();
        if (limit === undefined) return;
        const billed = servers.reduce((sum, { billed }) => sum + billed, 0);
        assert.ok(billed <= limit + 1e-9, `${billed} billed, budget ${limit}`);
        assert.ok(costTracker.spent >= billed - 1e-9, `${costTracker.spent} of ${billed} recorded`);
      }),
      { numRuns: 200 },
    );
  } finally {
    Object.assign(TokenLimiter.prototype, { take, commit, release });
  }
});
