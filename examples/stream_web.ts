/**
 * A web server whose answers arrive while the model writes them, as server-sent events. When the reader
 * goes away, the request to the model is cancelled, too.
 *
 *     deno run -A examples/stream_web.ts                # no key: the embedded mock answers
 *     curl -N http://127.0.0.1:8000/ask -d '{"question": "Why is the sky blue?"}'
 *
 *     FLEXLLM_BASE_URL=https://api.openai.com/v1 FLEXLLM_API_KEY=… FLEXLLM_MODEL=gpt-5.4-mini \
 *       deno run -A examples/stream_web.ts
 *
 * Copied elsewhere it needs `deno add npm:hono`. PORT names another port.
 */
// deno-lint-ignore-file no-console
import process from "node:process";
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
      // What went wrong is for the log; the reader learns only of what kind it was.
      console.error(error.message);
      await sse.writeSSE({ event: "error", data: JSON.stringify({ code: error.code }) });
    }
  });
});

Deno.serve({
  hostname: "127.0.0.1",
  port: Number(process.env.PORT ?? 8000),
  onListen: ({ hostname, port }) => console.log(`http://${hostname}:${port}/ask`),
}, app.fetch);
