/** A `fetch` that answers chat completions with given texts, one after the other. */
import type { Fetch } from "../../mod.ts";

/** The bodies of all requests, and the `fetch` that records them. */
export interface ScriptedServer {
  bodies: Record<string, unknown>[];
  fetch: Fetch;
}

/** Answers the n-th request with `texts[n]`, and all later ones with the last text. */
export function scriptedServer(...texts: string[]): ScriptedServer {
  const bodies: Record<string, unknown>[] = [];
  const fetch: Fetch = (_url, { body }) => {
    const content = texts[Math.min(bodies.length, texts.length - 1)];
    const request = JSON.parse(String(body));
    bodies.push(request);
    const usage = { prompt_tokens: 5, completion_tokens: 5, total_tokens: 10 };
    if (!request.stream) {
      const message = { role: "assistant", content };
      const choices = [{ index: 0, message, finish_reason: "stop" }];
      return Promise.resolve(Response.json({ model: "m", choices, usage }));
    }
    const chunks = [
      { choices: [{ index: 0, delta: { content } }] },
      { choices: [{ index: 0, delta: {}, finish_reason: "stop" }], usage },
    ];
    const events = chunks.map((chunk) => `data: ${JSON.stringify({ model: "m", ...chunk })}\n\n`);
    return Promise.resolve(
      new Response(`${events.join("")}data: [DONE]\n\n`, {
        headers: { "content-type": "text/event-stream" },
      }),
    );
  };
  return { bodies, fetch };
}
