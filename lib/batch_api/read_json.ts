/**
 * Reads the answers of batch APIs without changing the numbers in them.
 *
 * @module
 */
import { MalformedResponseError } from "../errors.ts";
import { HttpError } from "../http_errors.ts";
import { asObject, type Json } from "../json/json.ts";
import type { BatchHttp, BatchRequest } from "./batch_http.ts";

/** Parses JSON; numbers may come out in a form of the endpoint's wire format. */
export type ParseJson = (text: string) => unknown;

/**
 * Sends a GET and parses the answer with `parse`.
 *
 * @throws {FlexLLMError} if the request fails, or the answer is not a JSON object
 */
export async function readJson(
  http: BatchHttp,
  request: Pick<BatchRequest, "path" | "query" | "headers">,
  parse: ParseJson,
): Promise<Json> {
  const { text } = await http.send({ method: "GET", ...request });
  const object = parseLine(text, parse);
  if (object === undefined) {
    throw new MalformedResponseError(`the answer to GET ${request.path} is not a JSON object`);
  }
  return object;
}

/** Parses a line of a result file; `undefined` if it is not a JSON object: then its row counts as missing. */
export function parseLine(line: string, parse: ParseJson): Json | undefined {
  try {
    return asObject(parse(line));
  } catch {
    return undefined;
  }
}

/** Whether a request failed because its subject does not exist. */
export function isNotFound(error: unknown): boolean {
  if (!(error instanceof HttpError)) return false;
  const { status, message } = error;
  // Google does not say whether a file is missing or someone else's.
  return status === 404 || status === 410 || (status === 403 && /may not exist/i.test(message));
}

/** Sends a DELETE. It is fine if there is nothing to delete. */
export async function deleteIfExists(
  http: BatchHttp,
  request: Pick<BatchRequest, "path" | "headers">,
): Promise<void> {
  try {
    await http.send({ method: "DELETE", ...request });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
