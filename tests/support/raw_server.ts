/** A TCP server that answers HTTP requests with arbitrary bytes. */
import { createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

export interface RawRequest {
  /** Counted from 0. */
  number: number;
  path: string;
  headers: Map<string, string>;
  body: string;
}

export interface RawServer extends AsyncDisposable {
  baseUrl: string;
  requests: RawRequest[];
  /** The number of connections so far. */
  connections: () => number;
  /** The number of connections that the client has closed. */
  closed: () => number;
}

function parse(text: string, number: number): RawRequest | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [first, ...lines] = text.slice(0, end).split("\r\n");
  const headers = new Map(lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  }));
  const body = text.slice(end + 4);
  if (new TextEncoder().encode(body).length < Number(headers.get("content-length") ?? 0)) {
    return undefined;
  }
  return { number, path: first.split(" ")[1], headers, body };
}

/** Starts a server at `host`; `answer` writes to the socket of each request. Bun ignores `backlog`. */
export async function startRawServer(
  answer: (socket: Socket, request: RawRequest) => void,
  { host = "127.0.0.1", backlog }: { host?: string; backlog?: number } = {},
): Promise<RawServer> {
  const requests: RawRequest[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  let closed = 0;
  const server = createServer({ noDelay: true }, (socket) => {
    connections++;
    sockets.add(socket);
    let text = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk) => {
      text += chunk;
      const request = parse(text, requests.length);
      if (request === undefined) return;
      text = "";
      requests.push(request);
      answer(socket, request);
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      closed++;
      sockets.delete(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host, backlog }, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://${host.includes(":") ? `[${host}]` : host}:${port}/v1`,
    requests,
    connections: () => connections,
    closed: () => closed,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An HTTP response with a content-length, so that the connection can be reused. */
export function httpAnswer(
  status: number,
  body: string,
  headers: Record<string, string> = { "content-type": "application/json" },
): string {
  const length = new TextEncoder().encode(body).length;
  const lines = Object.entries({ ...headers, "content-length": String(length) })
    .map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Status\r\n${lines.join("")}\r\n${body}`;
}

/** The head of a server-sent event stream that ends with the connection. */
export const EVENT_STREAM_HEAD =
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";

/** The body of a completion. */
export function completion(content: string): string {
  return JSON.stringify({
    id: "chatcmpl-1",
    object: "chat.completion",
    model: "test-model",
    choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content } }],
    usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
  });
}

/** A streamed chunk with text. */
export function textEvent(content: string): string {
  return `data: ${JSON.stringify({ model: "test-model", choices: [{ delta: { content } }] })}\n\n`;
}

/** The chunk with the finish reason. */
export const FINISH_EVENT = `data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n`;
