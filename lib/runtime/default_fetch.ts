/**
 * Sends requests if no other `fetch` is given.
 *
 * @module
 */
import { dispatch } from "./dispatch.ts";

/**
 * Calls the global `fetch`, looked up for each request so that it can be replaced; on Node, unless it was, what is
 * behind it.
 */
export function defaultFetch(url: string, init: RequestInit): Promise<Response> {
  return dispatch(url, init) ?? fetch(url, init);
}
