/**
 * Reads the bodies of requests to the mock's batch APIs, and remembers what the request log shows of them.
 *
 * @module
 */
import { asObject, type Json, tryParse } from "../../json/json.ts";

const shown = new WeakMap<Request, string>();

/** The JSON object in a body; `undefined` if it contains none. An empty body counts as `{}`. */
export async function readJson(request: Request): Promise<Json | undefined> {
  const text = await request.text();
  shown.set(request, text);
  return text.trim() === "" ? {} : asObject(tryParse(text));
}

/** Sets what the request log shows instead of a body that is not read as a whole. */
export function describeBody(request: Request, text: string): void {
  shown.set(request, text);
}

/** What the request log shows as the body. */
export function loggedBody(request: Request): string {
  return shown.get(request) ?? "";
}
