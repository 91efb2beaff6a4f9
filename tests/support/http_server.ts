/** An HTTP server that records requests and answers each with a function. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Buffer } from "node:buffer";

export interface ReceivedRequest {
  method: string;
  path: string;
  query: Record<string, string>;
  headers: IncomingMessage["headers"];
  body: string;
}

/** An answer: JSON with status 200, or all of it. */
export type Answer = {
  status?: number;
  headers?: Record<string, string>;
  json?: unknown;
  text?: string;
};

export interface HttpServer extends AsyncDisposable {
  /** Without a trailing slash. */
  origin: string;
  requests: ReceivedRequest[];
  /** The method and the path of each request. */
  calls(): string[];
}

async function receive(request: IncomingMessage): Promise<ReceivedRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const url = new URL(request.url!, "http://localhost");
  return {
    method: request.method!,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: request.headers,
    body: Buffer.concat(chunks).toString(),
  };
}

function respond(response: ServerResponse, { status = 200, headers, json, text }: Answer): void {
  const body = json === undefined ? text ?? "" : JSON.stringify(json);
  const type = json === undefined ? "text/plain" : "application/json";
  response.writeHead(status, { "content-type": type, ...headers });
  response.end(body);
}

/** Starts a server; `answer` can also write to the response itself and return nothing. */
export async function startHttpServer(
  answer: (request: ReceivedRequest, response: ServerResponse) => Answer | undefined | void,
): Promise<HttpServer> {
  const requests: ReceivedRequest[] = [];
  const server = createServer(async (incoming, response) => {
    try {
      const request = await receive(incoming);
      requests.push(request);
      const answered = answer(request, response);
      if (answered !== undefined) respond(response, answered);
    } catch {
      // The client went away.
      response.destroy();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    calls: () => requests.map(({ method, path }) => `${method} ${path}`),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers by method and path, such as `GET /v1/batches`; a list of answers is used up one by one. */
export function startScriptedHttpServer(
  script: Record<string, Answer | Answer[] | ((request: ReceivedRequest) => Answer)>,
): Promise<HttpServer> {
  const left = new Map(Object.entries(script));
  return startHttpServer((request) => {
    const answer = left.get(`${request.method} ${request.path}`);
    if (answer === undefined) return { status: 404, json: { error: { message: "no such path" } } };
    if (typeof answer === "function") return answer(request);
    return Array.isArray(answer) ? answer.length > 1 ? answer.shift()! : answer[0] : answer;
  });
}
