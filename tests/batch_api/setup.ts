/** What the tests of batch APIs share: endpoints, inputs and rows. */
import type { BatchApi, JobInput, RowResult } from "../../lib/batch_api/batch_api.ts";
import type { BatchHttp } from "../../lib/batch_api/batch_http.ts";
import { createBatchHttp } from "../../lib/batch_api/http.ts";
import { batchApiOf } from "../../lib/batch_api/registry.ts";
import type { Endpoint } from "../../lib/protocols/protocol.ts";
import { protocolNamed } from "../../lib/protocols/registry.ts";
import { defaultFetch } from "../../lib/transport/default_fetch.ts";
import { service } from "../../lib/services/services.ts";
import type { ServiceName } from "../../lib/services/service_table.ts";
import type { Fetch } from "../../mod.ts";

/** An endpoint of a known service, at another address. */
export function endpointOf(baseUrl: string, name?: ServiceName): Endpoint {
  const known = name === undefined ? {} : { service: service(name) };
  return { baseUrl, apiKey: "sk-test-123456", headers: {}, ...known };
}

/** The batch API of an endpoint, and what sends its requests. */
export function batchApi(
  endpoint: Endpoint,
  format = "chat",
  fetch: Fetch = defaultFetch,
): { api: BatchApi; http: BatchHttp } {
  const protocol = protocolNamed(format)!;
  const api = batchApiOf(endpoint, protocol);
  if (api === undefined) throw new Error("no batch API");
  return { api, http: createBatchHttp(endpoint, fetch, { protocol, timeout: 20 }) };
}

/** An input of `text`. */
export function inputOf(text: string, fields: Partial<JobInput> = {}): JobInput {
  const blob = new Blob([text]);
  return {
    nonce: "abc0123456",
    model: "m",
    path: "/chat/completions",
    rows: text.split("\n").length - 1,
    bytes: blob.size,
    open: () => blob.stream(),
    ...fields,
  };
}

/** A body of a chat completion. */
export const BODY = '{"model":"m","messages":[{"role":"user","content":"Hi"}]}';

/** All items of an iterable. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** The rows of a job's results. */
export async function resultsOf(
  { api, http }: { api: BatchApi; http: BatchHttp },
  id: string,
): Promise<RowResult[]> {
  return await collect(api.results(http, await api.get(http, id), JSON.parse));
}

/** Values as they come back from a file of JSON: without fields that are undefined. */
export function stored<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}
