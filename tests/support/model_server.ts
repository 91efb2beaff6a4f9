/** A server of Chat Completions whose answers are scripted, and which counts the requests that are open. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Buffer } from "node:buffer";
import type { AddressInfo } from "node:net";

export interface ModelRequest {
  body: Record<string, unknown>;
  headers: IncomingMessage["headers"];
  path: string;
  response: ServerResponse;
}

export interface ModelServer extends AsyncDisposable {
  baseUrl: string;
  requests: ModelRequest[];
  /** Requests whose connection is open and whose answer has not ended. */
  readonly open: number;
  /** Resolves when `open` has the value. */
  untilOpen(count: number): Promise<void>;
}

export const USAGE = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 };

/** A whole answer. */
export function completion(content: string): string {
  const message = { role: "assistant", content };
  const choices = [{ index: 0, message, finish_reason: "stop" }];
  return JSON.stringify({
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1,
    model: "m",
    choices,
    usage: USAGE,
  });
}

/** One event of a stream. */
export function chunk(delta: object, rest: object = {}): string {
  const choices = [{ index: 0, delta, finish_reason: null, ...rest }];
  const event = {
    id: "chatcmpl-1",
    object: "chat.completion.chunk",
    created: 1,
    model: "m",
    choices,
  };
  return `data: ${JSON.stringify(event)}\n\n`;
}

/** The end of a stream, with its usage. */
export const STREAM_END = chunk({}, { finish_reason: "stop" }) +
  `data: ${
    JSON.stringify({
      id: "chatcmpl-1",
      object: "chat.completion.chunk",
      created: 1,
      model: "m",
      choices: [],
      usage: USAGE,
    })
  }\n\ndata: [DONE]\n\n`;

export function startStream(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
}

/** Answers with `words`, as a stream if the request wants one. */
export function answer({ body, response }: ModelRequest, ...words: string[]): void {
  if (body.stream !== true) {
    response.writeHead(200, { "content-type": "application/json" });
    return void response.end(completion(words.join("")));
  }
  startStream(response);
  for (const word of words) response.write(chunk({ content: word }));
  response.end(STREAM_END);
}

/** Answers with an error. */
export function refuse(
  { response }: ModelRequest,
  status: number,
  message: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify({ error: { message, type: "x", code: null } }));
}

/** Starts the server; `handle` answers each request. */
export async function startModelServer(
  handle: (request: ModelRequest, number: number) => void = (request) => answer(request, "Hi"),
): Promise<ModelServer> {
  const requests: ModelRequest[] = [];
  let open = 0;
  let waiting: { count: number; resolve: () => void }[] = [];
  const changed = () => {
    waiting = waiting.filter(({ count, resolve }) => {
      if (open === count) resolve();
      return open !== count;
    });
  };
  const server = createServer(async (incoming, response) => {
    open++;
    changed();
    response.on("close", () => {
      open--;
      changed();
    });
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk);
      const body = JSON.parse(Buffer.concat(chunks).toString());
      const request = { body, headers: incoming.headers, path: incoming.url!, response };
      requests.push(request);
      handle(request, requests.length - 1);
    } catch {
      response.destroy();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    get open() {
      return open;
    },
    untilOpen(count) {
      return new Promise((resolve) => {
        waiting.push({ count, resolve });
        changed();
      });
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
