/** A server that plays a batch API from a script, and what tests need to talk to it. */
import type { BatchApi, Job, JobInput, RowResult } from "../../lib/batch_api/batch_api.ts";
import type { BatchHttp } from "../../lib/batch_api/batch_http.ts";
import { createBatchHttp } from "../../lib/batch_api/http.ts";
import { parseExact } from "../../lib/json/json.ts";
import type { Endpoint } from "../../lib/protocols/protocol.ts";
import { protocolNamed } from "../../lib/protocols/registry.ts";
import { defaultFetch } from "../../lib/transport/default_fetch.ts";
import {
  type Answer,
  type HttpServer,
  type ReceivedRequest,
  startHttpServer,
} from "../support/http_server.ts";

/** Answers by method, path and query: `GET /v1/batches?limit=100`. */
export type Script = Record<string, Answer | (() => Answer)>;

/** A running server. */
export interface ScriptedApi extends HttpServer {
  /** The method, the path and the query of each request. */
  lines(): string[];
}

function lineOf({ method, path, query }: ReceivedRequest): string {
  const parameters = new URLSearchParams(query);
  return `${method} ${path}${parameters.size === 0 ? "" : `?${parameters}`}`;
}

/** Starts a server; `script` gets its address. Requests that are not in the script are answered with 404. */
export async function startScriptedApi(
  script: Script | ((origin: string) => Script),
): Promise<ScriptedApi> {
  let answers: Script = {};
  const server = await startHttpServer((request) => {
    const answer = answers[lineOf(request)] ??
      { status: 404, json: { error: { code: 404, message: "not found", status: "NOT_FOUND" } } };
    return typeof answer === "function" ? answer() : answer;
  });
  answers = typeof script === "function" ? script(server.origin) : script;
  return { ...server, lines: () => server.requests.map(lineOf) };
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
