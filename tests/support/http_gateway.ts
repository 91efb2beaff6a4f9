/** A gateway in front of a scripted provider, called through its `fetch` as a server would call it. */
import type { PoolEndpoint, PoolOptions } from "../../lib/client/client_options.ts";
import { LLMClientPool } from "../../lib/client/pool.ts";
import { createGatewayApp, type GatewayApp } from "../../lib/gateway/gateway_app.ts";
import type { GatewayFacts } from "../../lib/gateway/gateway_facts.ts";
import type { GatewayOptions } from "../../lib/gateway/gateway_options.ts";
import { asObject, type Json } from "../../lib/json/json.ts";

/** A request that reached the provider. */
export interface SentRequest {
  url: string;
  headers: Headers;
  text: string;
  body: Json;
}

/** Answers the requests to the provider. */
export type Provider = (request: SentRequest) => Response | Promise<Response>;

/** A request to the gateway. */
export interface GatewayRequest {
  method?: string;
  headers?: Record<string, string>;
  body?: unknown;
  /** The address of the client. */
  from?: string;
  signal?: AbortSignal;
}

/** A completion in the format of Chat Completions. */
export function completion(content = "Hello!"): Json {
  return {
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1,
    model: "upstream-model",
    choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
    usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
  };
}

/** A gateway and what it sent. */
export class HttpGateway implements AsyncDisposable {
  readonly app: GatewayApp;
  readonly sent: SentRequest[] = [];
  readonly facts: GatewayFacts[] = [];

  constructor(
    options: GatewayOptions = {},
    provider: Provider = () => Response.json(completion()),
    endpoints: Partial<PoolEndpoint>[] = [{}],
    pool: Partial<PoolOptions> = {},
  ) {
    const fetch = async (url: string, init: RequestInit) => {
      const request = new Request(url, init);
      const text = await request.text();
      const body = asObject(text === "" ? {} : JSON.parse(text))!;
      const sent = { url, headers: request.headers, text, body };
      this.sent.push(sent);
      return await provider(sent);
    };
    const client = new LLMClientPool({
      endpoints: endpoints.map((endpoint) => ({
        baseUrl: "https://llm.example/v1",
        apiKey: "sk-provider-secret",
        model: "model",
        fetch,
        ...endpoint,
      })),
      retryTimes: 0,
      ...pool,
    });
    this.app = createGatewayApp(client, {
      ...options,
      onRequest: (facts) => {
        this.facts.push(facts);
        options.onRequest?.(facts);
      },
    });
  }

  /** Sends a request: a POST if it has a body. Objects are sent as JSON. */
  async send(path: string, request: GatewayRequest = {}): Promise<Response> {
    const { body, headers, from = "127.0.0.1", signal } = request;
    const isJson = typeof body === "object" && body !== null && !(body instanceof Uint8Array) &&
      !(body instanceof ReadableStream);
    const method = request.method ?? (body === undefined ? "GET" : "POST");
    const sent = new Request(`http://127.0.0.1:8080${path}`, {
      method,
      headers: { host: "127.0.0.1:8080", ...headers },
      body: isJson ? JSON.stringify(body) : body as BodyInit,
      signal,
      ...body instanceof ReadableStream ? { duplex: "half" } : {},
    });
    return await this.app.fetch(sent, { remoteAddr: { hostname: from } });
  }

  /** Sends a request for a chat completion. */
  chat(body: Json = {}, headers?: Record<string, string>): Promise<Response> {
    const messages = [{ role: "user", content: "Hi" }];
    return this.send("/v1/chat/completions", {
      headers,
      body: { model: "model", messages, ...body },
    });
  }

  /** Sends a request, and returns the status and the error of the answer. */
  async error(path: string, request?: GatewayRequest): Promise<{ status: number; error: Json }> {
    const response = await this.send(path, request);
    const body = asObject(await response.json());
    return { status: response.status, error: asObject(body?.error) ?? {} };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.app.close();
  }
}
