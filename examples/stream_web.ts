/**
 * A web server that streams answers as server-sent events. If the reader disconnects, the request to the
 * model is aborted.
 *
 *     deno run -A examples/stream_web.ts                # without a key: the built-in mock answers
 *     curl -N http://127.0.0.1:8000/ask -d '{"question": "Why is the sky blue?"}'
 *
 *     FLEXLLM_BASE_URL=https://api.openai.com/v1 FLEXLLM_API_KEY=… FLEXLLM_MODEL=gpt-5.4-mini \
 *       deno run -A examples/stream_web.ts
 *
 * In your own project, it needs `deno add npm:hono npm:@hono/node-server`. PORT sets another port.
 */
// deno-lint-ignore-file no-console
import process from "node:process";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { FlexLLMError, LLMClient } from "@flexllm/flexllm";

const { FLEXLLM_BASE_URL: baseUrl, FLEXLLM_API_KEY: apiKey, FLEXLLM_MODEL: model = "mock" } =
  process.env;
const client = new LLMClient({ provider: baseUrl ? "auto" : "mock", baseUrl, apiKey, model });

const app = new Hono();

app.post("/ask", async (c) => {
  const body = await c.req.json().catch(() => null);
  const question = body?.question;
  if (typeof question !== "string") return c.json({ error: '"question" is missing' }, 400);
  const answer = client.chatCompletionsStream([{ role: "user", content: question }], {
    signal: c.req.raw.signal,
  });
  return streamSSE(c, async (sse) => {
    try {
      for await (const text of answer) await sse.writeSSE({ data: JSON.stringify(text) });
      const { usage, finishReason } = await answer.finalResult();
      await sse.writeSSE({ event: "end", data: JSON.stringify({ usage, finishReason }) });
    } catch (error) {
      if (!(error instanceof FlexLLMError)) throw error;
      // The details go to the log; the reader only gets the kind of error.
      console.error(error.message);
      await sse.writeSSE({ event: "error", data: JSON.stringify({ code: error.code }) });
    }
  });
});

const options = {
  fetch: app.fetch,
  hostname: "127.0.0.1",
  port: Number(process.env.PORT ?? 8000),
};
// Works on Deno, Bun and Node alike. On Deno alone, `Deno.serve(app.fetch)` does.
serve(options, ({ address, port }) => console.log(`http://${address}:${port}/ask`));
