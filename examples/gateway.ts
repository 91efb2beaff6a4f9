/**
 * A gateway in your own server: clients of OpenAI, Anthropic and Gemini use the models of a pool, each with a
 * key and a budget.
 *
 *     deno run -A examples/gateway.ts                # without a key: the built-in mock answers
 *     curl http://127.0.0.1:8000/v1/chat/completions -H "authorization: Bearer $KEY" \
 *       -d '{"model": "assistant", "messages": [{"role": "user", "content": "Hello!"}]}'
 *
 *     OPENAI_API_KEY=… deno run -A examples/gateway.ts
 *
 * In your own project, it needs `deno add npm:hono npm:@hono/node-server`. PORT sets another port.
 */
// deno-lint-ignore-file no-console
import process from "node:process";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { createGatewayApp, LLMClientPool, openAccess } from "@flexllm/flexllm";

const { OPENAI_API_KEY: apiKey, PORT = "8000" } = process.env;

// The mock is last: it answers if nothing else does.
const pool = new LLMClientPool({
  endpoints: [
    ...apiKey ? [{ provider: "openai" as const, model: "gpt-5.4-mini", apiKey }] : [],
    { provider: "mock", model: "mock" },
  ],
  loadBalance: "fallback",
});

// In memory; with `database: "gateway.db"`, keys and spending survive a restart.
const access = await openAccess({ limits: { budget: { day: 10 } }, allowUnpriced: true });
const { secret } = await access.keys.create("alice", { rpm: 60, budget: { month: 5 } });

const gateway = createGatewayApp(pool, {
  access,
  routes: { assistant: apiKey ? ["gpt-5.4-mini", "mock"] : ["mock"] },
  onRequest: ({ key, requestedModel, status, duration, cost }) =>
    console.log(key ?? "-", requestedModel, status, `${duration.toFixed(3)} s`, cost ?? ""),
});

// It can be a part of an app of yours, or the whole of it: `serve({ fetch: gateway.fetch })`.
const app = new Hono();
app.get("/about", (c) => c.text("A gateway and a page.\n"));
app.all("*", (c) => gateway.fetch(c.req.raw));

const options = { fetch: app.fetch, hostname: "127.0.0.1", port: Number(PORT) };
serve(options, ({ address, port }) => {
  console.log(`http://${address}:${port}`);
  console.log(`KEY=${secret}`);
});
