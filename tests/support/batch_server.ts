/** A server that plays a batch API from a script, and what tests need to talk to it. */
import { Buffer } from "node:buffer";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { BatchApi, JobInput, RowResult } from "../../lib/batch_api/batch_api.ts";
import type { Job } from "../../lib/batch_api/batch_api.ts";
import type { BatchHttp } from "../../lib/batch_api/batch_http.ts";
import { createBatchHttp } from "../../lib/batch_api/http.ts";
import { parseExact } from "../../lib/json/json.ts";
import type { Endpoint } from "../../lib/protocols/protocol.ts";
import { protocolNamed } from "../../lib/protocols/registry.ts";
import { defaultFetch } from "../../lib/runtime/runtime.ts";

/** A request that the server received. */
export interface BatchServerRequest {
  /** Method, path and query: `GET /v1/batches?limit=100`. */
  line: string;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** An answer: `json`, or a `body`. */
export interface ScriptedAnswer {
  /** @default 200 */
  status?: number;
  headers?: Record<string, string>;
  json?: unknown;
  body?: string;
}

/** A running server. */
export interface BatchServer extends AsyncDisposable {
  /** Its address: `http://127.0.0.1:PORT`. */
  origin: string;
  requests: BatchServerRequest[];
  /** The `line` of each request. */
  lines(): string[];
}

/** Answers each request with the entry of `script` for its method, path and query. */
export type Script = Record<string, ScriptedAnswer | (() => ScriptedAnswer)>;

/** Starts a server; `script` gets its address. */
export async function startBatchServer(
  script: Script | ((origin: string) => Script),
): Promise<BatchServer> {
  const requests: BatchServerRequest[] = [];
  let answers: Script = {};
  const server = createServer(async (request, response) => {
    const line = `${request.method} ${request.url}`;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    requests.push({ line, headers: request.headers, body: Buffer.concat(chunks).toString() });
    const entry = answers[line] ?? {
      status: 404,
      json: { error: { message: `nothing at ${line}`, code: 404, status: "NOT_FOUND" } },
    };
    const { status = 200, headers, json, body } = typeof entry === "function" ? entry() : entry;
    response.writeHead(status, headers);
    response.end(json === undefined ? body : JSON.stringify(json));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  answers = typeof script === "function" ? script(origin) : script;
  return {
    origin,
    requests,
    lines: () => requests.map(({ line }) => line),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An endpoint with a key. */
export function batchEndpoint(baseUrl: string, fields: Partial<Endpoint> = {}): Endpoint {
  return { baseUrl, apiKey: "sk-secret", headers: {}, ...fields };
}

/** Sends requests in the wire format `protocol`: `chat`, `claude` or `gemini`. */
export function batchHttp(endpoint: Endpoint, protocol: string): BatchHttp {
  const found = protocolNamed(protocol);
  if (found === undefined) throw new Error(`no protocol ${protocol}`);
  return createBatchHttp(endpoint, defaultFetch, { protocol: found });
}

/** The nonce of {@link jobInput}. */
export const NONCE = "abcdef0123";

/** The id of the n-th row of {@link jobInput}. */
export function rowId(index: number): string {
  return `${NONCE}_${index}_0123abcd`;
}

/** The input of a job with the bodies `bodies`, which arrives in chunks of `chunk` bytes. */
export function jobInput(
  api: BatchApi,
  { bodies, model = "m", path = "/chat/completions", chunk = 7, uploaded }: {
    bodies: string[];
    model?: string;
    path?: string;
    chunk?: number;
    uploaded?: JobInput["uploaded"];
  },
): JobInput {
  const lines = bodies.map((body, index) => api.encodeRow(rowId(index), { body, model, path }));
  const bytes = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""));
  return {
    nonce: NONCE,
    model,
    path,
    rows: lines.length,
    bytes: bytes.length,
    uploaded,
    open() {
      let offset = 0;
      return new ReadableStream({
        pull(controller) {
          if (offset >= bytes.length) return controller.close();
          controller.enqueue(bytes.slice(offset, offset + chunk));
          offset += chunk;
        },
      });
    },
  };
}

/** All results of a job. */
export function allResults(api: BatchApi, http: BatchHttp, job: Job): Promise<RowResult[]> {
  return Array.fromAsync(api.results(http, job, parseExact));
}
