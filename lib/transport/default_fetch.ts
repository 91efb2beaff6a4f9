/**
 * Sends requests if no other `fetch` is given.
 *
 * On Node all requests, and on Deno and Bun those without TLS, bypass the global `fetch`, which takes more CPU time
 * than all our other work for a request: servers on the same machine or network answer thousands in a second. It is
 * used for what only it can do, and if it has been replaced.
 *
 * @module
 */
import { type DirectRequest, dispatch } from "../runtime/dispatch.ts";
import type { DispatchedResponse } from "../runtime/dispatched_response.ts";
import { unrepeatedBody } from "../runtime/request_body.ts";
import { isFetchOwn, needsRuntimeFetch } from "../runtime/request_environment.ts";
import { sendHttp1 } from "./http1/http1_client.ts";

let allowsHttp1: boolean | undefined;

/**
 * Sends a request that does not follow redirects without the global `fetch`. Returns `undefined`, and sends nothing,
 * where only that can.
 */
export function sendDirectly(
  request: DirectRequest,
  signal?: AbortSignal | null,
): DispatchedResponse | undefined {
  // Looked up each time, so that it can be replaced.
  const usesHttp1 = isFetchOwn() && (allowsHttp1 ??= !needsRuntimeFetch());
  return usesHttp1 ? sendHttp1(request, signal) : dispatch(request, signal);
}

/** A response once its headers have arrived. It has all of a `Response` that is used here. */
export function openedResponse(response: DispatchedResponse): Promise<Response> {
  return response.opened as Promise<unknown> as Promise<Response>;
}

/** Sends a request, at most once. */
export function defaultFetch(url: string, init: RequestInit): Promise<Response> {
  const { method = "GET", headers = {}, body = null, redirect, signal } = init;
  const isPlain = redirect === "manual" && (typeof body === "string" || body === null) &&
    !(headers instanceof Headers) && !Array.isArray(headers);
  const response = isPlain ? sendDirectly({ url, method, headers, body }, signal) : undefined;
  return response === undefined ? runtimeFetch(url, init) : openedResponse(response);
}

/** Sends a request with the global `fetch`, at most once. */
export function runtimeFetch(url: string, init: RequestInit): Promise<Response> {
  const body = typeof init.body === "string" ? unrepeatedBody(init.body) : undefined;
  if (typeof body !== "object") return fetch(url, init);
  return fetch(url, { ...init, body: body.body, duplex: body.duplex } as RequestInit);
}
