/**
 * Sends requests if no other `fetch` is given.
 *
 * @module
 */
import { dispatch } from "./dispatch.ts";

/**
 * Calls the global `fetch`, which is looked up for each request so that it can be replaced. On Node, a request
 * bypasses an unreplaced `fetch` where possible: see {@link dispatch}.
 */
export function defaultFetch(url: string, init: RequestInit): Promise<Response> {
  return dispatch(url, init) ?? fetch(url, init);
}
