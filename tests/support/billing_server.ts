/**
 * A fake `fetch` that bills its answers and misbehaves on request, so that tests can compare costs with
 * the server's bill.
 */
import type { Fetch } from "../../mod.ts";

/** How the server handles one request. */
export type Deed = "answer" | "misfit" | "refuse" | "overload" | "break" | "half" | "silence";

/** USD per token of prompts and of answers. */
export const TOKEN_PRICE = 0.001;
export const PROMPT_TOKENS = 10;

export interface BillingServer {
  fetch: Fetch;
  /** The user's bill in USD. */
  billed: () => number;
  /** Requests received. */
  received: () => number;
}

function sse(...chunks: object[]): string {
  return chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join("");
}

/**
 * Handles each request with the next of `deeds`, and repeats the last one. An answer has `tokens` tokens;
 * `silence` ends only when the request is aborted, and is billed like an answer.
 */
export function billingServer(deeds: readonly Deed[], tokens = 20): BillingServer {
  let received = 0;
  let billed = 0;
  const bill = (completion: number) => billed += (PROMPT_TOKENS + completion) * TOKEN_PRICE;
  const usage = {
    prompt_tokens: PROMPT_TOKENS,
    completion_tokens: tokens,
    total_tokens: PROMPT_TOKENS + tokens,
  };
  const fetch: Fetch = (_url, init) => {
    const deed = deeds[Math.min(received++, deeds.length - 1)];
    const { stream } = JSON.parse(String(init.body));
    const content = deed === "misfit" ? "no JSON" : '{"a":1}';
    if (deed === "overload") return Promise.resolve(new Response("{}", { status: 503 }));
    if (deed === "break") {
      bill(tokens);
      return Promise.reject(new TypeError("connection reset by peer"));
    }
    bill(deed === "half" ? tokens / 2 : tokens);
    if (deed === "silence") {
      // Like a socket, the pending request keeps the process alive.
      const alive = setInterval(() => {}, 1000);
      return new Promise((_, reject) => {
        init.signal?.addEventListener("abort", () => {
          clearInterval(alive);
          reject(init.signal?.reason);
        });
      });
    }
    if (!stream || deed === "half") {
      const message = deed === "refuse"
        ? { role: "assistant", content: null, refusal: "I can't help with that." }
        : { role: "assistant", content };
      const half = { ...usage, completion_tokens: tokens / 2, total_tokens: 10 + tokens / 2 };
      const body = deed === "half"
        ? {
          model: "m",
          choices: [{ index: 0, finish_reason: "error", message }],
          usage: half,
        }
        : { model: "m", choices: [{ index: 0, finish_reason: "stop", message }], usage };
      return Promise.resolve(Response.json(body));
    }
    const delta = deed === "refuse" ? { refusal: "I can't help with that." } : { content };
    return Promise.resolve(
      new Response(
        sse(
          { model: "m", choices: [{ index: 0, delta }] },
          { model: "m", choices: [{ index: 0, delta: {}, finish_reason: "stop" }] },
          { model: "m", choices: [], usage },
        ) + "data: [DONE]\n\n",
        { headers: { "content-type": "text/event-stream" } },
      ),
    );
  };
  return { fetch, billed: () => billed, received: () => received };
}
