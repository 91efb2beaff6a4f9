/** Gateways for tests, and requests to them. */
import { LLMClientPool } from "../../lib/client/pool.ts";
import type { PoolOptions } from "../../lib/client/client_options.ts";
import { createGatewayApp, type GatewayApp } from "../../lib/gateway/gateway_app.ts";
import type { GatewayFacts } from "../../lib/gateway/gateway_facts.ts";
import type { GatewayOptions } from "../../lib/gateway/gateway_options.ts";

export interface TestGateway extends AsyncDisposable {
  app: GatewayApp;
  pool: LLMClientPool;
  facts: GatewayFacts[];
  /** Sends a request; an object is the body. */
  send(path: string, body: object, init?: RequestInit): Promise<Response>;
  /** Sends a Chat Completions request for `model`. */
  chat(model: string, rest?: object, init?: RequestInit): Promise<Response>;
}

export const HELLO = [{ role: "user", content: "Hello!" }];

/** Creates a gateway; retries wait for next to nothing. */
export function gatewayOf(
  { endpoints, ...rest }: PoolOptions,
  options: GatewayOptions = {},
): TestGateway {
  const pool = new LLMClientPool({ retryDelay: 0.001, ...rest, endpoints });
  const facts: GatewayFacts[] = [];
  const app = createGatewayApp(pool, { ...options, onRequest: (fact) => facts.push(fact) });
  const send = async (path: string, body: object, init: RequestInit = {}) =>
    await app.fetch(
      new Request(`http://localhost${path}`, {
        method: "POST",
        body: JSON.stringify(body),
        ...init,
        headers: { "content-type": "application/json", ...init.headers },
      }),
    );
  return {
    app,
    pool,
    facts,
    send,
    chat: (model, rest, init) =>
      send("/v1/chat/completions", { model, messages: HELLO, ...rest }, init),
    [Symbol.asyncDispose]: () => app.close(),
  };
}

/** The text of a Chat Completions answer, plain or streamed. */
export async function textOf(response: Response): Promise<string> {
  const text = await response.text();
  if (!response.headers.get("content-type")?.includes("event-stream")) {
    return JSON.parse(text).choices[0].message.content;
  }
  let content = "";
  for (const [, data] of text.matchAll(/^data: (\{.*)$/gm)) {
    content += JSON.parse(data).choices?.[0]?.delta?.content ?? "";
  }
  return content;
}
